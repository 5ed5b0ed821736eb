//! State machines that watch transactions.

use std::time::{Duration, Instant};

use libtest_mimic::Failed;
use serde_json::{Value, json};
use skyfold::{CommandId, CommandRequest, Metadata, Payload, Runtime, Trigger};

use crate::installation::Installation;

/// How long a transaction and whoever watches it may take, on a busy machine.
const END_MAX: Duration = Duration::from_secs(180);

/// How long to wait before something is looked for again.
const PAUSE: Duration = Duration::from_millis(300);

/// The product that is sold, and the order.
const ORDER: &str = "watched";

/// Whom the executions depend on.
const VICTIMS: [&str; 2] = ["fulfilment", "relay"];

fn ask(aws: &Installation, action: &str, body: &Value) -> Value {
    aws.ministack.target("states", &format!("AWSStepFunctions.{action}"), body)
}

/// What each execution was started with, how it is, and why.
fn executions(aws: &Installation) -> Vec<(Value, String, Value)> {
    let listed = ask(aws, "ListExecutions", &json!({ "stateMachineArn": aws.machine }));
    let executions = listed["executions"].as_array().unwrap().iter();
    let described = executions.map(|execution| {
        let asked = json!({ "executionArn": execution["executionArn"] });
        let told = ask(aws, "DescribeExecution", &asked);
        let input = serde_json::from_str(told["input"].as_str().unwrap()).unwrap();
        (input, told["status"].as_str().unwrap().to_owned(), told["error"].clone())
    });
    described.collect()
}

/// How the executions that watch `transaction` have ended, once all of at least `count` have.
fn ended(aws: &Installation, transaction: &str, count: usize) -> Vec<(String, Value)> {
    let (watching, start) = (json!({ "transaction": transaction }), Instant::now());
    loop {
        let mut found = executions(aws);
        found.retain(|(input, ..)| *input == watching);
        let is_over =
            found.len() >= count && found.iter().all(|(_, status, _)| status != "RUNNING");
        if is_over {
            return found.into_iter().map(|(_, status, error)| (status, error)).collect();
        }
        assert!(start.elapsed() < END_MAX, "{transaction} is watched by {found:?}");
        std::thread::sleep(PAUSE);
    }
}

fn watch(aws: &Installation, transaction: &str) {
    let input = json!({ "transaction": transaction }).to_string();
    ask(aws, "StartExecution", &json!({ "stateMachineArn": aws.machine, "input": input }));
}

async fn give(runtime: &Runtime, category: &str, command: Value) {
    let request = CommandRequest {
        stream: ORDER.parse().unwrap(),
        id: CommandId::fresh(runtime.now()),
        command: Payload::encode(&command).unwrap(),
        expected: None,
        metadata: Metadata::default(),
    };
    runtime.invoke(category, Trigger::Command(request)).await.unwrap();
}

pub(crate) fn ends(aws: &Installation) -> Result<(), Failed> {
    let runtime = aws.runtime();
    aws.tokio.block_on(async {
        give(&runtime, "stock", json!({ "Receive": { "quantity": 3, "reason": "delivery" } }))
            .await;
        let line = json!({ "product": ORDER, "quantity": 2, "unitPrice": "1.50" });
        let place = json!({ "currency": "GBP", "lines": [line], "on": "2001-01-01" });
        give(&runtime, "order", json!({ "Place": place })).await;
    });
    for victim in VICTIMS.into_iter().cycle().take(8) {
        aws.kill(victim);
        std::thread::sleep(PAUSE);
    }
    let transaction = format!("saga.fulfilment-{ORDER}");
    let seen = ended(aws, &transaction, 1);
    assert!(seen.iter().all(|(status, _)| status == "SUCCEEDED"), "{seen:?}");
    let id = ORDER.parse().unwrap();
    let instance = aws.tokio.block_on(runtime.sagas().show("fulfilment", &id)).unwrap();
    assert!(instance.has_ended, "{instance:?}");

    // As an announcement that comes twice.
    watch(aws, &transaction);
    let again = ended(aws, &transaction, seen.len() + 1);
    assert!(again.iter().all(|(status, _)| status == "SUCCEEDED"), "{again:?}");
    Ok(())
}

pub(crate) fn fails(aws: &Installation) -> Result<(), Failed> {
    for (transaction, error) in
        [("saga.fulfilment-nobody", "Skyfold.not-found"), ("saga.payment-1", "Skyfold.invalid")]
    {
        watch(aws, transaction);
        assert_eq!(ended(aws, transaction, 1), [("FAILED".to_owned(), json!(error))]);
    }
    Ok(())
}
