//! Functions that are killed between two writes.

use std::time::{Duration, Instant};

use libtest_mimic::Failed;
use serde_json::{Value, json};
use skyfold::Payload;
use skyfold_cli::{Client, Outcome};

use crate::gate::Kill;
use crate::installation::Installation;

/// How long everything may take to come to rest: what a killed function had comes again when the
/// queue shows it again.
const REST_MAX: Duration = Duration::from_secs(180);

/// How long to wait before something is tried or looked for again.
const PAUSE: Duration = Duration::from_millis(300);

/// The product that is sold, and the order.
const PRODUCT: &str = "killed";

pub(crate) fn a_function_killed_between_append_and_announcement_loses_nothing(
    aws: &Installation,
) -> Result<(), Failed> {
    let client = Client::http(&aws.url, order::app().manifest()).unwrap();
    let all = [Kill::BeforeTheRequest, Kill::BeforeTheAnswer];
    for (_, gate) in &aws.gates {
        gate.kill_at(&all);
    }
    aws.tokio.block_on(async {
        give(&client, "stock", json!({ "Receive": { "quantity": 3, "reason": "delivery" } })).await;
        let line = json!({ "product": PRODUCT, "quantity": 2, "unitPrice": "1.50" });
        let place = json!({ "currency": "GBP", "lines": [line], "on": "2001-01-01" });
        give(&client, "order", json!({ "Place": place })).await;
        shows(&client, "show-order", json!({ "order": PRODUCT }), "status", "confirmed").await;
        shows(&client, "stock-of", json!({ "product": PRODUCT }), "available", 1).await;
    });
    for (function, gate) in &aws.gates {
        assert_eq!(gate.kills_left(), 0, "{function} was killed each time");
    }
    Ok(())
}

/// Gives `command` to the stream of `category`, under the same id until it is answered.
async fn give(client: &Client, category: &str, command: Value) {
    let (id, key) = (PRODUCT.parse().unwrap(), client.fresh_id());
    let command = Payload::encode(&command).unwrap();
    let start = Instant::now();
    loop {
        match client.send(category, &id, key.clone(), command.clone()).await {
            Ok(Outcome::Accepted(receipt)) => {
                assert_eq!(receipt.events.len(), 1, "{receipt:?}");
                return;
            }
            Ok(refused) => panic!("{refused:?}"),
            Err(error) => assert!(start.elapsed() < REST_MAX, "{error}"),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Waits until the answer of `query` to `params` has `value` in the field `name`.
async fn shows(client: &Client, query: &str, params: Value, name: &str, value: impl Into<Value>) {
    let (value, start) = (value.into(), Instant::now());
    let params = Payload::encode(&params).unwrap();
    loop {
        let answer = client.query(query, params.clone(), None).await;
        let shown = answer.map(|shown| serde_json::from_str::<Value>(shown.get()).unwrap());
        if shown.as_ref().is_ok_and(|shown| shown[name] == value) {
            return;
        }
        assert!(start.elapsed() < REST_MAX, "{query} shows {shown:?}, and no {value} as {name}");
        tokio::time::sleep(PAUSE).await;
    }
}
