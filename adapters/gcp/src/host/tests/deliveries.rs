use std::sync::atomic::Ordering;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use googleapis_tonic_google_firestore_v1::google::firestore::v1::Document;
use prost::Message as _;
use serde_json::{Value, json};
use skyfold::RecordedCommit;
use skyfold_http::Options;

use super::scene::{Scene, post, push, sent};
use crate::eventarc::{CREATED, DocumentEventData};
use crate::events::{commit_path, of_commit};
use crate::host::{Callers, service};

const TAKEN: StatusCode = StatusCode::NO_CONTENT;
const AGAIN: StatusCode = StatusCode::SERVICE_UNAVAILABLE;

/// `commit`, as Eventarc brings it.
fn eventarc(commit: &RecordedCommit) -> Request<Body> {
    let body = serde_json::to_string(&commit.commit).unwrap();
    let fields = of_commit(commit.first, body, String::new());
    let path = commit_path(&commit.stream, commit.first);
    let name = format!("projects/p/databases/(default)/documents/{path}");
    let value = Some(Document { name, fields, ..Default::default() });
    let body = DocumentEventData { value }.encode_to_vec();
    let request = Request::post("/deliveries/commits").header("ce-type", CREATED);
    request.header("content-type", "application/protobuf").body(Body::from(body)).unwrap()
}

fn queued(id: &str, cents: u32) -> Value {
    let request = json!({ "stream": "1", "id": id, "command": { "Deposit": { "cents": cents } } });
    json!({ "category": "account", "request": request })
}

/// The command as Cloud Tasks delivers it, tried so often before.
async fn task(scene: &Scene, command: &Value, retries: u32) -> StatusCode {
    let request = Request::post("/deliveries/commands")
        .header("content-type", "application/json")
        .header("x-cloudtasks-queuename", "order")
        .header("x-cloudtasks-taskname", "7183412")
        .header("x-cloudtasks-taskretrycount", retries.to_string())
        .body(Body::from(command.to_string()));
    sent(&scene.service("commands"), request.unwrap()).await.0
}

#[tokio::test]
async fn a_view_shows_what_its_subscription_brings_in_any_order_and_however_often() {
    let scene = Scene::new();
    scene.deposit("a").await;
    scene.deposit("b").await;
    let mut pushes = scene.pushes(1).await;
    pushes.reverse();
    pushes.extend(scene.pushes(2).await);
    for push in &pushes {
        assert_eq!(post(&scene.service("balances"), "/deliveries/events", push).await, TAKEN);
    }
    let (status, shown) = scene.balance().await;
    assert_eq!((status, shown["cents"].as_u64()), (StatusCode::OK, Some(10)), "{shown}");
}

