//! What surrounds every handler: the ids of the request, its span, and the form of its errors.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use axum::middleware::Next;
use axum::response::IntoResponse;
use futures::FutureExt;
use skyfold::CommandId;
use tracing::{Instrument, Span, field};

use crate::headers::{CORRELATION, Headers, TRACEPARENT, traceparent};
use crate::problem::{JSON, Occurrence, Problem};
use crate::problem_types::{self, ProblemType};
use crate::router::Host;

/// The header that carries the id of the request.
const REQUEST: HeaderName = HeaderName::from_static("x-request-id");

/// Which request this is, as every handler may know.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ids {
    /// Unique among requests.
    pub(crate) request: String,
    /// The business transaction, if the caller named it.
    pub(crate) correlation: Option<String>,
    /// The trace context, if the caller has one.
    pub(crate) traceparent: Option<String>,
}

impl Ids {
    /// What a problem of this request belongs to.
    pub(crate) fn occurrence(&self) -> Occurrence {
        let correlation = self.correlation.clone().unwrap_or_else(|| self.request.clone());
        Occurrence { request: self.request.clone(), correlation }
    }
}

/// The business transaction that a handler has begun, where the caller named none.
#[derive(Clone, Debug)]
pub(crate) struct Begun(pub(crate) String);

/// Runs a request within its span, and sees to it that every error, a panic included, is a problem
/// document.
pub(crate) async fn frame(
    State(host): State<Arc<Host>>,
    mut request: Request,
    next: Next,
) -> Response<Body> {
    let request_id = CommandId::fresh(host.runtime.now()).to_string();
    let mut ids = Ids { request: request_id, ..Ids::default() };
    let span = span(&request, &ids);
    let asked = (request.method().clone(), request.uri().path().to_owned());
    let counted = host.requests.as_ref().map(|counts| (counts, function(&request), Instant::now()));
    let answer = async {
        let response = match identify(&mut ids, request.headers()) {
            Err(problem) => problem.into_response(),
            Ok(()) => {
                request.extensions_mut().insert(ids.clone());
                no_panic(next.run(request)).await.unwrap_or_else(IntoResponse::into_response)
            }
        };
        finish(response, ids, &asked)
    };
    let response = answer.instrument(span).await;
    if let Some((requests, function, begun)) = counted {
        requests.count(&function, response.status(), begun.elapsed());
    }
    response
}

/// What a request is counted under: the first segment of a path that is served. What callers make
/// up is all one.
fn function(request: &Request) -> String {
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let first = path.split('/').nth(1).filter(|segment| !segment.is_empty());
    first.unwrap_or(if path.is_empty() { "nothing" } else { "page" }).to_owned()
}

/// Runs `future`; a panic in it is a problem like another.
pub(crate) async fn no_panic<T>(future: impl Future<Output = T>) -> Result<T, Problem> {
    AssertUnwindSafe(future).catch_unwind().await.map_err(|panic| {
        tracing::error!(panic = text_of(&*panic), "a handler panicked");
        Problem::new(&problem_types::UNEXPECTED, "the request met a defect of the app")
    })
}

fn text_of(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message")
}

fn span(request: &Request, ids: &Ids) -> Span {
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    tracing::info_span!(
        "request",
        method = %request.method(),
        path,
        request = ids.request,
        correlation = field::Empty,
        traceparent = field::Empty,
    )
}

/// Takes from the headers what the caller says of the request.
fn identify(ids: &mut Ids, headers: &HeaderMap) -> Result<(), Problem> {
    ids.traceparent = traceparent(headers);
    if let Some(traceparent) = &ids.traceparent {
        Span::current().record(TRACEPARENT, traceparent);
    }
    ids.correlation = Headers(headers).correlation()?;
    if let Some(correlation) = &ids.correlation {
        Span::current().record("correlation", correlation);
    }
    Ok(())
}

/// Writes the document of a problem and the headers of every response.
fn finish(mut response: Response<Body>, mut ids: Ids, asked: &(Method, String)) -> Response<Body> {
    if let Some(Begun(correlation)) = response.extensions_mut().remove::<Begun>() {
        ids.correlation = Some(correlation);
    }
    let occurrence = ids.occurrence();
    let problem = response.extensions_mut().remove().or_else(|| unexplained(&response, asked));
    if let Some(problem) = problem {
        problem.log();
        response = problem.answer(std::mem::take(response.headers_mut()), &occurrence);
    }
    tracing::info!(status = response.status().as_u16(), "answered");
    let headers = response.headers_mut();
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    for (name, value) in [(REQUEST, occurrence.request), (CORRELATION, occurrence.correlation)] {
        let value = HeaderValue::try_from(value).expect("ids are printable ASCII");
        headers.insert(name, value);
    }
    response
}

/// The problem of an error that no handler wrote: theirs are JSON.
fn unexplained(response: &Response<Body>, (method, path): &(Method, String)) -> Option<Problem> {
    let (status, content_type) = (response.status(), response.headers().get(header::CONTENT_TYPE));
    let is_error = status.is_client_error() || status.is_server_error();
    if !is_error || content_type == Some(&JSON) {
        return None;
    }
    let of = ProblemType::of_status(status);
    let detail = match status {
        StatusCode::METHOD_NOT_ALLOWED => format!("{path} does not take the method {method}"),
        _ => format!("{method} {path} was answered with status {status}"),
    };
    Some(Problem::new(of, detail))
}
