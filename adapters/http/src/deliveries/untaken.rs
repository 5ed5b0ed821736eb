use axum::Json;
use axum::http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use skyfold::{Error, ErrorKind};

/// Why a delivery was not taken, as a problem document ("Problem Details for HTTP APIs", RFC 9457).
/// What delivers looks at the status alone.
#[derive(Debug)]
pub struct Untaken {
    status: StatusCode,
    detail: String,
}

#[derive(Serialize)]
struct Document<'a> {
    title: &'a str,
    status: u16,
    detail: &'a str,
}

impl Untaken {
    /// One that is answered with `status`, and with `detail`, which whoever delivers may read.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into() }
    }

    /// That of work which failed, and was not set aside.
    pub fn comes_again() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "it could not be handled, and must come again")
    }

    /// The same with another `status`, where what delivers makes something else of this one.
    #[must_use]
    pub fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// What it is answered with.
    pub fn status(&self) -> StatusCode {
        self.status
    }
}

impl From<Error> for Untaken {
    fn from(error: Error) -> Self {
        let status = match error.kind() {
            ErrorKind::Invalid | ErrorKind::Corrupt => StatusCode::BAD_REQUEST,
            _ if error.is_transient() => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        // What lies beneath may name machines: it is for the log alone.
        Self::new(status, error.message())
    }
}

impl IntoResponse for Untaken {
    fn into_response(self) -> Response {
        let Self { status, detail } = self;
        tracing::warn!(status = status.as_u16(), %detail, "a delivery was not taken");
        let title = status.canonical_reason().unwrap_or_default();
        let document = Document { title, status: status.as_u16(), detail: &detail };
        let mut response = (status, Json(document)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
