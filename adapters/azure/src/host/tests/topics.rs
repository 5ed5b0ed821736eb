use std::time::Duration;

use serde_json::{Value, json};
use skyfold::{CloudEvent, RecordedCommit};

use super::scene::Scene;

/// What Event Grid brings of `event`.
fn delivery(event: &Value) -> Value {
    let golden = include_str!("golden/event-grid-trigger.json");
    let mut invocation: Value = serde_json::from_str(golden).unwrap();
    invocation["Data"]["event"] = event.clone();
    invocation
}

/// The documented invocation, with the commits of `scene` in their places.
async fn changes(scene: &Scene) -> Value {
    let golden = include_str!("golden/cosmos-db-trigger.json");
    let mut invocation: Value = serde_json::from_str(golden).unwrap();
    let text: String =
        serde_json::from_str(invocation["Data"]["documents"].as_str().unwrap()).unwrap();
    let documents: Vec<Value> = serde_json::from_str(&text).unwrap();
    let document = |commit: RecordedCommit| {
        let mut document = documents[0].clone();
        document["id"] = format!("{:020}", commit.first.0).into();
        document["b"] = serde_json::to_string(&commit.commit).unwrap().into();
        document
    };
    let documents: Value = scene.commits().await.into_iter().map(document).collect();
    set(&mut invocation, &documents);
    invocation
}

/// Has the change feed bring `documents`: an array, which is encoded twice.
fn set(invocation: &mut Value, documents: &Value) {
    let text = Value::String(documents.to_string()).to_string();
    invocation["Data"]["documents"] = text.into();
}

/// An account with an owner and 5 cents.
async fn scene() -> Scene {
    let scene = Scene::new();
    scene.give("c-1", json!({ "Open": { "owner": "Ada" } })).await;
    scene.give("c-2", json!({ "Deposit": { "cents": 5 } })).await;
    scene
}

async fn announced(scene: &Scene) -> Vec<String> {
    scene.bus.announced.lock().unwrap().iter().map(|event| event.id.to_string()).collect()
}

/// What is shown of the account.
async fn shown(scene: &Scene) -> Value {
    let (_, shown) = scene.ask("GET", "/balances/ada", "").await;
    json!([shown["owner"], shown["cents"]])
}

#[tokio::test]
async fn what_the_change_feed_brings_is_announced() {
    let scene = scene().await;
    assert!(scene.fire("relay", &changes(&scene).await).await);
    assert_eq!(announced(&scene).await, ["account-ada@1", "account-ada@2"]);
}

#[tokio::test]
async fn what_cannot_be_announced_is_brought_again() {
    let scene = scene().await;
    *scene.bus.is_closed.lock().unwrap() = true;
    assert!(!scene.fire("relay", &changes(&scene).await).await);
    *scene.bus.is_closed.lock().unwrap() = false;
    assert!(scene.fire("relay", &changes(&scene).await).await);
    assert_eq!(announced(&scene).await.len(), 2);
}

#[tokio::test]
async fn an_item_that_cannot_be_read_is_announced_by_reference_and_keeps_back_no_other() {
    let scene = scene().await;
    let mut invocation = changes(&scene).await;
    let text: String =
        serde_json::from_str(invocation["Data"]["documents"].as_str().unwrap()).unwrap();
    let mut documents: Vec<Value> = serde_json::from_str(&text).unwrap();
    for body in [json!("{"), json!(7), Value::Null] {
        documents[0]["b"] = body;
        set(&mut invocation, &json!(documents));
        *scene.bus.is_closed.lock().unwrap() = true;
        assert!(!scene.fire("relay", &invocation).await, "not before it is announced");
        *scene.bus.is_closed.lock().unwrap() = false;
        assert!(scene.fire("relay", &invocation).await);
        let announced = std::mem::take(&mut *scene.bus.announced.lock().unwrap());
        let announced: Vec<_> =
            announced.iter().map(|event| (event.id.to_string(), event.data.is_some())).collect();
        assert_eq!(announced, [("account-ada@2".into(), true), ("account-ada@1".into(), false)]);
    }
}

#[tokio::test]
async fn an_item_of_no_stream_is_passed_over_and_what_is_no_item_comes_again() {
    let scene = scene().await;
    let mut invocation = changes(&scene).await;
    for of_no_stream in [json!({ "id": "1" }), json!({ "id": "x", "s": "account-ada", "b": "" })] {
        set(&mut invocation, &json!([of_no_stream]));
        assert!(scene.fire("relay", &invocation).await, "nobody misses it: {of_no_stream}");
    }
    for foreign in [json!(7), json!({ "s": "account-ada", "b": "" })] {
        set(&mut invocation, &json!([foreign]));
        assert!(!scene.fire("relay", &invocation).await, "who knows what it stands for: {foreign}");
    }
    assert!(announced(&scene).await.is_empty());
}

#[tokio::test]
async fn a_view_shows_what_event_grid_brings_in_any_order_and_form() {
    let scene = scene().await;
    assert!(scene.fire("relay", &changes(&scene).await).await);
    let events: Vec<CloudEvent> = scene.bus.announced.lock().unwrap().clone();
    let mut events: Vec<_> = events.iter().map(|e| serde_json::to_value(e).unwrap()).collect();
    events.reverse();
    let text = Value::String(events[1].to_string()).to_string();
    for form in [events[0].clone(), text.into(), events.into()] {
        assert!(scene.fire("balances", &delivery(&form)).await);
    }
    assert_eq!(shown(&scene).await, json!(["Ada", 5]));
}

#[tokio::test]
async fn what_event_grid_says_of_an_event_is_not_believed() {
    let scene = scene().await;
    let golden = include_str!("golden/event-grid-trigger.json");
    let mut invocation: Value = serde_json::from_str(golden).unwrap();
    invocation["Data"]["event"]["data"]["Opened"]["owner"] = "Mallory".into();
    assert!(scene.fire("balances", &invocation).await);
    assert_eq!(shown(&scene).await[0], "Ada");
}

#[tokio::test]
async fn an_event_that_cannot_be_read_or_is_not_there_comes_again() {
    let scene = scene().await;
    for event in [json!({}), json!({ "id": "nonsense" }), json!("nonsense")] {
        assert!(!scene.fire("balances", &delivery(&event)).await, "{event}");
    }
    assert!(!scene.fire("balances", &json!({ "Data": {} })).await);
    assert!(!scene.fire("balances", &json!([])).await);
}

#[tokio::test]
async fn the_sweep_announces_what_no_change_feed_has_brought() {
    let scene = scene().await;
    let timer: Value = serde_json::from_str(include_str!("golden/timer-trigger.json")).unwrap();
    scene.clock.advance(Duration::from_secs(3600));
    assert!(scene.fire("sweep", &timer).await);
    assert_eq!(announced(&scene).await, ["account-ada@2"], "the stream, once");
}
