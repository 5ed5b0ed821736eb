//! States of streams, and health.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;
use skyfold::ports::{EventFeed, FeedPage, FeedQuery, Position};
use skyfold::{Error, ErrorKind, RecordedCommit, Result};
use skyfold_http::Options;
use skyfold_memory::{Memory, VirtualClock};

use crate::app::app;
use crate::client::Bench;

#[tokio::test]
async fn a_state_is_shown_as_of_now_a_version_or_a_time() {
    let bench = Bench::new();
    bench.open("42", "Ada").await;
    bench.post("/account/42/deposit", r#"{"cents":5}"#).await;
    let now = bench.get("/account/42").await;
    let state = now.json();
    assert_eq!(state["stream"], "account-42");
    assert_eq!(state["state"], json!({ "owner": "Ada", "cents": 5 }));
    assert_eq!(now.header("etag"), "\"2\"");
    let first = bench.get("/account/42?at=1").await;
    assert_eq!(first.json()["state"]["cents"], 0);
    let time = first.json()["time"].as_str().unwrap().to_owned();
    let as_of = bench.get(&format!("/account/42?at={time}")).await.json();
    assert!(as_of["version"].as_u64().unwrap() >= 1, "{as_of}");
    assert_eq!(bench.get("/account/42?at=0").await.json()["version"], 0);
}

#[tokio::test]
async fn a_state_that_never_was_is_not_found() {
    let bench = Bench::new();
    bench.open("42", "Ada").await;
    for (path, detail) in [
        ("/account/42?at=2", "account-42 has only reached version 1, not 2"),
        ("/account/42?at=18446744073709551615", "only reached version 1, not 18446744073709551615"),
        ("/account/42?at=1999-12-31T23:59:59Z", "account-42 had no events at that time"),
        ("/account/43", "account-43 has no events"),
    ] {
        let told = bench.get(path).await.detail(404, "not-found");
        assert!(told.ends_with(detail), "{told}");
    }
}

#[tokio::test]
async fn a_state_that_the_caller_knows_is_not_sent_again() {
    let bench = Bench::new();
    bench.open("42", "Ada").await;
    let tag = bench.get("/account/42").await.header("etag").to_owned();
    let known = bench.get_with("/account/42", &[("if-none-match", &tag)]).await;
    assert_eq!((known.status, known.body.as_str()), (304, ""));
    assert_eq!(known.header("etag"), tag);
    bench.post("/account/42/deposit", r#"{"cents":5}"#).await;
    let changed = bench.get_with("/account/42", &[("if-none-match", &tag)]).await;
    assert_eq!(changed.status, 200);
}

#[tokio::test]
async fn health_says_whether_the_views_keep_up_with_the_store() {
    let clock = VirtualClock::new();
    let memory = Memory::with_clock(clock.clone());
    let runtime = app().bind(memory.ports()).unwrap();
    let bench = Bench::of(memory, runtime, Options::default());
    bench.post("/account/42/open", r#"{"owner":"Ada"}"#).await;
    let young = bench.get("/health").await;
    assert_eq!((young.status, &young.json()["healthy"]), (200, &json!(true)));
    assert_eq!(young.json()["consumers"][0]["behind"], 1);
    clock.advance(std::time::Duration::from_secs(120));
    let behind = bench.get("/health").await;
    assert_eq!((behind.status, &behind.json()["healthy"]), (503, &json!(false)));
    assert_eq!(behind.json()["head"], "account-42@1");
    bench.settle().await;
    let healthy = bench.get("/health").await;
    assert_eq!((healthy.status, &healthy.json()["healthy"]), (200, &json!(true)));
    assert_eq!(healthy.header("cache-control"), "no-store");
}

#[tokio::test]
async fn an_app_whose_store_fails_is_not_healthy() {
    let memory = Memory::new();
    let mut ports = memory.ports();
    ports.feed = Arc::new(Denied);
    let runtime = app().bind(ports).unwrap();
    let bench = Bench::of(memory, runtime, Options::default());
    assert_eq!(bench.get("/health").await.detail(503, "unavailable"), "no access to the store");
}

/// A feed that is not to be read.
#[derive(Debug)]
struct Denied;

#[async_trait]
impl EventFeed for Denied {
    fn slices(&self) -> u16 {
        1
    }

    async fn read(&self, _: u16, _: &FeedQuery, _: Option<&Position>) -> Result<FeedPage> {
        Err(Error::new(ErrorKind::Denied, "no access to the store"))
    }

    async fn latest(&self, _: usize) -> Result<Vec<RecordedCommit>> {
        Err(Error::new(ErrorKind::Denied, "no access to the store"))
    }
}
