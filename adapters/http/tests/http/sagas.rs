//! What operators are served of the transactions of sagas.

use skyfold_http::{Operations, Options};

use crate::client::Bench;

fn operated() -> Bench {
    Bench::with(Options { operations: Operations::Served, ..Options::default() })
}

/// The items of all pages of a list.
async fn all(bench: &Bench, path: &str) -> Vec<serde_json::Value> {
    let (mut items, mut cursor) = (vec![], String::new());
    loop {
        let page = bench.get(&format!("{path}{cursor}")).await.json();
        items.extend(page["items"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_str() else { return items };
        cursor = format!("&cursor={next}");
    }
}

#[tokio::test]
async fn transactions_are_listed_shown_and_asked_again() {
    let bench = operated();
    bench.open("1", "ada").await;
    bench.post("/account/1/annotate", r#"{"note":"farewell"}"#).await;
    bench.settle().await;
    let path = "/operations/sagas/farewell";
    let listed = all(&bench, &format!("{path}?open=true&since=2001-01-01T00:00:00Z")).await;
    assert_eq!((listed.len(), &listed[0]["id"]), (1, &"1".into()));
    assert!(all(&bench, &format!("{path}?quiet-since=2001-01-01T00:00:00Z")).await.is_empty());
    let shown = bench.get(&format!("{path}/1")).await.json();
    assert_eq!((&shown["hasEnded"], &shown["version"]), (&false.into(), &1.into()));
    let records = bench.get(&format!("{path}/1/records")).await.json();
    assert_eq!(records["items"][0]["heard"], "account-1@2");
    assert_eq!(records["items"][0]["asked"][0]["request"]["command"], "Close");
    let records = bench.get(&format!("{path}/1/records?beyond=1")).await.json();
    assert_eq!(records["items"], serde_json::json!([]));
    let retried = bench.post(&format!("{path}/1/retry"), "").await;
    assert_eq!(retried.json(), serde_json::json!({ "records": 1 }));
    for path in [format!("{path}/9"), "/operations/sagas/nothing".into()] {
        bench.get(&path).await.problem(404, "not-found");
    }
    for query in ["open=1", "since=now", "limit=3", "cursor=x"] {
        bench.get(&format!("{path}?{query}")).await.problem(400, "invalid");
    }
    bench.get(&format!("{path}/1/records?beyond=x")).await.problem(400, "invalid");
    bench.post(&format!("{path}/9/retry"), "").await.problem(404, "not-found");
}

#[tokio::test]
async fn an_operator_skips_and_sends_for_a_transaction() {
    let bench = operated();
    bench.open("1", "ada").await;
    for note in ["farewell", "panic"] {
        bench.post("/account/1/annotate", &format!(r#"{{"note":"{note}"}}"#)).await;
    }
    bench.settle().await;
    let path = "/operations/sagas/farewell/1";
    let skip = r#"{"skip":{"event":"account-1@3"},"reason":"no use","by":"office"}"#;
    let skipped = bench.post(&format!("{path}/skip"), skip).await.json();
    assert_eq!(skipped["record"], "saga.farewell-1@2", "{skipped}");
    let send =
        r#"{"number":1,"category":"account","stream":"1","command":"Close","reason":"asked"}"#;
    let sent = bench.post(&format!("{path}/send"), send).await.json();
    assert_eq!((&sent["isRepeated"], &sent["byHand"]["did"]["sent"]), (&false.into(), &1.into()));
    let again = bench.post(&format!("{path}/send"), send).await.json();
    assert_eq!((&again["isRepeated"], &again["sent"]), (&true.into(), &sent["sent"]));
    bench.settle().await;
    assert_eq!(bench.get(path).await.json()["hasEnded"], true);
    let other = send.replace("Close", "Forget");
    bench.post(&format!("{path}/send"), &other).await.problem(400, "invalid");
    bench.post(&format!("{path}/skip"), "{}").await.problem(400, "invalid");
    let skip = skip.replace("@3", "@2");
    bench.post(&format!("{path}/skip"), &skip).await.problem(409, "conflict");
    let described = bench.get("/openapi.json").await.json();
    let described = &described["paths"]["/operations/sagas/{saga}/{id}/send"]["post"];
    assert!(described["requestBody"].is_object());
}
