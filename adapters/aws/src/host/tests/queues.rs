use serde_json::{Value, json};
use skyfold::CloudEvent;

use super::app::Scene;

/// The documented call with these bodies, each received so often.
fn call(bodies: &[(String, u32)]) -> Value {
    let mut call: Value = serde_json::from_str(include_str!("golden/queue.json")).unwrap();
    let one = call["Records"][0].clone();
    let message = |(nth, (body, receives)): (usize, &(String, u32))| {
        let mut message = one.clone();
        message["messageId"] = format!("m-{nth}").into();
        message["body"] = body.clone().into();
        message["attributes"]["ApproximateReceiveCount"] = receives.to_string().into();
        message
    };
    call["Records"] = bodies.iter().enumerate().map(message).collect();
    call
}

/// Every event of the front door, as the bus puts it into a queue.
async fn deliveries(scene: &Scene) -> Vec<String> {
    let commits = scene.commits().await;
    let events = commits.iter().flat_map(|commit| commit.events());
    let delivery = |event| {
        let mut delivery: Value = serde_json::from_str(include_str!("golden/bus.json")).unwrap();
        delivery["detail"] = serde_json::to_value(CloudEvent::new("example", &event)).unwrap();
        delivery.to_string()
    };
    events.map(delivery).collect()
}

fn again(ids: &[&str]) -> Value {
    let ids: Vec<_> = ids.iter().map(|id| json!({ "itemIdentifier": id })).collect();
    json!({ "batchItemFailures": ids })
}

/// A command in the queue.
fn queued(id: &str, by: &str) -> String {
    let request = json!({ "stream": "front", "id": id, "command": { "Open": { "by": by } } });
    json!({ "category": "door", "request": request }).to_string()
}

/// What the view of the front door shows.
async fn visitors(scene: &Scene) -> Value {
    let mut request: Value = serde_json::from_str(include_str!("golden/http.json")).unwrap();
    request["rawPath"] = "/visitors/front".into();
    request["requestContext"]["http"]["method"] = "GET".into();
    request["body"] = Value::Null;
    let answer = scene.call("visitors", &request).await.unwrap();
    serde_json::from_str(answer["body"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn a_view_shows_what_its_queue_brings_in_any_order() {
    let scene = Scene::new();
    scene.open("c-1", "Ada").await.unwrap();
    scene.open("c-2", "Grace").await.unwrap();
    let mut bodies = deliveries(&scene).await;
    bodies.reverse();
    let bodies: Vec<_> = bodies.into_iter().map(|body| (body, 1)).collect();
    for _ in 0..2 {
        assert_eq!(scene.call("visitors", &call(&bodies)).await.unwrap(), again(&[]));
    }
    assert_eq!(visitors(&scene).await, json!(["Ada", "Grace"]));
}

#[tokio::test]
async fn only_what_was_not_handled_comes_again() {
    let scene = Scene::new();
    scene.open("c-1", "Ada").await.unwrap();
    let mut bodies = vec![("no JSON".to_owned(), 1)];
    bodies.extend(deliveries(&scene).await.into_iter().map(|body| (body, 1)));
    bodies.push((queued("c-9", "Ada"), 1));
    let answer = scene.call("visitors", &call(&bodies)).await.unwrap();
    assert_eq!(answer, again(&["m-0", "m-2"]));
    assert_eq!(visitors(&scene).await, json!(["Ada"]));
}

#[tokio::test]
async fn what_fails_too_often_becomes_a_dead_letter() {
    for (receives, failed) in [(29, &["m-0"][..]), (30, &[])] {
        let scene = Scene::new();
        scene.open("c-1", "Ada").await.unwrap();
        let bodies: Vec<_> = deliveries(&scene).await.into_iter().map(|b| (b, receives)).collect();
        // Of the batch, and of the event by itself.
        *scene.documents.failures.lock().unwrap() = 2;
        let answer = scene.call("visitors", &call(&bodies)).await.unwrap();
        assert_eq!(answer, again(failed));
        let letters = scene.runtime.dead_letters().list(&Default::default()).await.unwrap();
        assert_eq!(letters.items.len(), usize::from(failed.is_empty()));
    }
}

#[tokio::test]
async fn a_queued_command_runs_once_however_often_it_comes() {
    let scene = Scene::new();
    let bodies = [(queued("c-1", "Ada"), 1), (queued("c-2", ""), 1), ("{}".to_owned(), 3)];
    for _ in 0..2 {
        let answer = scene.call("commands", &call(&bodies)).await.unwrap();
        assert_eq!(answer, again(&["m-2"]), "a refusal is an outcome");
    }
    assert_eq!(scene.commits().await.len(), 1);
}

#[tokio::test]
async fn a_queued_command_that_nobody_takes_becomes_a_dead_letter() {
    let scene = Scene::new();
    let body = queued("c-1", "Ada").replace("door", "gate");
    assert_eq!(scene.call("commands", &call(&[(body, 1)])).await.unwrap(), again(&[]));
    let letters = scene.runtime.dead_letters().list(&Default::default()).await.unwrap();
    assert_eq!(letters.items.len(), 1);
}
