use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use serde::Serialize;
use skyfold::{Error, ErrorKind};

use crate::problem_types::{self, ProblemType};

/// The media type of every error.
pub(crate) const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// The media type of everything else.
pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// How many bytes of a detail are told.
const DETAIL_BYTES_MAX: usize = 1024;

/// When to come back, unless the service that is in trouble said so.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Why a request was not fulfilled, before it is known which request it was.
///
/// As a response it is still blank: the frame around all handlers writes the document
/// ("Problem Details for HTTP APIs", RFC 9457).
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub(crate) of: &'static ProblemType,
    /// What is told of this occurrence.
    pub(crate) detail: String,
    retry_after: Option<Duration>,
    /// What caused it, for the log alone.
    cause: Option<Arc<Error>>,
}

/// Which request a problem belongs to.
#[derive(Clone, Debug)]
pub(crate) struct Occurrence {
    /// The request's id.
    pub(crate) request: String,
    /// The business transaction.
    pub(crate) correlation: String,
}

/// The members of a problem document, in the order of the RFC.
#[derive(Serialize)]
struct Document<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    instance: String,
    correlation: &'a str,
}

impl Problem {
    pub(crate) fn new(of: &'static ProblemType, detail: impl Into<String>) -> Self {
        Self { of, detail: detail.into(), retry_after: None, cause: None }
    }

    /// A request that makes no sense.
    pub(crate) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(&problem_types::INVALID, detail)
    }

    /// The same, told of as `detail`.
    pub(crate) fn with_detail(self, detail: impl Into<String>) -> Self {
        Self { detail: detail.into(), ..self }
    }

    /// The same, as one of another type.
    pub(crate) fn with_type(self, of: &'static ProblemType) -> Self {
        Self { of, ..self }
    }

    /// The error that it came of, if it was one.
    pub(crate) fn cause(&self) -> Option<&Error> {
        self.cause.as_deref()
    }

    /// Whether it is nobody's fault but the app's.
    fn is_ours(&self) -> bool {
        self.of.status.is_server_error()
    }

    /// Logs what is not told to the caller.
    pub(crate) fn log(&self) {
        let (code, detail) = (self.of.code, &self.detail);
        match &self.cause {
            Some(cause) if self.is_ours() => tracing::error!(code, error = chain(cause), "failed"),
            _ if self.is_ours() => tracing::error!(code, %detail, "failed"),
            _ => tracing::debug!(code, %detail, "not fulfilled"),
        }
    }

    /// The document about it.
    pub(crate) fn document(&self, occurrence: &Occurrence) -> String {
        let document = Document {
            r#type: self.of.reference(),
            title: self.of.title,
            status: self.of.status.as_u16(),
            detail: &shortened(&self.detail),
            instance: format!("urn:uuid:{}", occurrence.request),
            correlation: &occurrence.correlation,
        };
        serde_json::to_string(&document).expect("a struct of texts has a JSON form")
    }

    /// The answer to the request, as a document.
    pub(crate) fn answer(&self, headers: HeaderMap, occurrence: &Occurrence) -> Response<Body> {
        let mut response = Response::new(Body::from(self.document(occurrence)));
        *response.status_mut() = self.of.status;
        *response.headers_mut() = headers;
        response.headers_mut().remove(header::CONTENT_LENGTH);
        let is_error = !self.of.status.is_success();
        let media_type = if is_error { PROBLEM_JSON } else { JSON };
        response.headers_mut().insert(header::CONTENT_TYPE, media_type);
        if let Some(seconds) = self.retry_seconds() {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }

    /// In how many seconds to come back, if that may help.
    fn retry_seconds(&self) -> Option<u64> {
        let may_pass = [StatusCode::ACCEPTED, StatusCode::SERVICE_UNAVAILABLE];
        if !may_pass.contains(&self.of.status) {
            return None;
        }
        let delay = self.retry_after.unwrap_or(RETRY_AFTER);
        Some(delay.as_secs_f64().ceil().max(1.0) as u64)
    }
}

