//! Views, lists and queries, and reading one's own writes.

use std::time::Duration;

use futures::join;
use serde_json::json;
use skyfold_http::Options;

use crate::client::{Answer, Bench};

#[tokio::test]
async fn a_view_is_shown_with_its_tag_and_what_changed_it() {
    let bench = Bench::new();
    let headers = [("x-correlation-id", "basket 7")];
    bench.post_with("/account/42/open", r#"{"owner":"Ada"}"#, &headers).await;
    bench.settle().await;
    let view = bench.get("/account-summary/42").await;
    assert_eq!((view.status, view.json()), (200, json!({ "owner": "Ada", "cents": 0 })));
    assert_eq!(view.header("content-type"), "application/json");
    assert_eq!(view.header("cache-control"), "no-cache");
    assert_eq!(view.header("x-last-event"), "account-42@1");
    assert_eq!(view.header("x-last-correlation-id"), "basket 7");
    let missing = bench.get("/account-summary/43").await.detail(404, "not-found");
    assert_eq!(missing, "account-summary has no view \"43\"");
}

#[tokio::test]
async fn a_view_that_the_caller_knows_is_not_sent_again() {
    let bench = Bench::new();
    bench.open("42", "Ada").await;
    let tag = bench.get("/account-summary/42").await.header("etag").to_owned();
    let list = format!("\"other\", W/{tag}");
    let known = bench.get_with("/account-summary/42", &[("if-none-match", &list)]).await;
    assert_eq!((known.status, known.body.as_str()), (304, ""));
    assert_eq!((known.header("etag"), known.header("cache-control")), (tag.as_str(), "no-cache"));
    bench.post("/account/42/deposit", r#"{"cents":5}"#).await;
    bench.settle().await;
    let changed = bench.get_with("/account-summary/42", &[("if-none-match", &tag)]).await;
    assert_eq!(changed.status, 200);
    assert_ne!(changed.header("etag"), tag);
}

/// Ten accounts of Ada's and one of Bob's.
async fn with_accounts() -> Bench {
    let bench = Bench::new();
    for id in 10..20 {
        bench.open(&id.to_string(), "Ada").await;
    }
    bench.open("30", "Bob").await;
    bench
}

#[tokio::test]
async fn a_list_is_read_page_by_page_without_a_gap() {
    let bench = with_accounts().await;
    let mut pages = vec![];
    let mut cursor = String::new();
    loop {
        let path = format!("/account-summary?list=by-owner&under=Ada&limit=4{cursor}");
        let page = bench.get(&path).await;
        assert_eq!(page.status, 200, "{page:?}");
        let page = page.json();
        pages.push(page["items"].as_array().unwrap().len());
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={}", encoded(next));
    }
    assert_eq!(pages, [4, 4, 2]);
    let all = bench.get("/account-summary?under=Ada").await.json();
    assert_eq!(all["items"].as_array().unwrap().len(), 10, "the only list need not be named");
}

#[tokio::test]
async fn a_list_is_read_either_way() {
    let bench = Bench::new();
    for (id, cents) in [("a", 1), ("b", 2)] {
        bench.open(id, "Ada").await;
        bench.post(&format!("/account/{id}/deposit"), &json!({ "cents": cents }).to_string()).await;
    }
    bench.settle().await;
    for (order, first) in [("", 1), ("&order=asc", 1), ("&order=desc", 2)] {
        let page = bench.get(&format!("/account-summary?under=Ada{order}&limit=1")).await;
        assert_eq!(page.json()["items"][0]["cents"], first, "{order}");
    }
}

#[tokio::test]
async fn a_cursor_of_another_list_or_of_nobody_is_refused() {
    let bench = with_accounts().await;
    let page = bench.get("/account-summary?under=Ada&limit=4").await.json();
    let cursor = encoded(page["next"].as_str().unwrap());
    let whole = page["next"].as_str().unwrap();
    let cut = encoded(&whole[..whole.len() - 1]);
    for query in [
        format!("under=Bob&cursor={cursor}"),
        format!("under=Ada&order=desc&cursor={cursor}"),
        format!("under=Ada&cursor={cut}"),
        "under=Ada&cursor=".to_owned(),
        "under=Ada&cursor=AAAA".to_owned(),
        "under=Ada&cursor=%00%F0%9F%92%A9".to_owned(),
    ] {
        bench.get(&format!("/account-summary?{query}")).await.problem(400, "invalid");
    }
    let query = format!("/accounts-of?owner=Bob&cursor={cursor}");
    bench.get(&query).await.problem(400, "invalid");
}

#[tokio::test]
async fn a_cursor_outlives_what_it_points_to() {
    let bench = with_accounts().await;
    let page = bench.get("/account-summary?under=Ada&limit=4").await.json();
    let cursor = encoded(page["next"].as_str().unwrap());
    for id in 10..15 {
        bench.post(&format!("/account/{id}/close"), "").await;
    }
    bench.settle().await;
    let rest = bench.get(&format!("/account-summary?under=Ada&cursor={cursor}")).await;
    assert_eq!(rest.json()["items"].as_array().map(Vec::len), Some(5), "{rest:?}");
}

#[tokio::test]
async fn a_query_takes_its_parameters_as_text_or_as_json() {
    let bench = with_accounts().await;
    let items = |answer: Answer| answer.json()["items"].as_array().map(Vec::len);
    let text = bench.get("/accounts-of?owner=Ada&limit=3&newest_first=true").await;
    assert_eq!(items(text), Some(3));
    let body = r#"{"owner":"Ada","limit":3,"newest_first":true}"#;
    assert_eq!(items(bench.post("/accounts-of", body).await), Some(3));
    assert_eq!(items(bench.get("/accounts-of?owner=B%6Fb").await), Some(1));
    assert_eq!(bench.get("/now").await.body, "true");
    assert_eq!(bench.post("/now", "").await.body, "true");
}

#[tokio::test]
async fn a_reader_waits_for_its_own_write() {
    let bench = Bench::new();
    let opened = bench.post("/account/42/open", r#"{"owner":"Ada"}"#).await.json();
    let event = opened["events"][0].as_str().unwrap();
    let paths = ["/account-summary/42", "/account-summary?under=Ada", "/accounts-of?owner=Ada"];
    let [view, list, query] = paths.map(|path| path_after(path, event));
    let (view, list, query, ()) =
        join!(bench.get(&view), bench.get(&list), bench.get(&query), bench.settle());
    assert_eq!((view.status, &view.json()["owner"]), (200, &json!("Ada")), "{view:?}");
    for page in [list, query] {
        assert_eq!((page.status, &page.json()["items"][0]["owner"]), (200, &json!("Ada")));
    }
}

#[tokio::test]
async fn a_reader_whose_write_is_not_shown_in_time_is_told_to_come_back() {
    let bench = Bench::new();
    bench.post("/account/42/open", r#"{"owner":"Ada"}"#).await;
    for path in [
        "/account-summary/42?after=account-42@1&wait=0.02",
        "/account-summary?under=Ada&after=account-42@1&wait=0",
        "/accounts-of?owner=Ada&after=account-42@1&wait=0",
        "/account-summary/42?after=account-42@999&wait=0",
    ] {
        let pending = bench.get(path).await;
        assert_eq!(pending.status, 202, "{pending:?}");
        assert_eq!(pending.header("retry-after"), "1");
        assert_eq!(pending.header("content-type"), "application/json");
        let document = pending.json();
        assert_eq!(document["type"], "/problems/pending");
        assert!(document["detail"].as_str().unwrap().ends_with(" is not shown yet"));
    }
    let posted = bench.post("/accounts-of?after=account-42@1&wait=0", r#"{"owner":"Ada"}"#).await;
    assert_eq!(posted.status, 202, "{posted:?}");
}

#[tokio::test(start_paused = true)]
async fn a_reader_may_wait_longer_than_the_app_may_take_to_answer() {
    let timeout = Duration::from_secs(1);
    let bench = Bench::with(Options { timeout, ..Options::default() });
    let pending = bench.get("/account-summary/42?after=account-42@1&wait=5").await;
    assert_eq!(pending.status, 202, "{pending:?}");
}

#[tokio::test]
async fn what_nobody_hears_of_is_not_waited_for() {
    let bench = Bench::new();
    bench.open("42", "Ada").await;
    let view = bench.get("/account-summary/42?after=parcel-1@1").await;
    assert_eq!(view.status, 200, "{view:?}");
}

#[tokio::test]
async fn the_head_of_an_answer_can_be_had_alone() {
    let bench = Bench::new();
    bench.open("42", "Ada").await;
    let head = crate::client::request("HEAD", "/account-summary/42", &[], "".into());
    let head = bench.send(head).await;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    assert!(!head.header("etag").is_empty());
}

fn path_after(path: &str, event: &str) -> String {
    let separator = if path.contains('?') { '&' } else { '?' };
    format!("{path}{separator}after={event}&wait=5")
}

fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}
