//! What operators are served, and nobody else.

use serde_json::json;
use skyfold_http::{Operations, Options};

use crate::client::Bench;

fn operated() -> Bench {
    Bench::with(Options { operations: Operations::Served, ..Options::default() })
}

#[tokio::test]
async fn operations_are_hidden_unless_asked_for() {
    let bench = Bench::new();
    for path in ["/metrics", "/operations", "/operations/dead-letters"] {
        bench.get(path).await.problem(404, "not-found");
    }
    let described = bench.get("/openapi.json").await.body;
    assert!(!described.contains("/metrics") && !described.contains("/operations"));
}

#[tokio::test]
async fn operations_that_are_served_are_described() {
    let described = operated().get("/openapi.json").await.json();
    assert!(described["paths"]["/metrics"]["get"].is_object());
    let tags = described["tags"].as_array().unwrap();
    assert!(tags.iter().any(|tag| tag["name"] == "operations"));
}

#[tokio::test]
async fn metrics_tell_how_far_each_consumer_is_behind() {
    let bench = operated();
    let body = serde_json::json!({ "owner": "ada" }).to_string();
    bench.post("/account/1/open", &body).await;
    let answer = bench.get("/metrics").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.header("content-type").starts_with("application/openmetrics-text"));
    let line = r#"skyfold_behind_commits{consumer="account-summary"} "#;
    assert!(answer.body.contains(&format!("{line}1\n")), "{}", answer.body);
    assert!(answer.body.ends_with("# EOF\n"));
    bench.settle().await;
    let answer = bench.get("/metrics").await;
    assert!(answer.body.contains(&format!("{line}0\n")), "{}", answer.body);
}

#[tokio::test]
async fn a_subject_is_forgotten_once_and_listed() {
    let bench = operated();
    let asked = r#"{"subject":"ada","by":"office","reason":"asked"}"#;
    let first = bench.post("/operations/forgotten", asked).await;
    assert_eq!(first.status, 200, "{first:?}");
    let again = asked.replace("asked", "again");
    let again = bench.post("/operations/forgotten", &again).await;
    assert_eq!(again.body, first.body);
    let listed = bench.get("/operations/forgotten?limit=10").await.json();
    assert_eq!(listed["items"], serde_json::json!([first.json()]));
    for body in ["", "{}", r#"{"subject":"a/b","by":"x","reason":"y"}"#, "[1]"] {
        bench.post("/operations/forgotten", body).await.problem(400, "invalid");
    }
    bench.get("/operations/forgotten?limit=0").await.problem(400, "invalid");
    bench.get("/operations/forgotten?limit=x").await.problem(400, "invalid");
    let described = bench.get("/openapi.json").await.json();
    assert!(described["paths"]["/operations/forgotten"]["post"].is_object());
}

