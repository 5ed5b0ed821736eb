use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::json;
use skyfold::ports::QueuedCommand;
use tokio::net::TcpListener;

use crate::installation::Installation;
use crate::timed;

/// How long it may take, on a busy machine.
const AGAIN_MAX: Duration = Duration::from_secs(60);

/// Cloud Tasks brings a command to the service when it is due, and not before.
pub(crate) fn in_time(gcp: &Installation) {
    gcp.tokio.block_on(timed::in_time(&gcp.runtime()));
}

/// What a task met so far: how often it was tried before, each time it came.
type Met = Arc<Mutex<Vec<String>>>;

/// Takes a task when it comes for the third time.
async fn third(State(met): State<Met>, headers: HeaderMap) -> StatusCode {
    let mut met = met.lock().unwrap();
    met.push(headers["x-cloudtasks-taskretrycount"].to_str().unwrap().to_owned());
    if met.len() < 3 { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::NO_CONTENT }
}

/// Cloud Tasks brings a command again that was not taken, and tells how often it was tried: the
/// count by which the host gives it up.
pub(crate) fn again(gcp: &Installation) {
    gcp.tokio.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let met = Met::default();
        let router = Router::new().route("/", post(third)).with_state(met.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let command = json!({ "Receive": { "quantity": 2, "reason": "delivery" } });
        let request = json!({ "stream": "again", "id": "again-1", "command": command });
        let queued = json!({ "category": "stock", "request": request });
        let queued: QueuedCommand = serde_json::from_value(queued).unwrap();
        let runtime = gcp.runtime_with_tasks_for(url);
        let outcomes = runtime.ports().queue.send(&[queued]).await;
        assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
        let start = Instant::now();
        while met.lock().unwrap().len() < 3 {
            assert!(start.elapsed() < AGAIN_MAX, "it has not come again: {met:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        // What was taken comes no more.
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(*met.lock().unwrap(), ["0", "1", "2"]);
    });
}
