//! Whoever calls the app.

use std::sync::LazyLock;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request};
use serde_json::Value;
use skyfold::Runtime;
use skyfold_http::{Options, router};
use skyfold_memory::Memory;
use tower::ServiceExt;

use crate::app::app;
use crate::traces::LOG;

/// The app on a store of its own, and a caller of it.
pub(crate) struct Bench {
    pub(crate) memory: Memory,
    pub(crate) runtime: Runtime,
    pub(crate) router: Router,
}

/// What the app has answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with(Options::default())
    }

    pub(crate) fn with(options: Options) -> Self {
        let memory = Memory::new();
        let runtime = app().bind(memory.ports()).unwrap();
        Self::of(memory, runtime, options)
    }

    /// The app that `runtime` runs on `memory`. What it logs is listened to before it is asked.
    pub(crate) fn of(memory: Memory, runtime: Runtime, options: Options) -> Self {
        LazyLock::force(&LOG);
        let router = router(runtime.clone(), options);
        Self { memory, runtime, router }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        let body = String::from_utf8(body.to_vec()).unwrap();
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.get_with(path, &[]).await
    }

    pub(crate) async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send(request("GET", path, headers, Body::empty())).await
    }

    /// Sends JSON, unless it is empty.
    pub(crate) async fn post(&self, path: &str, json: &str) -> Answer {
        self.post_with(path, json, &[]).await
    }

    pub(crate) async fn post_with(
        &self,
        path: &str,
        json: &str,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut headers = headers.to_vec();
        if !json.is_empty() {
            headers.push(("content-type", "application/json"));
        }
        self.send(request("POST", path, &headers, Body::from(json.to_owned()))).await
    }

    /// Opens an account and brings the views up to date.
    pub(crate) async fn open(&self, id: &str, owner: &str) {
        let body = serde_json::json!({ "owner": owner }).to_string();
        let answer = self.post(&format!("/account/{id}/open"), &body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        self.settle().await;
    }

    pub(crate) async fn settle(&self) {
        self.memory.settle(&self.runtime).await.unwrap();
    }
}

pub(crate) fn request(
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Body,
) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(body).unwrap()
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).unwrap_or_else(|| panic!("no {name}: {self:?}"));
        value.to_str().unwrap()
    }

    /// The document, which must be one in every respect, of a problem of this status and code.
    pub(crate) fn problem(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.header("cache-control"), "no-store");
        let document = self.json();
        assert_eq!(document["status"], status, "{document}");
        assert_eq!(document["type"], format!("/problems/{code}"), "{document}");
        for text in ["title", "detail", "correlation"] {
            let text = document[text].as_str().unwrap_or_default();
            assert!(!text.is_empty(), "{document}");
        }
        let instance = format!("urn:uuid:{}", self.header("x-request-id"));
        assert_eq!(document["instance"], instance, "{document}");
        assert_eq!(document["correlation"], self.header("x-correlation-id"), "{document}");
        document
    }

    /// What went wrong, in a problem of this status and code.
    pub(crate) fn detail(&self, status: u16, code: &str) -> String {
        self.problem(status, code)["detail"].as_str().unwrap().to_owned()
    }
}
