//! Errors that every adapter makes of another.

use std::time::Duration;

use crate::ports::{DocumentKey, Write};
use crate::{Error, ErrorKind, Head};

/// How long to wait after a request that came too often, where the answer does not say.
pub const THROTTLED_WAIT: Duration = Duration::from_millis(100);

/// The same error once more, for each call that one request stood for.
pub fn again(error: &Error) -> Error {
    let copy = Error::new(error.kind(), error.to_string());
    match error.retry_after() {
        Some(wait) => copy.with_retry_after(wait),
        None => copy,
    }
}

/// `error` as that of a write that nothing had to hold for: what it met was not another writer's
/// success, but too many of them at once.
pub fn unguarded(error: Error) -> Error {
    match error.kind() {
        ErrorKind::Conflict => Error::new(ErrorKind::Throttled, error.message())
            .with_retry_after(THROTTLED_WAIT)
            .with_source(error),
        _ => error,
    }
}

/// `error` as that of an append at `expected`: a conflict tells that the stream has gone on.
///
/// What is there may be the append's own, of which the answer was lost, or that of another process
/// which was given the same command at the same moment: to the byte the same. Core reads which, and
/// so tells a first answer from a repeated one.
pub fn overtaken(expected: &Head, error: Error) -> Error {
    match error.kind() {
        ErrorKind::Conflict => {
            let (stream, version) = (expected.stream(), expected.version());
            let message = format!("{stream} no longer ends at version {version}");
            Error::new(ErrorKind::Conflict, message).with_source(error)
        }
        _ => error,
    }
}

/// `error` as that of `write`, whose guard has failed.
pub fn guard_failed(write: &Write, error: Error) -> Error {
    let DocumentKey { collection, id } = &write.key;
    let message = format!("the document {id} of {collection} is not {:?}", write.guard);
    Error::new(ErrorKind::Conflict, message).with_source(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nothing_had_to_hold_for_does_not_conflict() {
        let error = unguarded(Error::new(ErrorKind::Conflict, "contention"));
        assert_eq!(error.kind(), ErrorKind::Throttled);
        assert!(error.retry_after().is_some() && error.to_string().contains("contention"));
        let other = unguarded(Error::new(ErrorKind::Denied, "no"));
        assert_eq!((other.kind(), other.retry_after()), (ErrorKind::Denied, None));
    }

    #[test]
    fn an_error_once_more_asks_for_the_same() {
        let wait = Duration::from_secs(3);
        let error = Error::new(ErrorKind::Throttled, "often").with_retry_after(wait);
        assert_eq!((again(&error).kind(), again(&error).retry_after()), (error.kind(), Some(wait)));
    }
}
