use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};
use skyfold::{CommandRequest, Payload};
use skyfold_cli::{Client, Outcome};
use tower::ServiceExt as _;

use crate::installation::Installation;

/// How long everybody may take to hear of it, on a busy machine.
const HEARD_MAX: Duration = Duration::from_secs(60);

fn request(id: &str) -> CommandRequest {
    serde_json::from_value(json!({
        "stream": "killed",
        "id": id,
        "command": { "Receive": { "quantity": 9, "reason": "delivery" } },
    }))
    .unwrap()
}

async fn available(client: &Client) -> Option<Value> {
    let asked = Payload::encode(&json!({ "product": "killed" })).unwrap();
    let shown = client.query("stock-of", asked, None).await.ok()?;
    let shown: Value = serde_json::from_str(shown.get()).unwrap();
    Some(shown["available"].clone())
}

/// A process dies when its command was recorded and before anybody is answered; and the doorbell of
/// what it recorded is lost as well.
pub(crate) fn a_service_killed_between_append_and_answer_loses_nothing(gcp: &Installation) {
    let client = Client::http(&gcp.url, order::app().manifest()).unwrap();
    gcp.tokio.block_on(async {
        gcp.eventarc.loses.store(true, Ordering::SeqCst);
        gcp.gate.is_shut.store(true, Ordering::SeqCst);
        let giving = client.clone();
        let given = tokio::spawn(async move { giving.send_request("stock", request("c-1")).await });
        gcp.gate.reached.notified().await;
        gcp.kill_api().await;
        gcp.gate.is_shut.store(false, Ordering::SeqCst);
        given.await.unwrap().unwrap_err();
        gcp.start_api().await;

        let outcome = client.send_request("stock", request("c-1")).await.unwrap();
        let Outcome::Accepted(receipt) = outcome else { panic!("it is accepted: {outcome:?}") };
        assert!(receipt.replayed && receipt.version.0 == 1, "{receipt:?}");
        let start = Instant::now();
        while gcp.eventarc.lost.load(Ordering::SeqCst) == 0 {
            assert!(start.elapsed() < HEARD_MAX, "the trigger has brought it");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(available(&client).await, None, "nobody has heard of it");
        gcp.eventarc.loses.store(false, Ordering::SeqCst);

        let start = Instant::now();
        while available(&client).await != Some(json!(9)) {
            assert!(start.elapsed() < HEARD_MAX, "nobody has heard of it");
            let request = Request::post("/deliveries/sweep").body(Body::empty()).unwrap();
            let status = gcp.sweep.clone().oneshot(request).await.unwrap().status();
            assert_eq!(status, StatusCode::OK);
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    });
}
