//! Errors as problem documents ("Problem Details for HTTP APIs", RFC 9457) and back: the codes are
//! those of `skyfold-http`.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use skyfold::{Error, ErrorKind};

/// What the type of a problem begins with; its code follows.
const TYPE_PREFIX: &str = "/problems/";

/// The code of a refusal by the domain.
const REFUSED: &str = "refused";

/// What a problem document tells.
#[derive(Debug)]
pub(crate) enum Problem {
    /// The domain refused the command, for this reason.
    Refused(String),
    /// Something went wrong.
    Met(Error),
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        match problem {
            Problem::Met(error) => error,
            Problem::Refused(reason) => Self::new(ErrorKind::Unexpected, reason),
        }
    }
}

/// A problem document, as far as a caller acts on it.
#[derive(Debug, Deserialize, Serialize)]
struct Document {
    r#type: String,
    detail: String,
}

/// The document about `error`.
pub(crate) fn of(error: &Error) -> String {
    document(error.kind().code(), &error.to_string())
}

/// The document about a refusal by the domain.
pub(crate) fn of_refusal(reason: &str) -> String {
    document(REFUSED, reason)
}

fn document(code: &str, detail: &str) -> String {
    let document = Document { r#type: format!("{TYPE_PREFIX}{code}"), detail: detail.to_owned() };
    serde_json::to_string(&document).expect("a struct of texts has a JSON form")
}

/// What `body` tells, an answer of this `status`.
pub(crate) fn read(status: u16, retry_after: Option<Duration>, body: &str) -> Problem {
    let document = serde_json::from_str::<Document>(body).ok();
    let code = document.as_ref().and_then(|document| document.r#type.strip_prefix(TYPE_PREFIX));
    let kind = code.and_then(kind_of_code).unwrap_or_else(|| kind_of_status(status));
    let is_refusal = code == Some(REFUSED);
    let detail = document.map(|document| document.detail);
    let detail = detail.unwrap_or_else(|| format!("the app answered with the status {status}"));
    if is_refusal {
        return Problem::Refused(detail);
    }
    let error = Error::new(kind, detail);
    Problem::Met(match retry_after {
        Some(delay) => error.with_retry_after(delay),
        None => error,
    })
}

/// The kind of error that a code stands for.
fn kind_of_code(code: &str) -> Option<ErrorKind> {
    let own = [
        ErrorKind::Conflict,
        ErrorKind::Duplicate,
        ErrorKind::NotFound,
        ErrorKind::Throttled,
        ErrorKind::Oversized,
        ErrorKind::Corrupt,
        ErrorKind::Newer,
        ErrorKind::Invalid,
        ErrorKind::Denied,
        ErrorKind::Unavailable,
        ErrorKind::Unexpected,
    ];
    let own = own.into_iter().find(|kind| kind.code() == code);
    own.or(match code {
        "precondition-failed" => Some(ErrorKind::Conflict),
        "pending" | "out-of-time" | "slow-body" => Some(ErrorKind::Unavailable),
        _ => None,
    })
}

/// The kind of error that a status stands for, for an answer that says no more: one of a proxy.
fn kind_of_status(status: u16) -> ErrorKind {
    match status {
        202 | 408 | 502..=504 => ErrorKind::Unavailable,
        401 | 403 => ErrorKind::Denied,
        404 => ErrorKind::NotFound,
        409 | 412 => ErrorKind::Conflict,
        413 => ErrorKind::Oversized,
        429 => ErrorKind::Throttled,
        400 | 422 => ErrorKind::Invalid,
        _ => ErrorKind::Unexpected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(status: u16, body: &str) -> ErrorKind {
        Error::from(read(status, None, body)).kind()
    }

    #[test]
    fn an_error_survives_the_way_through_a_document() {
        let error = Error::new(ErrorKind::Duplicate, "the id c was used before");
        let back = Error::from(read(422, None, &of(&error)));
        assert_eq!((back.kind(), back.message()), (error.kind(), error.message()));
    }

    #[test]
    fn a_refusal_is_an_outcome() {
        let problem = read(422, None, &of_refusal("out of stock"));
        assert!(matches!(problem, Problem::Refused(reason) if reason == "out of stock"));
    }

    #[test]
    fn a_code_says_more_than_a_status() {
        let problem = |code: &str| format!(r#"{{"type":"/problems/{code}","detail":""}}"#);
        for (code, expected) in [
            ("throttled", ErrorKind::Throttled),
            ("precondition-failed", ErrorKind::Conflict),
            ("pending", ErrorKind::Unavailable),
            ("out-of-time", ErrorKind::Unavailable),
            ("slow-body", ErrorKind::Unavailable),
            ("of-tomorrow", ErrorKind::Unexpected),
        ] {
            assert_eq!(kind(500, &problem(code)), expected, "{code}");
        }
        assert_eq!(kind(404, &problem("of-tomorrow")), ErrorKind::NotFound);
    }

    #[test]
    fn an_answer_of_a_proxy_is_understood_by_its_status() {
        for (status, expected) in [
            (202, ErrorKind::Unavailable),
            (301, ErrorKind::Unexpected),
            (400, ErrorKind::Invalid),
            (401, ErrorKind::Denied),
            (403, ErrorKind::Denied),
            (404, ErrorKind::NotFound),
            (409, ErrorKind::Conflict),
            (412, ErrorKind::Conflict),
            (413, ErrorKind::Oversized),
            (422, ErrorKind::Invalid),
            (429, ErrorKind::Throttled),
            (500, ErrorKind::Unexpected),
            (502, ErrorKind::Unavailable),
            (504, ErrorKind::Unavailable),
        ] {
            assert_eq!(kind(status, "<html>"), expected, "{status}");
        }
        let error = Error::from(read(503, Some(Duration::from_secs(2)), ""));
        assert_eq!(error.retry_after(), Some(Duration::from_secs(2)));
    }
}
