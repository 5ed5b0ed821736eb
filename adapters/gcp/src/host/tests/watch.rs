//! How workflows learn how a transaction is getting on.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};
use skyfold::{Announced, RecordedCommit, Trigger};

use super::scene::{Scene, sent};

/// What the service `name` tells of a `transaction`.
async fn look(scene: &Scene, name: &str, transaction: &str) -> (StatusCode, Value) {
    let body = json!({ "transaction": transaction }).to_string();
    let request = Request::post("/deliveries/watch").header("content-type", "application/json");
    sent(&scene.service(name), request.body(Body::from(body)).unwrap()).await
}

/// A scene in which a transfer has begun, as the saga has heard.
async fn scene() -> Scene {
    let scene = Scene::new();
    scene.deposit("a").await;
    let request = Request::post("/account/1/send").header("content-type", "application/json");
    let send = json!({ "transfer": "t", "to": "2", "cents": 5 });
    let request = request.header("idempotency-key", "b").body(Body::from(send.to_string()));
    let (status, answer) = sent(&scene.service("account"), request.unwrap()).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let commits = scene.commits().await;
    let news = commits.iter().flat_map(RecordedCommit::events).map(Announced::Event).collect();
    scene.runtime.invoke("transfer", Trigger::Events(news)).await.unwrap();
    scene
}

#[tokio::test]
async fn a_transaction_is_seen_as_it_is_and_nothing_of_its_state() {
    let scene = scene().await;
    let (status, seen) = look(&scene, "transfer", "saga.transfer-t").await;
    let expected = json!({ "hasEnded": false, "version": 1, "waitSeconds": 5 });
    assert_eq!((status, seen), (StatusCode::OK, expected));
}

#[tokio::test]
async fn who_asks_for_another_transaction_is_told() {
    let scene = scene().await;
    for transaction in ["account-1", "saga.transfers-t", "t"] {
        let (status, _) = look(&scene, "transfer", transaction).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{transaction}");
    }
    let (status, problem) = look(&scene, "transfer", "saga.transfer-u").await;
    assert_ne!(status, StatusCode::OK, "{problem}");
    for other in ["balances", "commands", "sweep", "relay"] {
        let (status, _) = look(&scene, other, "saga.transfer-t").await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{other} watches nothing");
    }
}
