use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

use crate::host::{Function, FunctionApp};
use crate::installation::Apps;

/// How many bytes a request may have ("Azure Functions HTTP trigger", "Limits").
const REQUEST_BYTES_MAX: usize = 100 << 20;

/// What is asked over HTTP: forwarded as it is to the function whose route it is, of whatever
/// function app ("Azure Functions custom handlers", `enableForwardingHttpRequest`).
pub(crate) fn router(apps: Arc<Apps>) -> Router {
    Router::new().fallback(forward).with_state(apps)
}

/// Whether `function` answers for `path`.
fn answers(function: &Function, method: &Method, path: &str) -> bool {
    if function.kind() != "httpTrigger" {
        return false;
    }
    let methods = function.trigger["methods"].as_array().unwrap();
    let route = function.trigger["route"].as_str().unwrap();
    methods.contains(&json!(method.as_str().to_lowercase())) && is_route(route, path)
}

/// Whether `path` is one of `route`, whose parts in braces stand for any, and with a `*` for all
/// that follow ("Azure Functions HTTP trigger", "Customize the HTTP endpoint").
fn is_route(route: &str, path: &str) -> bool {
    let mut parts = path.trim_start_matches('/').split('/');
    for expected in route.split('/') {
        if expected.starts_with("{*") {
            return true;
        }
        let is_any = expected.starts_with('{');
        if !parts.next().is_some_and(|part| part == expected || (is_any && !part.is_empty())) {
            return false;
        }
    }
    parts.next().is_none()
}

async fn forward(State(apps): State<Arc<Apps>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let is_it = |app: &&FunctionApp| {
        app.functions.iter().any(|function| answers(function, &parts.method, parts.uri.path()))
    };
    let Some(app) = apps.values().find(is_it) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let body: Bytes = axum::body::to_bytes(body, REQUEST_BYTES_MAX).await.unwrap();
    let mut headers = parts.headers;
    headers.remove(header::HOST);
    headers.remove(header::CONTENT_LENGTH);
    let asked = app.client.request(parts.method, format!("{}{}", app.url(), parts.uri));
    let Ok(answer) = asked.headers(headers).body(body).send().await else {
        return StatusCode::BAD_GATEWAY.into_response();
    };
    let mut response = Response::builder().status(answer.status());
    for (name, value) in answer.headers() {
        if name != header::TRANSFER_ENCODING {
            response = response.header(name, value);
        }
    }
    let body = answer.bytes().await.unwrap_or_default();
    response.body(Body::from(body)).unwrap()
}