impl From<Error> for Problem {
    /// The caller is told all about its own mistakes, and of others only what the error says of
    /// itself: what lies beneath may hold the names of machines.
    fn from(error: Error) -> Self {
        let of = ProblemType::of(error.kind());
        let is_theirs = of.status.is_client_error() && error.kind() != ErrorKind::Denied;
        let detail = if is_theirs { error.to_string() } else { error.message().to_owned() };
        Self { of, detail, retry_after: error.retry_after(), cause: Some(Arc::new(error)) }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response<Body> {
        let mut response = self.of.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// `detail` without its middle, if it is so long that it must repeat what the caller has sent.
fn shortened(detail: &str) -> Cow<'_, str> {
    if detail.len() <= DETAIL_BYTES_MAX {
        return detail.into();
    }
    let half = DETAIL_BYTES_MAX / 2;
    let is_boundary = |at: &usize| detail.is_char_boundary(*at);
    let head = (0..=half).rfind(is_boundary).unwrap_or(0);
    let tail = (detail.len() - half..).find(is_boundary).unwrap_or(detail.len());
    format!("{} … {}", &detail[..head], &detail[tail..]).into()
}

/// An error and all that caused it, on one line.
fn chain(error: &Error) -> String {
    let mut line = error.message().to_owned();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        // An error of this project shows its own cause as well.
        let own = error.downcast_ref::<Error>().map(|error| error.message().to_owned());
        line = format!("{line}: {}", own.unwrap_or_else(|| error.to_string()));
        cause = error.source();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn occurrence() -> Occurrence {
        Occurrence { request: "r".into(), correlation: "c".into() }
    }

    #[test]
    fn what_lies_beneath_an_error_of_ours_is_logged_and_not_told() {
        let beneath = Error::new(ErrorKind::Unavailable, "no route to 10.0.0.7");
        let error = Error::new(ErrorKind::Corrupt, "order-42@3 cannot be read")
            .with_source(Error::new(ErrorKind::Corrupt, "bad page").with_source(beneath));
        let problem = Problem::from(error);
        let document = problem.document(&occurrence());
        assert!(document.contains("order-42@3 cannot be read") && !document.contains("10.0.0.7"));
        let cause = problem.cause.unwrap();
        assert_eq!(chain(&cause), "order-42@3 cannot be read: bad page: no route to 10.0.0.7");
    }

    #[test]
    fn the_caller_is_told_why_its_request_makes_no_sense() {
        let error = Error::new(ErrorKind::Invalid, "not a command of order");
        let beneath = serde_json::from_str::<u32>("\"x\"").unwrap_err();
        let problem = Problem::from(error.with_source(beneath));
        let text = r#"not a command of order: invalid type: string "x", expected u32"#;
        assert!(problem.detail.starts_with(text), "{}", problem.detail);
    }

    #[test]
    fn a_detail_does_not_grow_with_what_the_caller_has_sent() {
        let long = format!("unknown parameter {:?}: known are a", "日".repeat(100_000));
        let problem = Problem::invalid(long);
        let document = problem.document(&occurrence());
        assert!(document.len() < 2 * DETAIL_BYTES_MAX, "{} bytes", document.len());
        assert!(document.contains("unknown parameter") && document.contains("known are a"));
        assert_eq!(shortened("short"), "short");
    }

    #[test]
    fn who_may_come_back_is_told_when() {
        let retry_after = |error: Error| {
            let response = Problem::from(error).answer(HeaderMap::new(), &occurrence());
            response.headers().get(header::RETRY_AFTER).map(|v| v.to_str().unwrap().to_owned())
        };
        let throttled = Error::new(ErrorKind::Throttled, "busy");
        assert_eq!(retry_after(throttled).as_deref(), Some("1"));
        let asked = Error::new(ErrorKind::Throttled, "busy");
        let asked = asked.with_retry_after(Duration::from_millis(2001));
        assert_eq!(retry_after(asked).as_deref(), Some("3"));
        assert_eq!(retry_after(Error::new(ErrorKind::Invalid, "no")), None);
    }
}
