//! What Azure says went wrong, in the terms of the ports: the one place that knows its codes.

use std::time::Duration;

use azure_data_cosmos::CosmosError;
use skyfold::adapter::THROTTLED_WAIT;
use skyfold::{Error, ErrorKind};

/// What the SDK says of an answer that it could not read.
const UNREADABLE: u16 = 20020;

/// The error of a request to Cosmos DB about `what`, such as `the container order-events`.
pub(crate) fn failed(what: &str, error: CosmosError) -> Error {
    let status = u16::from(error.status().status_code());
    let part = error.status().sub_status().map_or(0, |part| part.value());
    let headers = error.response().map(|response| response.headers());
    let wait = headers.and_then(|headers| headers.retry_after_ms).map(Duration::from_millis);
    refused(what, status, part, wait).with_source(error)
}

/// The error of a request to another service about `what` that was answered with `status`.
pub(crate) fn answered(what: &str, status: u16, wait: Option<Duration>, said: String) -> Error {
    refused(what, status, 0, wait).with_source(format!("{status}: {said}"))
}

/// The error of a request about `what` for which there is no token. Whoever gives them may be back
/// at any time; that there are none at all is told at the start.
pub(crate) fn without_token(what: &str, error: azure_core::Error) -> Error {
    let message = format!("{what}: there is no token for it now");
    Error::new(ErrorKind::Unavailable, message).with_source(error)
}

/// The error of a request about `what` that nobody answered.
pub(crate) fn unanswered(what: &str, error: reqwest::Error) -> Error {
    let (kind, hint) = match error.is_builder() {
        true => (ErrorKind::Invalid, hint(ErrorKind::Invalid)),
        false => (ErrorKind::Unavailable, hint(ErrorKind::Unavailable)),
    };
    // What it says of the URL may hold a signature.
    Error::new(kind, format!("{what}: {hint}")).with_source(error.without_url())
}

fn refused(what: &str, status: u16, part: u16, wait: Option<Duration>) -> Error {
    let kind = kind(status, part);
    let error = Error::new(kind, format!("{what}: {}", hint(kind)));
    match kind {
        ErrorKind::Throttled => error.with_retry_after(wait.unwrap_or(THROTTLED_WAIT)),
        _ => error,
    }
}

/// Every code that asks for something else than another of its class ("HTTP status codes for Azure
/// Cosmos DB", "Status and error codes" of Azure Storage, and those of Event Grid).
fn kind(status: u16, part: u16) -> ErrorKind {
    match (status, part) {
        (_, UNREADABLE) => ErrorKind::Corrupt,
        // The region takes no writes now, or no longer has the account.
        (403, 3 | 1008) => ErrorKind::Unavailable,
        // A logical partition has 20 GB.
        (403, 1014) => ErrorKind::Oversized,
        // No request went out: there was no token to sign it with.
        (401, 20401 | 20402) => ErrorKind::Unavailable,
        (401 | 403, _) => ErrorKind::Denied,
        // The replica is behind what this process has seen.
        (404, 1002) => ErrorKind::Unavailable,
        (404, _) => ErrorKind::NotFound,
        (409 | 412, _) => ErrorKind::Conflict,
        (413, _) => ErrorKind::Oversized,
        // Writers of one item met: none of them was made.
        (429 | 449, _) => ErrorKind::Throttled,
        (400 | 405 | 406 | 411 | 415, _) => ErrorKind::Invalid,
        (408 | 410 | 423 | 500.., _) => ErrorKind::Unavailable,
        _ => ErrorKind::Unexpected,
    }
}

/// What a caller can do about it.
fn hint(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Conflict => "another writer was faster",
        ErrorKind::Throttled => "it asks for fewer requests",
        ErrorKind::Oversized => "it does not take as much",
        ErrorKind::NotFound => "it does not exist: create it, or check its name and the account",
        ErrorKind::Denied => {
            "the credentials do not permit this, or there are none: give the identity of the app a \
             role for this"
        }
        ErrorKind::Invalid => "the request makes no sense to it",
        ErrorKind::Unavailable => "it did not answer",
        ErrorKind::Corrupt => "the answer could not be read",
        _ => "it failed",
    }
}

#[cfg(test)]
mod tests {
    use skyfold::adapter::unguarded;

    use super::*;

    #[test]
    fn a_code_has_the_kind_that_says_what_to_do() {
        for (status, part, expected) in [
            (400, 0, ErrorKind::Invalid),
            (401, 0, ErrorKind::Denied),
            (401, 20402, ErrorKind::Unavailable),
            (403, 0, ErrorKind::Denied),
            (403, 3, ErrorKind::Unavailable),
            (403, 1014, ErrorKind::Oversized),
            (404, 0, ErrorKind::NotFound),
            (404, 1003, ErrorKind::NotFound),
            (404, 1002, ErrorKind::Unavailable),
            (408, 20008, ErrorKind::Unavailable),
            (409, 0, ErrorKind::Conflict),
            (412, 0, ErrorKind::Conflict),
            (413, 0, ErrorKind::Oversized),
            (429, 3200, ErrorKind::Throttled),
            (449, 0, ErrorKind::Throttled),
            (500, 20020, ErrorKind::Corrupt),
            (503, 20003, ErrorKind::Unavailable),
        ] {
            let error = refused("the container c", status, part, None);
            assert_eq!(error.kind(), expected, "{status} {part}: {error}");
            assert_eq!(error.retry_after().is_some(), expected == ErrorKind::Throttled);
        }
    }

    #[test]
    fn what_nothing_had_to_hold_for_does_not_conflict() {
        let error = unguarded(answered("the container c", 409, None, "contention".into()));
        assert_eq!(error.kind(), ErrorKind::Throttled);
        assert!(error.retry_after().is_some() && error.to_string().contains("409"), "{error}");
    }
}
