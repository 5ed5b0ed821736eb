use std::time::{Duration, Instant};

use serde_json::{Value, json};
use skyfold::{
    Commit, DeadLetter, Head, Metadata, NewEvent, Payload, RecordedCommit, Runtime, StreamName,
    Version,
};
use skyfold_cli::Client;

/// How long everybody may take to meet what cannot be handled, on a busy machine.
const MET_MAX: Duration = Duration::from_secs(120);

/// Everybody who hears of the stock.
const CONSUMERS: [&str; 2] = ["fulfilment", "stock-level"];

/// A delivery of pieces, as `quantity` says.
fn received(runtime: &Runtime, quantity: Value) -> Commit {
    let data = Payload::encode(&json!({ "quantity": quantity, "reason": "delivery" })).unwrap();
    let event = NewEvent { event_type: "StockReceived".into(), schema: 1, data };
    let id = "poison".parse().unwrap();
    Commit::new(id, 0, runtime.now(), Metadata::default(), vec![event]).unwrap()
}

/// The letters about `stream` that wait.
async fn waiting(runtime: &Runtime, stream: &StreamName) -> Vec<DeadLetter> {
    let mut letters = vec![];
    for consumer in CONSUMERS {
        letters.extend(runtime.dead_letters().about(consumer, stream).await.unwrap());
    }
    letters.retain(DeadLetter::is_waiting);
    letters
}

/// Records an event that nobody can read, and has it mended and tried again once it is set aside.
///
/// # Panics
///
/// If it is not set aside in time, or not shown in the end.
pub(crate) async fn redriven(
    runtime: &Runtime,
    client: &Client,
    mend: impl AsyncFn(RecordedCommit),
) {
    let stream = "stock-poison".parse::<StreamName>().unwrap();
    let bad = received(runtime, json!("many"));
    runtime.ports().events.append(&Head::empty(stream.clone()), &bad).await.unwrap();
    let start = Instant::now();
    while waiting(runtime, &stream).await.len() < CONSUMERS.len() {
        assert!(start.elapsed() < MET_MAX, "not everybody has set it aside");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let asked = Payload::encode(&json!({ "product": "poison" })).unwrap();
    client.query("stock-of", asked.clone(), None).await.unwrap_err();

    let commit = received(runtime, json!(7));
    mend(RecordedCommit { stream: stream.clone(), first: Version(1), commit }).await;
    for letter in waiting(runtime, &stream).await {
        let letter = runtime.dead_letters().retry(&letter.id).await.unwrap();
        assert!(!letter.is_waiting(), "{letter:?}");
    }
    let shown = client.query("stock-of", asked, None).await.unwrap();
    let shown: Value = serde_json::from_str(shown.get()).unwrap();
    assert_eq!(shown["available"], 7, "{shown}");
}
