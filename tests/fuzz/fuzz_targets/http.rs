//! No request is the app's fault: whatever is sent to the order app is answered, with a problem
//! document if it makes no sense, and never with a 5xx.
//!
//! The input is a request as it is written down: `METHOD path`, headers, an empty line, the body.
#![no_main]

use std::sync::LazyLock;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use libfuzzer_sys::fuzz_target;
use skyfold_http::{Operations, Options};
use skyfold_memory::Memory;
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;

/// One app for all requests: what some leave behind, others find.
static APP: LazyLock<(Runtime, Router)> = LazyLock::new(|| {
    let runtime = order::app().bind(Memory::new().ports()).unwrap();
    let options =
        Options { wait_max: Duration::ZERO, operations: Operations::Served, ..Options::default() };
    let tokio = Builder::new_current_thread().enable_all().build().unwrap();
    (tokio, skyfold_http::router(runtime, options))
});

/// More than any answer has.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

fn request(bytes: &[u8]) -> Option<Request<Body>> {
    let (head, body) = match bytes.windows(2).position(|two| two == b"\n\n") {
        Some(at) => (&bytes[..at], &bytes[at + 2..]),
        None => (bytes, &b""[..]),
    };
    let mut lines = head.split(|byte| *byte == b'\n');
    let first = std::str::from_utf8(lines.next()?).ok()?;
    let (method, path) = first.split_once(' ')?;
    let mut request = Request::builder().method(method).uri(path);
    for line in lines {
        let colon = line.iter().position(|byte| *byte == b':')?;
        request = request.header(&line[..colon], line[colon + 1..].trim_ascii());
    }
    // What is no request at all is refused below the app.
    request.body(Body::from(body.to_vec())).ok()
}

fuzz_target!(|bytes: &[u8]| {
    let Some(request) = request(bytes) else { return };
    let is_head = request.method() == "HEAD";
    let (tokio, router) = &*APP;
    tokio.block_on(async {
        let answer = router.clone().oneshot(request).await.unwrap();
        let (head, body) = answer.into_parts();
        assert!(head.status < StatusCode::INTERNAL_SERVER_ERROR, "{head:?}");
        let body = to_bytes(body, ANSWER_BYTES_MAX).await.unwrap();
        if head.status.is_client_error() && !is_head {
            assert_eq!(head.headers[header::CONTENT_TYPE], "application/problem+json");
            let problem: serde_json::Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(problem["status"], head.status.as_u16());
        }
    });
});
