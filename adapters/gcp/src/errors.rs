//! What Google Cloud says went wrong, in the terms of the ports: the one place that knows its
//! codes.

use std::time::Duration;

use googleapis_tonic_google_firestore_v1::google::rpc;
use prost::Message as _;
use skyfold::adapter::{THROTTLED_WAIT, again};
use skyfold::{Error, ErrorKind, Result};
use tonic::{Code, Status};

/// How the detail of an answer is called that says how long to wait ("google.rpc.RetryInfo").
const RETRY_INFO: &str = "type.googleapis.com/google.rpc.RetryInfo";

/// The error of a request about `what`, such as `the database projects/order/databases/(default)`.
pub(crate) fn failed(what: &str, status: Status) -> Error {
    let wait = retry_after(&status);
    refused(what, status.code(), status.message(), wait).with_source(status)
}

/// The error of one entry of a request about `what`, of which others succeeded.
pub(crate) fn entry_failed(what: &str, status: &rpc::Status) -> Error {
    let (code, message) = (Code::from_i32(status.code), status.message.as_str());
    refused(what, code, message, None).with_source(format!("{code:?}: {message}"))
}

/// The same outcome once more.
pub(crate) fn copy(outcome: &Result<()>) -> Result<()> {
    outcome.as_ref().map_err(again).copied()
}

fn refused(what: &str, code: Code, message: &str, wait: Option<Duration>) -> Error {
    let kind = kind(code, message);
    let error = Error::new(kind, format!("{what}: {}", hint(kind, message)));
    match kind {
        ErrorKind::Throttled => error.with_retry_after(wait.unwrap_or(THROTTLED_WAIT)),
        _ => error,
    }
}

/// Every code of gRPC ("google.rpc.Code"), as Firestore, Pub/Sub and Cloud Tasks use them. Aborted
/// is what two writers of one document at once come to ("Transactions and data contention").
fn kind(code: Code, message: &str) -> ErrorKind {
    match code {
        Code::FailedPrecondition if is_about_an_index(message) => ErrorKind::Invalid,
        Code::AlreadyExists | Code::FailedPrecondition | Code::Aborted => ErrorKind::Conflict,
        // The time of a change that another document had, later than any of this one.
        Code::InvalidArgument if message.contains("Invalid base version") => ErrorKind::Conflict,
        Code::ResourceExhausted | Code::InvalidArgument | Code::OutOfRange
            if is_about_a_size(message) =>
        {
            ErrorKind::Oversized
        }
        Code::ResourceExhausted => ErrorKind::Throttled,
        Code::InvalidArgument | Code::OutOfRange => ErrorKind::Invalid,
        Code::NotFound => ErrorKind::NotFound,
        Code::PermissionDenied | Code::Unauthenticated => ErrorKind::Denied,
        // Whatever was cut off on the way may have been carried out.
        Code::Cancelled
        | Code::DeadlineExceeded
        | Code::Internal
        | Code::Unavailable
        | Code::Unknown => ErrorKind::Unavailable,
        Code::Ok | Code::Unimplemented | Code::DataLoss => ErrorKind::Unexpected,
    }
}

/// What a caller can do about it.
fn hint(kind: ErrorKind, message: &str) -> &'static str {
    match kind {
        ErrorKind::Conflict => "another writer was faster",
        ErrorKind::Throttled => "it asks for fewer requests",
        ErrorKind::Oversized => "it does not take as much",
        ErrorKind::NotFound => "it does not exist: create it, or check its name and the project",
        ErrorKind::Denied => {
            "the credentials do not permit this, or there are none: give the service an account \
             with a role for this"
        }
        ErrorKind::Invalid if is_about_an_index(message) => {
            "it lacks an index: give it those of `indexes`"
        }
        ErrorKind::Invalid => "the request makes no sense to it",
        ErrorKind::Unavailable => "it did not answer",
        _ => "it failed",
    }
}

/// Whether a query was refused for want of an index ("The query requires an index").
fn is_about_an_index(message: &str) -> bool {
    message.contains("requires a") && message.contains("index")
}

/// Whether something was refused for its size.
fn is_about_a_size(message: &str) -> bool {
    ["maximum size", "maximum allowed size", "larger than max", "too large", "longer than"]
        .iter()
        .any(|part| message.contains(part))
}

/// How long the answer asks to wait.
fn retry_after(status: &Status) -> Option<Duration> {
    let details = rpc::Status::decode(status.details()).ok()?.details;
    let detail = details.into_iter().find(|detail| detail.type_url == RETRY_INFO)?;
    let delay = rpc::RetryInfo::decode(detail.value.as_slice()).ok()?.retry_delay?;
    Duration::try_from(delay).ok()
}

#[cfg(test)]
mod tests {
    use skyfold::adapter::unguarded;

    use super::*;

    #[test]
    fn a_code_has_the_kind_that_says_what_to_do() {
        for (code, message, kind) in [
            (Code::AlreadyExists, "", ErrorKind::Conflict),
            (Code::FailedPrecondition, "the stored version does not match", ErrorKind::Conflict),
            (Code::FailedPrecondition, "The query requires an index.", ErrorKind::Invalid),
            (Code::FailedPrecondition, "requires a COLLECTION_GROUP_ASC index", ErrorKind::Invalid),
            (Code::Aborted, "Too much contention", ErrorKind::Conflict),
            (Code::ResourceExhausted, "Quota exceeded", ErrorKind::Throttled),
            (Code::ResourceExhausted, "message larger than max", ErrorKind::Oversized),
            (Code::InvalidArgument, "exceeds the maximum allowed size", ErrorKind::Oversized),
            (Code::InvalidArgument, "bad", ErrorKind::Invalid),
            (Code::InvalidArgument, "Invalid base version, it is greater", ErrorKind::Conflict),
            (Code::NotFound, "", ErrorKind::NotFound),
            (Code::Unauthenticated, "", ErrorKind::Denied),
            (Code::Unknown, "transport error", ErrorKind::Unavailable),
            (Code::DeadlineExceeded, "", ErrorKind::Unavailable),
            (Code::Unimplemented, "", ErrorKind::Unexpected),
        ] {
            let error = failed("the database d", Status::new(code, message));
            assert_eq!(error.kind(), kind, "{code:?} {message}: {error}");
            assert_eq!(error.retry_after().is_some(), kind == ErrorKind::Throttled);
        }
    }

    #[test]
    fn the_wait_that_is_asked_for_is_told() {
        let delay = Some(prost_types::Duration { seconds: 3, nanos: 500_000_000 });
        let value = rpc::RetryInfo { retry_delay: delay }.encode_to_vec();
        let detail = prost_types::Any { type_url: RETRY_INFO.into(), value };
        let details = rpc::Status { details: vec![detail], ..Default::default() }.encode_to_vec();
        let status = Status::with_details(Code::ResourceExhausted, "Quota", details.into());
        let error = failed("the topic t", status);
        assert_eq!(error.retry_after(), Some(Duration::from_millis(3_500)));
    }

    #[test]
    fn what_nothing_had_to_hold_for_does_not_conflict() {
        let error = unguarded(failed("the database d", Status::aborted("contention")));
        assert_eq!(error.kind(), ErrorKind::Throttled);
        assert!(error.retry_after().is_some() && error.to_string().contains("contention"));
    }
}
