//! What describes the app to whoever has never seen it.

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderValue, Uri, header};
use axum::response::IntoResponse;
use axum::routing::get;
use skyfold::Manifest;

use crate::openapi;
use crate::options::Options;
use crate::problem::{JSON, Problem};
use crate::problem_types::{NOT_FOUND, ProblemType};
use crate::query_string::segments;

/// The page to try the app, which needs nothing but itself.
const PAGE: &str = include_str!("page.html");

/// The page may talk to its own app and load nothing from anywhere.
const POLICY: &str = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; \
    img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

/// The paths of the page, of the document that it reads, and of what explains problems.
pub(crate) fn routes(manifest: &Manifest, options: &Options) -> Router {
    let document = Bytes::from(openapi::document(manifest, options).to_string());
    let describe = move || async move {
        let headers = [(header::CONTENT_TYPE, JSON), (header::CACHE_CONTROL, NO_CACHE)];
        (headers, document).into_response()
    };
    Router::new()
        .route("/", get(show))
        .route("/openapi.json", get(describe))
        .route("/problems/{code}", get(explain))
}

/// Both change with the app, so that a copy is not used unasked.
const NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache");

async fn show() -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (header::CACHE_CONTROL, NO_CACHE),
    ];
    (headers, PAGE)
}

async fn explain(uri: Uri) -> Result<impl IntoResponse, Problem> {
    let code = segments(uri.path())?.pop().unwrap_or_default();
    let unknown = || Problem::new(&NOT_FOUND, format!("there is no problem {code:?}"));
    let ProblemType { title, status, explanation, .. } =
        ProblemType::coded(&code).ok_or_else(unknown)?;
    let content_type = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    let text = format!("{title}\n\nStatus {status}. {explanation}\n");
    Ok((content_type, text))
}
