//! What the caller is told when something fails.

use std::time::Duration;

use skyfold::App;
use skyfold_http::{Options, router};
use skyfold_memory::Memory;

use crate::client::Bench;

const KINDS: [(&str, u16, &str); 11] = [
    ("Conflict", 409, "conflict"),
    ("Duplicate", 422, "id-reused"),
    ("NotFound", 404, "not-found"),
    ("Throttled", 503, "throttled"),
    ("Oversized", 413, "too-large"),
    ("Corrupt", 500, "corrupt"),
    ("Newer", 503, "newer-release"),
    ("Invalid", 400, "invalid"),
    ("Denied", 403, "denied"),
    ("Unavailable", 503, "unavailable"),
    ("Unexpected", 500, "unexpected"),
];

#[tokio::test]
async fn every_kind_of_error_has_its_status_and_code() {
    let bench = Bench::new();
    for (outcome, status, code) in KINDS {
        let body = format!(r#"{{"outcome":"{outcome}"}}"#);
        let asked = bench.post("/account/42/ask", &body).await;
        let queried = bench.get(&format!("/failing?outcome={outcome}")).await;
        let posted = bench.post("/failing", &body).await;
        for answer in [asked, queried, posted] {
            let detail = answer.detail(status, code);
            assert!(detail.starts_with("the service said no"), "{detail}");
            assert_eq!(answer.headers.contains_key("retry-after"), status == 503, "{answer:?}");
            if status == 503 {
                assert_eq!(answer.header("retry-after"), "7");
            }
            if status >= 500 {
                assert!(!answer.body.contains("secret"), "{answer:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_panic_is_a_problem_that_gives_nothing_away() {
    let bench = Bench::new();
    for path in ["/failing?outcome=Panic", "/failing?outcome=Panic&after=account-1@1&wait=0"] {
        let answer = bench.get(path).await;
        answer.problem(500, "unexpected");
        assert!(!answer.body.contains("secret"), "{answer:?}");
    }
    let command = bench.post("/account/42/ask", r#"{"outcome":"Panic"}"#).await;
    command.problem(500, "unexpected");
    assert!(!command.header("idempotency-key").is_empty(), "who sends it again needs its id");
    assert_eq!(bench.get("/now").await.status, 200, "the app goes on");
}

#[tokio::test(start_paused = true)]
async fn an_app_that_does_not_answer_is_not_waited_for_forever() {
    let bench = Bench::with(Options { timeout: Duration::from_secs(3), ..Options::default() });
    let key = [("idempotency-key", "abc")];
    let body = r#"{"outcome":"Silence"}"#;
    let answer = bench.post_with("/account/42/ask", body, &key).await;
    assert_eq!(answer.detail(503, "out-of-time"), "there was no answer within 3 seconds");
    assert_eq!((answer.header("retry-after"), answer.header("idempotency-key")), ("1", "abc"));
}

#[tokio::test]
async fn every_problem_is_explained_where_its_type_says() {
    let bench = Bench::new();
    let document = bench.get("/nowhere").await.problem(404, "not-found");
    let explained = bench.get(document["type"].as_str().unwrap()).await;
    assert_eq!(explained.status, 200);
    assert_eq!(explained.header("content-type"), "text/plain; charset=utf-8");
    assert!(explained.body.contains("Status 404 Not Found. "), "{}", explained.body);
    bench.get("/problems/unheard-of").await.problem(404, "not-found");
}

#[test]
#[should_panic(expected = "the path /health is the host's own")]
fn a_name_that_would_hide_the_hosts_own_path_is_noticed_at_once() {
    let app = App::new("bank").query("health", |(): (), _| async { Ok(true) });
    let _ = router(app.bind(Memory::new().ports()).unwrap(), Options::default());
}
