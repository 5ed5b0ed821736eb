use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::AttributeValue;
use libtest_mimic::Failed;
use serde_json::{Value, json};
use skyfold::{
    Commit, DeadLetter, Head, Metadata, NewEvent, Payload, RecordedCommit, Runtime, StreamName,
};
use skyfold_cli::Client;

use crate::installation::Installation;

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

pub(crate) fn redriven(aws: &Installation) -> Result<(), Failed> {
    aws.tokio.block_on(async {
        let (runtime, stream) = (aws.runtime(), "stock-poison".parse::<StreamName>().unwrap());
        let bad = received(&runtime, json!("many"));
        runtime.ports().events.append(&Head::empty(stream.clone()), &bad).await.unwrap();
        let start = Instant::now();
        while waiting(&runtime, &stream).await.is_empty() {
            assert!(start.elapsed() < MET_MAX, "nobody has set it aside");
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        let client = Client::http(&aws.url, order::app().manifest()).unwrap();
        let asked = Payload::encode(&json!({ "product": "poison" })).unwrap();
        client.query("stock-of", asked.clone(), None).await.unwrap_err();

        mend(aws, &stream, &received(&runtime, json!(7))).await;
        for letter in waiting(&runtime, &stream).await {
            let letter = runtime.dead_letters().retry(&letter.id).await.unwrap();
            assert!(!letter.is_waiting(), "{letter:?}");
        }
        let shown = client.query("stock-of", asked, None).await.unwrap();
        let shown: Value = serde_json::from_str(shown.get()).unwrap();
        assert_eq!(shown["available"], 7, "{shown}");
    });
    Ok(())
}

/// Puts `commit` in the place of the first of `stream`, as somebody does who mends what a defect
/// has written.
async fn mend(aws: &Installation, stream: &StreamName, commit: &Commit) {
    let text = |text: String| AttributeValue::S(text);
    let first = RecordedCommit {
        stream: stream.clone(),
        first: skyfold::Version(1),
        commit: commit.clone(),
    };
    let update = aws.clients.dynamodb.update_item().table_name(&aws.names.events);
    let update = update
        .key("PK", text(stream.to_string()))
        .key("SK", text(format!("{:020}", first.first.0)))
        .update_expression("SET B = :body")
        .expression_attribute_values(":body", text(serde_json::to_string(commit).unwrap()));
    update.send().await.unwrap();
}

pub(crate) fn direct(aws: &Installation) -> Result<(), Failed> {
    let path = "/2015-03-31/functions/order-stock/invocations";
    let command = json!({ "Receive": { "quantity": 3, "reason": "delivery" } });
    let request = json!({ "stream": "direct", "id": "c-1", "command": command });
    let call = json!({ "category": "stock", "request": request });
    for is_replayed in [false, true] {
        let receipt = aws.ministack.rest("lambda", "POST", path, &call);
        assert_eq!(receipt["events"], json!(["stock-direct@1"]), "{receipt}");
        assert_eq!(receipt["replayed"], is_replayed);
    }
    let unknown = json!({ "category": "gate", "request": call["request"] });
    let failure = aws.ministack.rest("lambda", "POST", path, &unknown);
    assert_eq!(failure["errorType"], "Skyfold.not-found", "{failure}");
    Ok(())
}
