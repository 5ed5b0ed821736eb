use std::fmt;

use serde::Serialize;
use skyfold::{CommandId, Error, ErrorKind, EventId, StreamName};

use crate::inbox::Work;

/// Work that was set aside, because the same attempt would fail for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Parked {
    /// The function that could not do it.
    pub function: String,
    /// What it could not do.
    pub work: ParkedWork,
    /// The kind of the last error, as [`ErrorKind::code`] says it.
    pub kind: &'static str,
    /// The last error, with its causes.
    pub error: String,
    /// How often it was tried.
    pub attempts: u32,
}

/// What was set aside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ParkedWork {
    /// The delivery of this event.
    Event(EventId),
    /// A queued command.
    Command {
        /// The stream it was for.
        stream: StreamName,
        /// The command.
        id: CommandId,
    },
}

impl fmt::Display for ParkedWork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Event(event) => write!(f, "the event {event}"),
            Self::Command { stream, id } => write!(f, "the command {id} for {stream}"),
        }
    }
}

impl From<&Work> for ParkedWork {
    fn from(work: &Work) -> Self {
        match work {
            Work::Hear(announcement) => Self::Event(announcement.id.clone()),
            Work::Run(queued) => Self::Command {
                stream: StreamName::new(&queued.category, &queued.request.stream),
                id: queued.request.id.clone(),
            },
        }
    }
}

impl Parked {
    pub(crate) fn new(function: &str, work: &Work, error: &Error, attempts: u32) -> Self {
        let (function, work) = (function.to_owned(), ParkedWork::from(work));
        Self { function, work, kind: error.kind().code(), error: error.to_string(), attempts }
    }
}

/// Whether `kind` will be the same however often the work is tried.
pub(crate) fn is_final(kind: ErrorKind) -> bool {
    use ErrorKind::{Corrupt, Denied, Invalid, NotFound, Oversized};
    matches!(kind, Corrupt | Denied | Invalid | NotFound | Oversized)
}
