//! What makes no sense is refused, each with a problem document that says why.

use axum::body::Body;
use axum::http::Request;
use futures::stream;

use crate::client::{Answer, Bench, request};

/// Sends a request and checks that it is refused as one that makes no sense, for the reason given.
async fn refused(bench: &Bench, method: &str, path: &str, body: &[u8], part: &str) {
    let detail = send(bench, method, path, body).await.detail(400, "invalid");
    assert!(detail.contains(part), "{method} {path}: {detail}");
}

async fn send(bench: &Bench, method: &str, path: &str, body: &[u8]) -> Answer {
    let json = [("content-type", "application/json")];
    bench.send(request(method, path, &json, Body::from(body.to_vec()))).await
}

#[tokio::test]
async fn a_malformed_body_is_refused_with_its_place() {
    let open = "/account/42/open";
    let deep = "[".repeat(100_000);
    let nested = format!(r#"{{"owner":"Ada","x":{}{}}}"#, "[".repeat(200), "]".repeat(200));
    let bench = Bench::new();
    let cases: &[(&str, &[u8], &str)] = &[
        (open, b"{", "malformed JSON: EOF while parsing an object at line 1 column 1"),
        (open, b"{\n\"owner\": }", "at line 2 column 10"),
        (open, b"{} {}", "trailing characters at line 1 column 4"),
        (open, b"owner=Ada", "malformed JSON"),
        (open, b"{\"owner\": \"\xff\"}", "not UTF-8 at byte 11"),
        (open, b"\xef\xbb\xbf{}", "malformed JSON"),
        (open, b"\0", "malformed JSON"),
        (open, deep.as_bytes(), "malformed JSON"),
        (open, nested.as_bytes(), "recursion limit"),
        (open, br#"{"owner":"Ada","x":1e999}"#, "number out of range"),
        (open, br#"{"owner":"\ud800"}"#, "hex escape"),
        ("/accounts-of", b"[1", "malformed JSON"),
        ("/accounts-of", br#"{"owner":"\ud800"}"#, "hex escape"),
    ];
    for (path, body, part) in cases {
        refused(&bench, "POST", path, body, part).await;
    }
}

#[tokio::test]
async fn fields_of_the_wrong_kind_are_refused_with_their_place() {
    let bench = Bench::new();
    let cases: &[(&str, &[u8], &str)] = &[
        ("/account/42/open", b"{}", "missing field `owner` at line 1 column 2"),
        ("/account/42/open", b"", "missing field `owner`"),
        (
            "/account/42/open",
            b"{\"owner\": 7}",
            "invalid type: integer `7`, expected a string at line 1 column 11",
        ),
        ("/account/42/open", b"{\n  \"owner\": null}", "at line 2 column 15"),
        ("/account/42/open", b"{\"owner\":\"a\",\"owner\":\"b\"}", "duplicate field"),
        ("/account/42/open", b"[]", "not a command of account"),
        ("/account/42/deposit", b"{\"cents\":-1}", "expected u64"),
        ("/account/42/deposit", b"{\"cents\":1.5}", "expected u64"),
        ("/account/42/write-off", b"\"1\"", "expected u64"),
        ("/account/42/move", b"[1]", "not a command of account"),
        ("/account/42/close", b"{\"why\":\"x\"}", "close has no fields"),
        ("/account/42/ask", b"{\"outcome\":\"Other\"}", "unknown variant `Other`"),
        ("/accounts-of", b"{\"owner\":1}", "not the parameters of accounts-of"),
        ("/accounts-of", b"", "missing field `owner`"),
        ("/accounts-of", b"{\"owner\":\"a\",\"x\":1}", "unknown field `x`"),
    ];
    for (path, body, part) in cases {
        refused(&bench, "POST", path, body, part).await;
    }
}

#[tokio::test]
async fn an_id_that_is_not_legal_is_refused_whatever_it_holds() {
    let bench = Bench::new();
    let long = "x".repeat(129);
    let ids = [
        ("a%2Fb", "'/' is not legal"),
        ("a%23b", "'#' is not legal"),
        ("a%3Fb", "'?' is not legal"),
        ("a%25b", "'%' is not legal"),
        ("..", "\"..\" is not legal"),
        (".", "\".\" is not legal"),
        ("%2e%2E", "\"..\" is not legal"),
        ("a%20b", "' ' is not legal"),
        ("a+b", "'+' is not legal"),
        ("a%00b", "'\\0' is not legal"),
        ("gr%C3%B6%C3%9Fe", "'ö' is not legal"),
        ("größe", "'ö' is not legal"),
        ("%E6%97%A5%E6%9C%AC", "'日' is not legal"),
        ("%F0%9F%92%A9", "'💩' is not legal"),
        ("50%", "write a literal % as %25"),
        ("%zz", "write a literal % as %25"),
        ("%FF", "not UTF-8"),
        ("%C0%AF", "not UTF-8"),
        (&long, "1 to 128 characters, not 129"),
    ];
    for (id, part) in ids {
        let (command, state) = (format!("/account/{id}/close"), format!("/account/{id}"));
        for (method, path) in [("POST", command), ("GET", state)] {
            refused(&bench, method, &path, b"", part).await;
        }
    }
    for key in ["50%", "%FF", "a%00b", &long] {
        let path = format!("/account-summary/{key}");
        refused(&bench, "GET", &path, b"", "").await;
    }
    for key in ["a%2Fb", "größe", "%E6%97%A5", "..", "a%25b", "a%20b"] {
        let path = format!("/account-summary/{key}");
        let detail = bench.get(&path).await.detail(404, "not-found");
        assert!(detail.contains("has no view"), "{detail}");
    }
    refused(&bench, "POST", "/account//open", b"", "1 to 128 characters, not 0").await;
    refused(&bench, "POST", "/account/42/%FF", b"", "not UTF-8").await;
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let bench = Bench::new();
    for (method, path, part) in [
        ("GET", "/nowhere", "there is nothing at GET /nowhere"),
        ("GET", "/account/42/", "nothing"),
        ("GET", "//", "nothing"),
        ("POST", "/account/42/open/now", "nothing"),
        ("POST", "/Account/42/open", "nothing"),
        ("POST", "/account/42/Open", "account has no command \"Open\", only "),
        ("POST", "/account/42/steal", "write-off"),
        ("GET", "/account-summary?list=by-age&under=1", "no list \"by-age\""),
        ("GET", "/relay", "nothing"),
    ] {
        let detail = send(&bench, method, path, b"").await.detail(404, "not-found");
        assert!(detail.contains(part), "{method} {path}: {detail}");
    }
}

#[tokio::test]
async fn a_method_that_a_path_does_not_take_is_refused_with_those_that_it_takes() {
    let bench = Bench::new();
    for (method, path, allowed) in [
        ("PUT", "/account/42/open", "POST"),
        ("GET", "/account/42/open", "POST"),
        ("DELETE", "/account/42", "GET,HEAD"),
        ("POST", "/account-summary/42", "GET,HEAD"),
        ("PATCH", "/accounts-of", "GET,HEAD,POST"),
        ("POST", "/health", "GET,HEAD"),
        ("OPTIONS", "/", "GET,HEAD"),
    ] {
        let answer = bench.send(request(method, path, &[], Body::empty())).await;
        let detail = answer.detail(405, "method-not-allowed");
        assert_eq!(detail, format!("{path} does not take the method {method}"));
        assert_eq!(answer.header("allow"), allowed, "{path}");
    }
}

#[tokio::test]
async fn a_query_string_that_makes_no_sense_is_refused() {
    let bench = Bench::new();
    for (method, path, part) in [
        ("GET", "/account-summary/1?x=1", "unknown parameter \"x\": known are after, wait"),
        ("GET", "/account-summary/1?after=account-1", "the parameter after: "),
        ("GET", "/account-summary/1?after=account-1@1&wait=60", "not 0 to 10 seconds"),
        ("GET", "/account-summary/1?after=%FF", "not UTF-8"),
        ("GET", "/account-summary/1?a%=1", "as %25"),
        ("GET", "/account-summary", "the parameter under is missing"),
        ("GET", "/account-summary?under=", "the key \"\" has 0 characters"),
        ("GET", "/account-summary?under=a&under=b", "under is there 2 times"),
        ("GET", "/account-summary?under=a&order=down", "not asc or desc"),
        ("GET", "/account-summary?under=a&limit=0", "not 1 to 100"),
        ("GET", "/account-summary?under=a&limit=101", "not 1 to 100"),
        ("GET", "/account-summary?under=a&limit=1e1", "not 1 to 100"),
        ("GET", "/accounts-of", "missing field `owner`"),
        ("GET", "/accounts-of?owner=a&limit=x", "not of type integer"),
        ("GET", "/accounts-of?owner=a&limit=-1", "not the parameters of"),
        ("GET", "/accounts-of?owner=a&limit=1000", "1 to 100 items, not 1000"),
        ("GET", "/accounts-of?name=a", "unknown parameter \"name\""),
        ("GET", "/now?x", "known are after, wait"),
        ("GET", "/account/1?at=yesterday", "not a version or a time"),
        ("GET", "/account/1?at=99999999999999999999", "too high"),
        ("POST", "/account/1/close?force=true", "none is known here"),
        ("POST", "/accounts-of?owner=a", "unknown parameter \"owner\""),
    ] {
        refused(&bench, method, path, b"", part).await;
    }
}

#[tokio::test]
async fn headers_that_make_no_sense_are_refused() {
    let bench = Bench::new();
    let future = "ffffffff-ffff-7fff-bfff-ffffffffffff";
    let long = "x".repeat(129);
    for (name, value) in [
        ("idempotency-key", ""),
        ("idempotency-key", "a b"),
        ("idempotency-key", "\"a"),
        ("idempotency-key", &long),
        ("idempotency-key", "größe"),
        ("idempotency-key", future),
        ("if-match", "latest"),
        ("if-match", "W/\"1\""),
        ("if-match", "*"),
        ("if-match", "\"99999999999999999999\""),
        ("if-none-match", "\"1\""),
        ("x-correlation-id", &long),
        ("x-correlation-id", "größe"),
        ("x-correlation-id", "a\tb"),
    ] {
        let answer = bench.post_with("/account/42/close", "", &[(name, value)]).await;
        answer.problem(400, "invalid");
    }
    let twice = [("idempotency-key", "a"), ("idempotency-key", "b")];
    let answer = bench.post_with("/account/42/close", "", &twice).await;
    assert!(answer.detail(400, "invalid").contains("more than once"));
}

#[tokio::test]
async fn a_body_that_is_no_json_by_its_own_word_is_refused() {
    let bench = Bench::new();
    let headers: [&[(&str, &str)]; 5] = [
        &[],
        &[("content-type", "text/plain")],
        &[("content-type", "application/x-www-form-urlencoded")],
        &[("content-type", "multipart/form-data; boundary=x")],
        &[("content-type", "application/json"), ("content-encoding", "gzip")],
    ];
    for path in ["/account/42/open", "/accounts-of"] {
        for headers in headers {
            let answer =
                bench.send(request("POST", path, headers, "{\"owner\":\"a\"}".into())).await;
            answer.problem(415, "unsupported-media-type");
        }
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_before_it_is_read() {
    let bench = Bench::new();
    let limit = skyfold::limits::COMMAND_BYTES_MAX;
    let unread = |bytes: usize| {
        Request::post("/account/42/open")
            .header("content-type", "application/json")
            .header("content-length", bytes)
            .header("expect", "100-continue")
            .body(Body::new(Announced(bytes)))
            .unwrap()
    };
    for bytes in [limit + 1, 10_000_000] {
        let detail = bench.send(unread(bytes)).await.detail(413, "too-large");
        assert_eq!(detail, format!("the body has {bytes} bytes, of at most {limit} bytes"));
    }
    let chunks = stream::repeat_with(|| Ok::<_, std::io::Error>("x".repeat(64 * 1024)));
    let headers = [("content-type", "application/json")];
    let endless = request("POST", "/accounts-of", &headers, Body::from_stream(chunks));
    bench.send(endless).await.problem(413, "too-large");
    let fits = format!(r#"{{"owner":"{}"}}"#, "x".repeat(limit - 12));
    bench.post("/account/42/open", &fits).await.problem(413, "too-large");
}

/// A body that says how long it is, and must not be read.
struct Announced(usize);

impl axum::body::HttpBody for Announced {
    type Data = axum::body::Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Self::Data>, Self::Error>>> {
        panic!("the body was read");
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        hyper::body::SizeHint::with_exact(self.0 as u64)
    }
}
