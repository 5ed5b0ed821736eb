//! Commands: receipts, ids, preconditions.

use serde_json::json;

use crate::client::Bench;

#[tokio::test]
async fn a_command_is_answered_with_its_receipt() {
    let bench = Bench::new();
    let answer = bench.post("/account/42/open", r#"{"owner":"Ada"}"#).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let receipt = json!({
        "stream": "account-42", "version": 1, "events": ["account-42@1"], "replayed": false,
    });
    assert_eq!(answer.json(), receipt);
    assert_eq!(answer.header("etag"), "\"1\"");
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("cache-control"), "no-store");
}

#[tokio::test]
async fn every_form_of_command_is_given_by_its_fields() {
    let bench = Bench::new();
    for (path, body, events) in [
        ("open", r#"{"owner":"Ada","note":null}"#, 1),
        ("deposit", r#"{"cents":500}"#, 1),
        ("write-off", "20", 1),
        ("move", r#"[30, "lunch"]"#, 2),
        ("annotate", r#"{"note":"x"}"#, 1),
        ("annotate", "", 1),
        ("deposit", r#"{"cents":0}"#, 0),
        ("close", "{}", 1),
    ] {
        let answer = bench.post(&format!("/account/42/{path}"), body).await;
        assert_eq!(answer.status, 200, "{path} {body}: {answer:?}");
        assert_eq!(answer.json()["events"].as_array().unwrap().len(), events, "{path} {body}");
    }
    bench.post("/account/42/open", r#"{"owner":"Ada"}"#).await;
    let closed = bench.post("/account/42/close", "").await;
    assert_eq!(closed.json()["version"], 10);
}

#[tokio::test]
async fn a_refusal_is_told_with_its_reason() {
    let bench = Bench::new();
    let answer = bench.post("/account/42/close", "").await;
    assert_eq!(answer.detail(422, "refused"), "the account is not open");
}

#[tokio::test]
async fn a_command_sent_again_is_answered_with_the_first_receipt() {
    let bench = Bench::new();
    let key = [("idempotency-key", "\"abc\"")];
    let first = bench.post_with("/account/42/open", r#"{"owner":"Ada"}"#, &key).await;
    assert_eq!((first.status, first.header("idempotency-key")), (200, "abc"));
    bench.post("/account/42/deposit", r#"{"cents":5}"#).await;
    let bare = [("idempotency-key", "abc")];
    let again = bench.post_with("/account/42/open", r#"{ "owner": "Ada" }"#, &bare).await;
    let mut receipt = first.json();
    receipt["replayed"] = true.into();
    assert_eq!(again.json(), receipt);
    assert_eq!(again.header("etag"), "\"1\"");
}

#[tokio::test]
async fn an_id_that_was_used_for_another_command_is_refused() {
    let bench = Bench::new();
    let key = [("idempotency-key", "abc")];
    bench.post_with("/account/42/open", r#"{"owner":"Ada"}"#, &key).await;
    let other = bench.post_with("/account/42/open", r#"{"owner":"Bob"}"#, &key).await;
    other.problem(422, "id-reused");
    assert_eq!(other.header("idempotency-key"), "abc");
    let stream = bench.get("/account/42").await.json();
    assert_eq!((&stream["version"], &stream["state"]["owner"]), (&json!(1), &json!("Ada")));
}

#[tokio::test]
async fn a_command_without_an_id_is_given_one_which_the_answer_tells() {
    let bench = Bench::new();
    let opened = bench.post("/account/42/open", r#"{"owner":"Ada"}"#).await;
    let key = opened.header("idempotency-key").to_owned();
    let retried = [("idempotency-key", key.as_str())];
    let again = bench.post_with("/account/42/open", r#"{"owner":"Ada"}"#, &retried).await;
    assert_eq!(again.json()["replayed"], true);
    let refused = bench.post("/account/42/open", r#"{"owner":"Ada"}"#).await;
    refused.problem(422, "refused");
    assert_ne!(refused.header("idempotency-key"), key);
    let malformed = bench.post("/account/42/open", "{").await;
    assert!(!malformed.header("idempotency-key").is_empty());
}

#[tokio::test]
async fn a_command_is_decided_on_at_the_version_that_it_names_or_not_at_all() {
    let bench = Bench::new();
    let none = [("if-none-match", "*")];
    let opened = bench.post_with("/account/42/open", r#"{"owner":"Ada"}"#, &none).await;
    assert_eq!(opened.status, 200, "{opened:?}");
    for stale in ["\"0\"", "\"2\"", "999"] {
        let headers = [("if-match", stale)];
        let answer = bench.post_with("/account/42/deposit", r#"{"cents":5}"#, &headers).await;
        let detail = answer.detail(412, "precondition-failed");
        assert!(detail.starts_with("account-42 is at version 1, not "), "{detail}");
    }
    bench
        .post_with("/account/42/open", r#"{"owner":"Eve"}"#, &none)
        .await
        .problem(412, "precondition-failed");
    let state = bench.get("/account/42").await;
    let current = [("if-match", state.header("etag"))];
    let answer = bench.post_with("/account/42/deposit", r#"{"cents":5}"#, &current).await;
    assert_eq!((answer.status, answer.header("etag")), (200, "\"2\""));
}

#[tokio::test]
async fn events_carry_the_correlation_and_the_trace_of_the_request() {
    let bench = Bench::new();
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let headers = [("x-correlation-id", "basket 7"), ("traceparent", trace)];
    let opened = bench.post_with("/account/42/open", r#"{"owner":"Ada"}"#, &headers).await;
    assert_eq!(opened.header("x-correlation-id"), "basket 7");
    let broken = [("traceparent", "00-xyz"), ("idempotency-key", "abc")];
    let deposited = bench.post_with("/account/42/deposit", r#"{"cents":5}"#, &broken).await;
    assert_eq!(deposited.header("x-correlation-id"), "abc");

    let newest = bench.runtime.ports().feed.latest(2).await.unwrap();
    let carried: Vec<_> = newest
        .iter()
        .map(|commit| {
            let event = commit.events().next().unwrap();
            (event.metadata.correlation, event.metadata.traceparent)
        })
        .collect();
    let expected = [(Some("abc".into()), None), (Some("basket 7".into()), Some(trace.into()))];
    assert_eq!(carried, expected);
}

#[tokio::test]
async fn commands_that_race_for_a_version_are_won_by_one() {
    let bench = Bench::new();
    bench.open("42", "Ada").await;
    let racing = (0..16).map(|_| {
        bench.post_with("/account/42/deposit", r#"{"cents":1}"#, &[("if-match", "\"1\"")])
    });
    let answers = futures::future::join_all(racing).await;
    let statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 412).count(), 15, "{statuses:?}");
}

#[tokio::test]
async fn a_command_that_the_app_gives_itself_is_taken_from_nobody() {
    let bench = Bench::new();
    bench.post("/account/42/open", r#"{"owner":"Ada"}"#).await;
    let detail = bench.post("/account/42/seize", "5").await.detail(403, "denied");
    assert_eq!(detail, "seize is given by the app itself, and by no caller");
    assert_eq!(bench.get("/account/42").await.json()["version"], 1);
    let unknown = bench.post("/account/42/sieze", "5").await.detail(404, "not-found");
    assert!(!unknown.contains("seize,") && unknown.contains("write-off"), "{unknown}");
}
