//! What operators are served of read models.

use serde_json::json;
use skyfold_http::{Operations, Options};

use crate::client::Bench;

const PATH: &str = "/operations/read-models/account-summary";

fn operated() -> Bench {
    Bench::with(Options { operations: Operations::Served, ..Options::default() })
}

#[tokio::test]
async fn a_read_model_is_rehearsed_replayed_and_switched() {
    let bench = operated();
    for id in ["1", "2"] {
        bench.open(id, "ada").await;
    }
    let listed = bench.get(PATH).await.json();
    let revision = json!({
        "revision": 1, "collection": "account-summary.1", "isActive": true, "built": "live",
    });
    assert_eq!(listed, json!({ "items": [revision] }));
    let rehearsed = bench.post(&format!("{PATH}/rehearse"), "{}").await.json();
    assert_eq!((&rehearsed["new"], &rehearsed["events"]), (&0.into(), &2.into()), "{rehearsed}");
    let asked = r#"{"categories":["account"],"start":"anew"}"#;
    let replayed = bench.post(&format!("{PATH}/replay"), asked).await.json();
    let ended = json!({ "revision": 1, "events": 2, "unhandled": 0, "examples": [] });
    assert_eq!(replayed, json!({ "ended": ended }));
    let switched = bench.post(&format!("{PATH}/switch"), r#"{"revision":1}"#).await.json();
    assert_eq!(switched, json!({ "revision": 1 }));
    let verified = bench.post(&format!("{PATH}/verify"), r#"{"onDrift":"repair"}"#).await.json();
    assert_eq!((&verified["views"], &verified["drifted"]), (&2.into(), &0.into()), "{verified}");
    let dropped = bench.post(&format!("{PATH}/drop"), r#"{"revision":9}"#).await.json();
    assert_eq!(dropped, json!({ "removed": 0 }));
}

#[tokio::test]
async fn a_replay_that_takes_longer_than_a_request_may_pauses_and_goes_on() {
    let bench = operated();
    bench.open("1", "ada").await;
    for note in 0..7 {
        bench.post("/account/1/annotate", &format!(r#"{{"note":"{note}"}}"#)).await;
    }
    let (mut steps, mut start) = (vec![], "anew");
    let ended = loop {
        let asked = format!(r#"{{"rate":1,"start":"{start}"}}"#);
        let step = bench.post(&format!("{PATH}/replay"), &asked).await.json();
        if step["ended"].is_object() {
            break step;
        }
        steps.push(step["paused"].clone());
        start = "resume";
    };
    assert_eq!(ended["ended"]["events"], 8, "{ended}");
    assert_eq!(steps.len(), 1, "{steps:?}");
    assert_eq!(steps[0]["progress"]["events"], 8);
    let rest = steps[0]["restSeconds"].as_f64().unwrap();
    assert!((5.0..=8.0).contains(&rest), "{rest}");
}

#[tokio::test]
async fn what_is_no_replay_is_refused() {
    let bench = operated();
    for body in [r#"{"rate":0}"#, r#"{"from":1}"#, r#"{"categories":["other"]}"#, "[]", ""] {
        let answer = bench.post(&format!("{PATH}/replay"), body).await;
        answer.problem(400, "invalid");
    }
    for (path, body) in [
        ("/operations/read-models/nothing/replay", "{}"),
        ("/operations/read-models/account/switch", "{}"),
        ("/operations/read-models/account-summary/switch", r#"{"revision":7}"#),
        ("/operations/read-models/account-summary/verify", r#"{"revision":7}"#),
    ] {
        bench.post(path, body).await.problem(404, "not-found");
    }
    bench.post("/operations/read-models/farewell/replay", "{}").await.problem(400, "invalid");
}
