//! What operators are served, and nobody else.

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