/// An account with an event that the projection cannot handle, and one after it.
async fn poisoned(bench: &Bench) {
    bench.open("1", "ada").await;
    bench.post("/account/1/annotate", r#"{"note":"jinx"}"#).await;
    bench.post("/account/1/deposit", r#"{"cents":1}"#).await;
    bench.settle().await;
}

#[tokio::test]
async fn dead_letters_are_listed_shown_retried_and_discarded() {
    let bench = operated();
    assert_eq!(bench.get("/operations/dead-letters").await.json()["items"], json!([]));
    poisoned(&bench).await;
    let listed =
        bench.get("/operations/dead-letters?function=account-summary&limit=5").await.json();
    let letter = &listed["items"][0];
    assert_eq!(letter["undone"], json!({ "event": "account-1@2" }), "{listed}");
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    let path = format!("/operations/dead-letters/{}", letter["id"].as_str().unwrap());
    assert_eq!(bench.get(&path).await.json(), *letter);
    let health = bench.get("/health").await.json();
    assert!(health["deadLetters"]["functions"]["account-summary"] == 1, "{health}");
    let metrics = bench.get("/metrics").await.body;
    assert!(
        metrics.contains("skyfold_dead_letters{function=\"account-summary\"} 1\n"),
        "{metrics}"
    );

    let retried = bench.post(&format!("{path}/retry"), "").await.json();
    assert_eq!((&retried["status"], &retried["attempts"]), (&json!("waiting"), &json!(2)));
    let all = bench.post("/operations/dead-letters?function=account-summary", "").await.json();
    assert_eq!((&all["resolved"], &all["waiting"][0]["attempts"]), (&json!(0), &json!(3)));

    let of_stream = bench.get("/operations/dead-letters?stream=account-1").await.json();
    assert_eq!(of_stream["items"][0]["id"], letter["id"]);
    let of_stream = bench.post("/operations/dead-letters?stream=account-1", "").await.json();
    assert_eq!(of_stream["waiting"][0]["attempts"], 4, "{of_stream}");
    let all = bench.post("/operations/dead-letters?all=true", "").await.json();
    assert_eq!(all["waiting"][0]["attempts"], 5, "{all}");

    let discard = format!("{path}/discard");
    for body in ["", "{}", r#"{"reason":" "}"#, r#"{"reason":"x","more":1}"#] {
        bench.post(&discard, body).await.problem(400, "invalid");
    }
    let other = r#"{"reason":"x","event":"account-1@3"}"#;
    bench.post(&discard, other).await.problem(409, "conflict");
    let discarded =
        bench.post(&discard, r#"{"reason":"x","by":"ada","event":"account-1@2"}"#).await;
    assert_eq!(discarded.json()["status"], "discarded", "{discarded:?}");
    assert_eq!(bench.get("/account-summary/1").await.json()["cents"], 1);
    let closed = bench.get("/operations/dead-letters?closed=true&order=desc").await.json();
    assert!(closed["items"].as_array().unwrap().iter().any(|l| l["id"] == letter["id"]));
}

#[tokio::test]
async fn what_is_asked_of_dead_letters_must_make_sense() {
    let bench = operated();
    for (path, status, kind) in [
        ("/operations/dead-letters/none", 404, "not-found"),
        ("/operations/dead-letters?limit=0", 400, "invalid"),
        ("/operations/dead-letters?order=up", 400, "invalid"),
        ("/operations/dead-letters?closed=1", 400, "invalid"),
        ("/operations/dead-letters?closed=true&function=account-summary", 400, "invalid"),
        ("/operations/dead-letters?stream=account-1&function=account-summary", 400, "invalid"),
        ("/operations/dead-letters?stream=account", 400, "invalid"),
        ("/operations/dead-letters?cursor=x", 400, "invalid"),
        ("/operations/dead-letters?colour=red", 400, "invalid"),
    ] {
        bench.get(path).await.problem(status, kind);
    }
    for (path, status, kind) in [
        ("/operations/dead-letters", 400, "invalid"),
        ("/operations/dead-letters?all=true&stream=account-1", 400, "invalid"),
        ("/operations/dead-letters?all=yes", 400, "invalid"),
        ("/operations/dead-letters?function=nothing", 404, "not-found"),
        ("/operations/dead-letters/none/retry", 404, "not-found"),
        ("/operations/dead-letters/none/other", 404, "not-found"),
    ] {
        bench.post(path, "").await.problem(status, kind);
    }
}

#[tokio::test]
async fn metrics_count_requests_by_function_and_outcome() {
    let bench = operated();
    bench.open("1", "ada").await;
    for path in ["/account-summary/1", "/account-summary/2", "/nowhere/7", "/x"] {
        bench.get(path).await;
    }
    let metrics = bench.get("/metrics").await.body;
    for line in [
        "skyfold_requests_total{function=\"account\",status=\"200\"} 1\n",
        "skyfold_requests_total{function=\"account-summary\",status=\"200\"} 1\n",
        "skyfold_requests_total{function=\"account-summary\",status=\"404\"} 1\n",
        "skyfold_requests_total{function=\"nothing\",status=\"404\"} 2\n",
        "skyfold_answer_seconds_count{function=\"account-summary\"} 2\n",
        "skyfold_dead_letters{function=\"account-summary\"} 0\n",
        "skyfold_dead_letters_oldest_seconds 0\n",
    ] {
        assert!(metrics.contains(line), "{line} is missing in {metrics}");
    }
}
