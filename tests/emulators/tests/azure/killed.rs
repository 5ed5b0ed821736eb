use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use skyfold::{CommandRequest, Payload};
use skyfold_cli::{Client, Outcome};

use crate::installation::Installation;

/// How long everybody may take to hear of it, on a busy machine.
const HEARD_MAX: Duration = Duration::from_secs(60);

/// Receives `quantity` pieces of `product`.
fn request(product: &str, quantity: u32) -> CommandRequest {
    serde_json::from_value(json!({
        "stream": product,
        "id": format!("c-{product}"),
        "command": { "Receive": { "quantity": quantity, "reason": "delivery" } },
    }))
    .unwrap()
}

/// How many pieces of `product` there are, as is shown.
async fn available(client: &Client, product: &str) -> Option<Value> {
    let asked = Payload::encode(&json!({ "product": product })).unwrap();
    let shown = client.query("stock-of", asked, None).await.ok()?;
    let shown: Value = serde_json::from_str(shown.get()).unwrap();
    Some(shown["available"].clone())
}

/// Waits until `quantity` pieces of `product` are shown.
async fn is_available(client: &Client, product: &str, quantity: u32) {
    let start = Instant::now();
    while available(client, product).await != Some(json!(quantity)) {
        assert!(start.elapsed() < HEARD_MAX, "nobody has heard of {product}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The relay dies when the topic has what it announces and before it hears so.
pub(crate) fn a_relay_killed_while_it_announces_loses_and_doubles_nothing(azure: &Installation) {
    let client = Client::http(&azure.url, order::app().manifest()).unwrap();
    azure.tokio.block_on(async {
        azure.services.is_silent.store(true, Ordering::SeqCst);
        let given = client.send_request("stock", request("killed", 9)).await.unwrap();
        let Outcome::Accepted(receipt) = given else { panic!("it is accepted: {given:?}") };
        assert!(!receipt.replayed && receipt.version.0 == 1, "{receipt:?}");
        azure.services.waits.notified().await;
        azure.apps["relay"].kill();
        azure.services.is_silent.store(false, Ordering::SeqCst);
        azure.apps["relay"].restart();

        is_available(&client, "killed", 9).await;
        // What comes twice is taken once.
        let again = client.send_request("stock", request("killed", 9)).await.unwrap();
        let Outcome::Accepted(receipt) = again else { panic!("it is accepted: {again:?}") };
        assert!(receipt.replayed && receipt.version.0 == 1, "{receipt:?}");
        assert_eq!(available(&client, "killed").await, Some(json!(9)));
    });
}
