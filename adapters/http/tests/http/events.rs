//! What operators are served of recorded events.

use skyfold_http::{Operations, Options};

use crate::client::Bench;

fn operated() -> Bench {
    Bench::with(Options { operations: Operations::Served, ..Options::default() })
}

#[tokio::test]
async fn the_events_of_a_stream_are_shown_page_by_page() {
    let bench = operated();
    bench.open("a%3Ab~1", "ada").await;
    for note in ["one", "two"] {
        let path = "/account/a%3Ab~1/annotate";
        bench.post(path, &format!(r#"{{"note":"{note}"}}"#)).await;
    }
    let path = "/operations/events/account-a%3Ab~1";
    let page = bench.get(&format!("{path}?limit=2")).await.json();
    assert_eq!(page["items"][0]["id"], "account-a:b~1@1", "{page}");
    assert_eq!((page["items"].as_array().unwrap().len(), &page["next"]), (2, &3.into()));
    let rest = bench.get(&format!("{path}?from=3")).await.json();
    assert_eq!((&rest["items"][0]["data"]["note"], &rest["next"]), (&"two".into(), &().into()));
    assert_eq!(rest["items"][0]["specversion"], "1.0");
    let none = bench.get("/operations/events/account-9").await.json();
    assert_eq!(none, serde_json::json!({ "items": [] }));
    for query in ["limit=0", "limit=101", "from=x", "cursor=x"] {
        bench.get(&format!("{path}?{query}")).await.problem(400, "invalid");
    }
    bench.get("/operations/events/nodash").await.problem(400, "invalid");
}

#[tokio::test]
async fn the_events_of_all_streams_are_followed() {
    let bench = operated();
    for id in ["1", "2", "3"] {
        bench.open(id, "ada").await;
    }
    let (mut ids, mut cursor) = (vec![], String::new());
    let mut read = async |ids: &mut Vec<String>| {
        loop {
            let path = format!("/operations/events?category=account{cursor}");
            let page = bench.get(&path).await.json();
            let items = page["items"].as_array().unwrap();
            ids.extend(items.iter().map(|event| event["id"].as_str().unwrap().to_owned()));
            let next = page["next"].as_str().unwrap();
            let encoded = next.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
            cursor = format!("&cursor={encoded}");
            if page["isTail"] == true {
                return;
            }
        }
    };
    read(&mut ids).await;
    ids.sort();
    assert_eq!(ids, ["account-1@1", "account-2@1", "account-3@1"]);
    bench.open("4", "ada").await;
    ids.clear();
    read(&mut ids).await;
    assert_eq!(ids, ["account-4@1"]);
    for query in ["category=nothing", "cursor=x", "since=now", "limit=3"] {
        bench.get(&format!("/operations/events?{query}")).await.problem(400, "invalid");
    }
    let hidden = Bench::new();
    hidden.get("/operations/events").await.problem(404, "not-found");
}
