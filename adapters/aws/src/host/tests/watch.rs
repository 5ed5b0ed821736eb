//! How state machines learn of transactions, and of their ends.

use serde_json::{Value, json};
use skyfold::{Announced, RecordedCommit, Trigger};

use super::app::Scene;

/// A scene in which the front door was opened so often, as the saga has heard.
async fn scene(times: usize) -> Scene {
    let scene = Scene::new();
    for nth in 0..times {
        scene.open(&nth.to_string(), "Ada").await.unwrap();
    }
    let commits = scene.commits().await;
    let news = commits.iter().flat_map(RecordedCommit::events).map(Announced::Event).collect();
    scene.runtime.invoke("visit", Trigger::Events(news)).await.unwrap();
    scene
}

async fn look(scene: &Scene, function: &str, transaction: &str) -> Result<Value, String> {
    let asked = json!({ "transaction": transaction });
    scene.call(function, &asked).await.map_err(|failure| failure.error_type)
}

#[tokio::test]
async fn a_transaction_is_seen_as_it_is_and_nothing_of_its_state() {
    for (times, has_ended) in [(1, false), (2, true)] {
        let scene = scene(times).await;
        let seen = look(&scene, "visit", "saga.visit-front").await.unwrap();
        let expected = json!({ "hasEnded": has_ended, "version": times, "waitSeconds": 5 });
        assert_eq!(seen, expected);
        assert_eq!(look(&scene, "visit", "saga.visit-front").await.unwrap(), seen);
    }
}

#[tokio::test]
async fn who_asks_for_another_transaction_is_told() {
    let scene = scene(1).await;
    for (function, transaction, error) in [
        ("visit", "saga.visit-back", "Skyfold.not-found"),
        ("visit", "saga.visits-front", "Skyfold.invalid"),
        ("visit", "door-front", "Skyfold.invalid"),
        ("visit", "front", "Skyfold.invalid"),
        ("door", "saga.visit-front", "Skyfold.invalid"),
        ("api", "saga.visit-front", "Skyfold.invalid"),
    ] {
        let told = look(&scene, function, transaction).await.unwrap_err();
        assert_eq!(told, error, "{function} {transaction}");
    }
}

/// The call that tells of what is recorded of the visit.
async fn call(scene: &Scene) -> Value {
    let commits = scene.commits_of("saga.visit-front").await;
    let record = |(nth, RecordedCommit { stream, first, commit }): (usize, &RecordedCommit)| {
        let body = serde_json::to_string(commit).unwrap();
        json!({
            "eventName": "INSERT",
            "eventSource": "aws:dynamodb",
            "dynamodb": { "SequenceNumber": nth.to_string(), "NewImage": {
                "PK": { "S": stream },
                "SK": { "S": format!("{:020}", first.0) },
                "B": { "S": body },
            } },
        })
    };
    json!({ "Records": commits.iter().enumerate().map(record).collect::<Value>() })
}

#[tokio::test]
async fn a_relay_that_is_asked_to_announces_that_a_transaction_has_begun_and_no_more() {
    let scene = scene(2).await;
    let call = call(&scene).await;
    assert_eq!(call["Records"].as_array().unwrap().len(), 2);
    let done = json!({ "batchItemFailures": [] });
    assert_eq!(scene.call("relay", &call).await.unwrap(), done);
    assert!(scene.bus.announced.lock().unwrap().is_empty(), "nobody has asked for it");
    let relay = scene.lambda("relay").announcing_transactions();
    assert_eq!(scene.answer(relay, &call).await.unwrap(), done);
    assert_eq!(*scene.bus.announced.lock().unwrap(), ["saga.visit-front@1"]);
}

#[tokio::test]
async fn a_beginning_that_could_not_be_announced_comes_again() {
    let scene = scene(2).await;
    scene.bus.refused.lock().unwrap().insert("saga.visit-front@1".into());
    let relay = scene.lambda("relay").announcing_transactions();
    let answer = scene.answer(relay, &call(&scene).await).await.unwrap();
    assert_eq!(answer["batchItemFailures"], json!([{ "itemIdentifier": "0" }]));
}
