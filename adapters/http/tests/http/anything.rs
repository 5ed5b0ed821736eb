//! Whatever a caller may send, the app answers for it.

use std::sync::LazyLock;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use proptest::prelude::*;
use skyfold_http::Options;
use tokio::runtime::Runtime;

use crate::client::Bench;

/// How many requests are made up.
const REQUESTS: u32 = 2_000;

/// Pieces of sensible requests, so that chance gets past the first check.
const PIECES: [&str; 24] = [
    "account",
    "account-summary",
    "accounts-of",
    "now",
    "health",
    "problems",
    "invalid",
    "42",
    "open",
    "close",
    "write-off",
    "owner",
    "Ada",
    "under",
    "limit",
    "1",
    "after",
    "account-42@1",
    "wait",
    "0",
    "cursor",
    "at",
    "{\"owner\":\"Ada\"}",
    "\"1\"",
];

/// One app for all requests: what some leave behind, others find.
static APP: LazyLock<(Runtime, Bench)> = LazyLock::new(|| {
    let options = Options { wait_max: Duration::ZERO, ..Options::default() };
    (Runtime::new().unwrap(), Bench::with(options))
});

fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(&PIECES[..]).prop_map(str::to_owned),
        1 => any::<String>().prop_map(|text| encoded(text.as_bytes())),
        1 => any::<Vec<u8>>().prop_map(|bytes| encoded(&bytes)),
        1 => "[!-~]{0,6}".prop_map(|text| text.replace(['#', '"', '<', '>', '\\', '^', '`'], "")),
    ]
}

fn encoded(bytes: &[u8]) -> String {
    percent_encoding::percent_encode(bytes, percent_encoding::NON_ALPHANUMERIC).to_string()
}

fn path() -> impl Strategy<Value = String> {
    let segments = prop::collection::vec(piece(), 0..5);
    let query = prop::collection::vec((piece(), piece()), 0..4);
    (segments, query).prop_map(|(segments, query)| {
        let query: Vec<_> =
            query.into_iter().map(|(name, text)| format!("{name}={text}")).collect();
        format!("/{}?{}", segments.join("/"), query.join("&")).replace('"', "%22")
    })
}

fn headers() -> impl Strategy<Value = Vec<(&'static str, Vec<u8>)>> {
    let names = ["idempotency-key", "if-match", "if-none-match", "x-correlation-id", "traceparent"];
    let more = ["accept", "content-type", "content-encoding", "last-event-id", "expect"];
    let name = prop::sample::select([names, more].concat());
    let value = prop_oneof![
        prop::sample::select(&PIECES[..]).prop_map(|text| text.as_bytes().to_vec()),
        Just(b"application/json".to_vec()),
        Just(b"text/event-stream".to_vec()),
        prop::collection::vec(prop_oneof![32..127_u8, 128..=255_u8], 0..20),
    ];
    prop::collection::vec((name, value), 0..4)
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::sample::select(&PIECES[..]).prop_map(|text| text.as_bytes().to_vec()),
        "[\\[\\]{}\",:0-9a-z\\\\ ]{0,30}".prop_map(String::into_bytes),
        any::<Vec<u8>>(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: REQUESTS,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_request_is_the_apps_fault(
        method in prop::sample::select(&["GET", "POST", "HEAD", "PUT", "OPTIONS"][..]),
        path in path(),
        headers in headers(),
        body in body(),
    ) {
        let mut request = Request::builder().method(method).uri(&path);
        for (name, value) in &headers {
            request = request.header(*name, value.as_slice());
        }
        // What is no request at all is refused below the app.
        let Ok(request) = request.body(Body::from(body)) else { return Ok(()) };
        let (runtime, bench) = &*APP;
        let answer = runtime.block_on(bench.send(request));
        prop_assert!(answer.status < 500, "{:?}", answer);
        if answer.status >= 400 && method != "HEAD" {
            let kind = answer.header("content-type");
            prop_assert_eq!(kind, "application/problem+json");
            prop_assert_eq!(&answer.json()["status"], answer.status);
        }
    }
}
