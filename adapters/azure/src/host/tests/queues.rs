use axum::http::StatusCode;
use serde_json::{Value, json};

use super::scene::Scene;

/// What the queue brings of `text`, taken from it for the time `count`.
fn message(text: &str, count: u32) -> Value {
    let golden = include_str!("golden/queue-trigger.json");
    let mut invocation: Value = serde_json::from_str(golden).unwrap();
    invocation["Data"]["message"] = Value::String(text.to_owned()).to_string().into();
    invocation["Metadata"]["DequeueCount"] = count.to_string().into();
    invocation
}

/// A command to the account `ada` of `category`.
fn queued(category: &str, id: &str, command: Value) -> String {
    let request = json!({ "stream": "ada", "id": id, "command": command });
    json!({ "category": category, "request": request }).to_string()
}

fn open() -> Value {
    json!({ "Open": { "owner": "Ada" } })
}

#[tokio::test]
async fn a_queued_command_runs_once_however_often_it_comes() {
    let scene = Scene::new();
    let golden = serde_json::from_str(include_str!("golden/queue-trigger.json")).unwrap();
    let refused = message(&queued("account", "c-2", json!({ "Withdraw": { "cents": 5 } })), 1);
    for _ in 0..2 {
        assert!(scene.fire("commands", &golden).await);
        assert!(scene.fire("commands", &refused).await, "a refusal is an outcome");
    }
    assert_eq!(scene.commits().await.len(), 1);
    assert_eq!(scene.messages.closed.lock().unwrap().len(), 4);
}

#[tokio::test]
async fn a_message_whose_command_was_done_is_done() {
    let scene = Scene::new();
    let text = queued("account", "c-1", open());
    scene.messages.done.lock().unwrap().push(text.clone());
    for function in ["commands", "poison"] {
        assert!(scene.fire(function, &message(&text, 9)).await, "{function}");
    }
    assert_eq!((scene.commits().await.len(), scene.letters().await), (0, 0));
}

#[tokio::test]
async fn a_command_that_nobody_takes_becomes_a_dead_letter() {
    let scene = Scene::new();
    assert!(scene.fire("commands", &message(&queued("gate", "c-1", open()), 5)).await);
    assert_eq!(scene.letters().await, 1);
}

#[tokio::test]
async fn what_cannot_be_read_stays_in_the_queue() {
    let scene = Scene::new();
    for text in ["", "hello", "{}", "[1]"] {
        for function in ["commands", "poison"] {
            assert!(!scene.fire(function, &message(text, 9)).await, "{function}: {text}");
        }
    }
    assert_eq!(scene.letters().await, 0);
    assert!(scene.messages.closed.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_command_that_the_queue_has_set_aside_becomes_a_dead_letter_once() {
    let scene = Scene::new();
    for count in 1..3 {
        let set_aside = message(&queued("account", "c-1", open()), count);
        assert!(scene.fire("poison", &set_aside).await);
    }
    assert_eq!(scene.letters().await, 1);
    assert!(scene.commits().await.is_empty(), "it is for people to decide");
    assert_eq!(scene.messages.closed.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn requests_are_answered_beside_the_triggers() {
    let scene = Scene::new();
    let (status, _) = scene.ask("POST", "/account/ada/open", r#"{"owner":"Ada"}"#).await;
    assert_eq!(status, StatusCode::OK);
    for (method, path) in [("GET", "/balances/nobody"), ("GET", "/commands"), ("POST", "/nothing")]
    {
        let (status, problem) = scene.ask(method, path, "{}").await;
        assert_eq!((status, &problem["status"]), (StatusCode::NOT_FOUND, &json!(404)), "{path}");
    }
}
