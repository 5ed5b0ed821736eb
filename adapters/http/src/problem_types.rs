//! Which problems there are: part of the interface, so a code is never renamed.

use axum::http::StatusCode;
use skyfold::ErrorKind;

/// A kind of problem, told in every problem document and explained at `/problems/{code}`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ProblemType {
    /// The word for machines.
    pub(crate) code: &'static str,
    pub(crate) status: StatusCode,
    /// The words for people.
    pub(crate) title: &'static str,
    /// What it means and what to do about it.
    pub(crate) explanation: &'static str,
}

impl ProblemType {
    /// The reference by which a problem document names it.
    pub(crate) fn reference(&self) -> String {
        format!("/problems/{}", self.code)
    }

    /// The one that an error of this kind is.
    pub(crate) fn of(kind: ErrorKind) -> &'static Self {
        Self::coded(kind.code()).unwrap_or(&UNEXPECTED)
    }

    pub(crate) fn coded(code: &str) -> Option<&'static Self> {
        ALL.iter().find(|known| known.code == code).copied()
    }

    /// The most general one of `status`.
    pub(crate) fn of_status(status: StatusCode) -> &'static Self {
        let general = || if status.is_client_error() { &INVALID } else { &UNEXPECTED };
        ALL.iter().find(|known| known.status == status).copied().unwrap_or_else(general)
    }
}

/// All of them; of those of one status, the most general first.
pub(crate) const ALL: [&ProblemType; 18] = [
    &PENDING,
    &INVALID,
    &DENIED,
    &NOT_FOUND,
    &METHOD_NOT_ALLOWED,
    &SLOW_BODY,
    &CONFLICT,
    &PRECONDITION_FAILED,
    &TOO_LARGE,
    &MEDIA_TYPE,
    &REFUSED,
    &ID_REUSED,
    &UNEXPECTED,
    &CORRUPT,
    &UNAVAILABLE,
    &THROTTLED,
    &NEWER_RELEASE,
    &OUT_OF_TIME,
];

pub(crate) const PENDING: ProblemType = ProblemType {
    code: "pending",
    status: StatusCode::ACCEPTED,
    title: "Not shown yet",
    explanation: "The event named by \"after\" has been recorded or may still be, but the view \
        that was asked for does not reflect it yet. Nothing is wrong: ask again after the time in \
        Retry-After, or ask for server-sent events and be told.",
};

pub(crate) const INVALID: ProblemType = ProblemType {
    code: "invalid",
    status: StatusCode::BAD_REQUEST,
    title: "The request makes no sense",
    explanation: "The request is malformed, or says something that no such app understands. \
        The detail names the part and what was expected. Sending it again unchanged will not help.",
};

pub(crate) const DENIED: ProblemType = ProblemType {
    code: "denied",
    status: StatusCode::FORBIDDEN,
    title: "Not permitted",
    explanation: "A service that the request needs does not permit it. Sending it again will not \
        help until somebody grants the permission.",
};

pub(crate) const NOT_FOUND: ProblemType = ProblemType {
    code: "not-found",
    status: StatusCode::NOT_FOUND,
    title: "There is no such thing",
    explanation: "There is no command, view, list, query or stream of that name, or it had not \
        reached that version. What there is, is listed in /openapi.json. If it was made a moment \
        ago, name the event of its receipt in \"after\", and the answer waits for it.",
};

pub(crate) const METHOD_NOT_ALLOWED: ProblemType = ProblemType {
    code: "method-not-allowed",
    status: StatusCode::METHOD_NOT_ALLOWED,
    title: "Not by this method",
    explanation: "The path exists but does not take this method. The Allow header names those that \
        it takes.",
};

pub(crate) const SLOW_BODY: ProblemType = ProblemType {
    code: "slow-body",
    status: StatusCode::REQUEST_TIMEOUT,
    title: "The body did not arrive in time",
    explanation: "The body of the request was not complete when the time for it was up. Nothing \
        was done: send the request again.",
};

pub(crate) const CONFLICT: ProblemType = ProblemType {
    code: "conflict",
    status: StatusCode::CONFLICT,
    title: "Others were faster",
    explanation: "The stream was written by others each time the command was decided on. Nothing \
        was recorded: send the command again with the same Idempotency-Key.",
};

pub(crate) const PRECONDITION_FAILED: ProblemType = ProblemType {
    code: "precondition-failed",
    status: StatusCode::PRECONDITION_FAILED,
    title: "The stream has another version",
    explanation: "The stream is not at the version that If-Match asked for, so nothing was \
        recorded. Look at what has changed, decide again, and send the command with the version \
        that you have seen.",
};