#[tokio::test]
async fn the_relay_announces_the_commits_that_eventarc_brings() {
    let scene = Scene::new();
    scene.deposit("a").await;
    let commit = scene.commits().await.remove(0);
    let relay = scene.service("relay");
    scene.bus.is_down.store(true, Ordering::Relaxed);
    assert_eq!(sent(&relay, eventarc(&commit)).await.0, AGAIN);
    scene.bus.is_down.store(false, Ordering::Relaxed);
    assert_eq!(sent(&relay, eventarc(&commit)).await.0, TAKEN);
    let first = commit.events().next().unwrap().id();
    assert_eq!(*scene.bus.announced.lock().unwrap(), [first]);
    let mut other = eventarc(&commit);
    let deleted = "google.cloud.firestore.document.v1.deleted".parse().unwrap();
    other.headers_mut().insert("ce-type", deleted);
    assert_eq!(sent(&relay, other).await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_commit_that_cannot_be_read_is_announced_by_reference() {
    let scene = Scene::new();
    scene.deposit("a").await;
    let commit = scene.commits().await.remove(0);
    let (relay, name) = (scene.service("relay"), commit_path(&commit.stream, commit.first));
    let brought = || {
        let name = format!("projects/p/databases/(default)/documents/{name}");
        let value = Some(Document { name, ..Default::default() });
        let body = DocumentEventData { value }.encode_to_vec();
        let request = Request::post("/deliveries/commits").header("ce-type", CREATED);
        request.header("content-type", "application/protobuf").body(Body::from(body)).unwrap()
    };
    scene.bus.is_down.store(true, Ordering::Relaxed);
    assert_eq!(sent(&relay, brought()).await.0, AGAIN);
    scene.bus.is_down.store(false, Ordering::Relaxed);
    assert_eq!(sent(&relay, brought()).await.0, TAKEN);
    let first = commit.events().next().unwrap().id();
    assert_eq!(*scene.bus.announced.lock().unwrap(), [first]);
}

#[tokio::test]
async fn a_command_runs_once_whether_a_task_or_a_message_brings_it_and_however_often() {
    let scene = Scene::new();
    assert_eq!(task(&scene, &queued("a", 5), 0).await, TAKEN);
    assert_eq!(task(&scene, &queued("a", 5), 1).await, TAKEN);
    let commands = scene.service("commands");
    for command in [queued("a", 5), queued("b", 7)] {
        assert_eq!(post(&commands, "/deliveries/commands", &push(&command, 1)).await, TAKEN);
    }
    assert_eq!(scene.commits().await.len(), 2);
}

#[tokio::test]
async fn what_cannot_be_read_comes_again_until_it_is_set_aside_by_what_delivers_it() {
    let scene = Scene::new();
    let (balances, commands) = (scene.service("balances"), scene.service("commands"));
    for body in [json!({}), json!([]), json!({ "message": { "messageId": 7 } })] {
        let status = post(&balances, "/deliveries/events", &body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body}");
    }
    let unreadable = push(&json!({ "no": "event" }), 100);
    assert_eq!(post(&balances, "/deliveries/events", &unreadable).await, AGAIN);
    let status = post(&commands, "/deliveries/commands", &unreadable).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(task(&scene, &json!({ "no": "command" }), 3).await, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_command_for_nobody_is_a_dead_letter_and_comes_no_more() {
    let scene = Scene::new();
    let mut command = queued("a", 5);
    command["category"] = "nobody".into();
    assert_eq!(scene.letters().await, 0);
    assert_eq!(task(&scene, &command, 0).await, TAKEN);
    assert_eq!(scene.letters().await, 1);
}

#[tokio::test]
async fn an_event_that_fails_too_often_is_a_dead_letter_if_its_attempts_are_counted() {
    for (attempt, status, letters) in [(None, AGAIN, 0), (Some(29), AGAIN, 0), (Some(30), TAKEN, 1)]
    {
        let scene = Scene::new();
        scene.deposit("a").await;
        let mut push = scene.pushes(attempt.unwrap_or_default()).await.remove(0);
        if attempt.is_none() {
            push.as_object_mut().unwrap().remove("deliveryAttempt");
        }
        // Of the batch, and of the event by itself.
        scene.fail(2);
        let answer = post(&scene.service("balances"), "/deliveries/events", &push).await;
        assert_eq!((answer, scene.letters().await), (status, letters), "{attempt:?}");
    }
}

#[tokio::test]
async fn a_command_that_fails_too_often_is_a_dead_letter_if_its_attempts_are_counted() {
    // A task tells how often it was tried before.
    for (retries, status, letters) in [(28, AGAIN, 0), (29, TAKEN, 1)] {
        let scene = Scene::new();
        scene.fail(1);
        let answer = task(&scene, &queued("a", 5), retries).await;
        assert_eq!((answer, scene.letters().await), (status, letters), "{retries}");
    }
    for (attempt, status, letters) in [(29, AGAIN, 0), (30, TAKEN, 1)] {
        let scene = Scene::new();
        scene.fail(1);
        let push = push(&queued("a", 5), attempt);
        let answer = post(&scene.service("commands"), "/deliveries/commands", &push).await;
        assert_eq!((answer, scene.letters().await), (status, letters), "{attempt}");
    }
}

#[tokio::test]
async fn the_sweep_tells_what_it_has_found() {
    let scene = Scene::new();
    scene.deposit("a").await;
    let request = Request::post("/deliveries/sweep").body(Body::empty()).unwrap();
    let (status, swept) = sent(&scene.service("sweep"), request).await;
    // What was recorded a moment ago may still be on its way.
    assert_eq!((status, swept["announced"].as_u64()), (StatusCode::OK, Some(0)), "{swept}");
}

#[tokio::test]
async fn a_function_takes_its_own_deliveries_and_no_others() {
    let scene = Scene::new();
    scene.deposit("a").await;
    let push = scene.pushes(1).await.remove(0);
    let paths = ["events", "commits", "commands", "sweep"];
    let own = [
        ("balances", "events"),
        ("transfer", "events"),
        ("relay", "commits"),
        ("commands", "commands"),
        ("sweep", "sweep"),
        ("api", ""),
        ("account", ""),
    ];
    for (name, own) in own {
        let service = scene.service(name);
        for other in paths.into_iter().filter(|path| *path != own) {
            let status = post(&service, &format!("/deliveries/{other}"), &push).await;
            assert!(status.is_client_error(), "{name} takes {other}: {status}");
        }
        let request = Request::get("/balances/1").body(Body::empty()).unwrap();
        let is_asked = sent(&service, request).await.1["detail"].is_string();
        assert_eq!(is_asked, own.is_empty(), "{name} answers over HTTP, or does not");
    }
    let runtime = scene.runtime.clone();
    let nobody = service(runtime, "nobody", Options::default(), Callers::anybody());
    assert!(nobody.unwrap_err().message().contains("balances"));
}