pub(crate) const TOO_LARGE: ProblemType = ProblemType {
    code: "too-large",
    status: StatusCode::PAYLOAD_TOO_LARGE,
    title: "Too large",
    explanation: "The body, or what would be recorded of it, exceeds a limit that holds on every \
        cloud. The detail says how large it is and how large it may be. Split it into several \
        commands.",
};

pub(crate) const MEDIA_TYPE: ProblemType = ProblemType {
    code: "unsupported-media-type",
    status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
    title: "Not JSON",
    explanation: "The body must be JSON in UTF-8, without a content coding, and the Content-Type \
        header must say so: application/json.",
};

pub(crate) const REFUSED: ProblemType = ProblemType {
    code: "refused",
    status: StatusCode::UNPROCESSABLE_ENTITY,
    title: "The command was refused",
    explanation: "The command was understood, and the rules of the domain refuse it in the state \
        that the stream is in. The detail is the reason. Nothing was recorded.",
};

pub(crate) const ID_REUSED: ProblemType = ProblemType {
    code: "id-reused",
    status: StatusCode::UNPROCESSABLE_ENTITY,
    title: "The idempotency key was used for another command",
    explanation: "A command with this Idempotency-Key and other content took effect before. \
        Nothing was recorded now: give every command a key of its own, best a UUIDv7.",
};

pub(crate) const UNEXPECTED: ProblemType = ProblemType {
    code: "unexpected",
    status: StatusCode::INTERNAL_SERVER_ERROR,
    title: "Something went wrong",
    explanation: "The app met something that it was not made for. The log says more under the \
        correlation id of the document. A command may have taken effect: sent again with the same \
        Idempotency-Key, it takes effect once.",
};

pub(crate) const CORRUPT: ProblemType = ProblemType {
    code: "corrupt",
    status: StatusCode::INTERNAL_SERVER_ERROR,
    title: "Stored data cannot be read",
    explanation: "What is stored is not what it claims to be, or the code that reads it fails on \
        it. It will not pass by itself: somebody has to look. The log says more under the \
        correlation id of the document.",
};

pub(crate) const UNAVAILABLE: ProblemType = ProblemType {
    code: "unavailable",
    status: StatusCode::SERVICE_UNAVAILABLE,
    title: "A service cannot be reached",
    explanation: "A service that the app needs did not answer. A command may have taken effect: \
        send it again with the same Idempotency-Key after the time in Retry-After, and it takes \
        effect once.",
};

pub(crate) const THROTTLED: ProblemType = ProblemType {
    code: "throttled",
    status: StatusCode::SERVICE_UNAVAILABLE,
    title: "Too many requests at once",
    explanation: "A service that the app needs asks for fewer requests. Send it again, with the \
        same Idempotency-Key, after the time in Retry-After.",
};

pub(crate) const NEWER_RELEASE: ProblemType = ProblemType {
    code: "newer-release",
    status: StatusCode::SERVICE_UNAVAILABLE,
    title: "Written by a newer release",
    explanation: "What is stored was written by a newer release of the app than the one that was \
        asked, as happens while one is deployed. Send it again, with the same Idempotency-Key, \
        until an instance of the newer release answers.",
};

pub(crate) const OUT_OF_TIME: ProblemType = ProblemType {
    code: "out-of-time",
    status: StatusCode::SERVICE_UNAVAILABLE,
    title: "No answer in time",
    explanation: "The app did not answer within the time that it has for a request. A command may \
        have taken effect: send it again with the same Idempotency-Key, and it takes effect once.",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_error_is_a_problem_of_its_own() {
        for (kind, status) in [
            (ErrorKind::Conflict, 409),
            (ErrorKind::Duplicate, 422),
            (ErrorKind::NotFound, 404),
            (ErrorKind::Throttled, 503),
            (ErrorKind::Oversized, 413),
            (ErrorKind::Corrupt, 500),
            (ErrorKind::Newer, 503),
            (ErrorKind::Invalid, 400),
            (ErrorKind::Denied, 403),
            (ErrorKind::Unavailable, 503),
            (ErrorKind::Unexpected, 500),
        ] {
            let problem = ProblemType::of(kind);
            assert_eq!((problem.code, problem.status.as_u16()), (kind.code(), status));
        }
    }

    #[test]
    fn a_status_is_the_most_general_problem_that_has_it() {
        for (status, code) in
            [(422, "refused"), (500, "unexpected"), (418, "invalid"), (502, "unexpected")]
        {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(ProblemType::of_status(status).code, code);
        }
    }
}
