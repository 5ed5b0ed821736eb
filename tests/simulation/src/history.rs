//! What was asked of the app, and what it said.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use skyfold::ports::Timer;
use skyfold::{
    CommandRequest, ErrorKind, EventId, Payload, Receipt, StreamId, StreamName, Version,
};
use time::OffsetDateTime;

/// Who asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A client, by the place of its command in the plan.
    Client(usize),
    /// The queue: an effect of a saga.
    Queue {
        /// Not to be run before this time.
        due: Option<OffsetDateTime>,
        /// By how much the clock of the process was wrong.
        skew: time::Duration,
    },
}

/// What a command came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Accepted(Receipt),
    Refused(String),
    Deferred,
    /// The timer that gives it was cancelled.
    Cancelled,
    Failed(ErrorKind),
    /// It was interrupted, or is not answered yet.
    None,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepted(receipt) if receipt.events.is_empty() => f.write_str("nothing to do"),
            Self::Accepted(Receipt { stream, version, replayed: false, .. }) => {
                write!(f, "accepted, {stream}@{version}")
            }
            Self::Accepted(Receipt { stream, version, .. }) => {
                write!(f, "accepted before, {stream}@{version}")
            }
            Self::Refused(reason) => write!(f, "refused: {reason}"),
            Self::Deferred => f.write_str("not due yet"),
            Self::Cancelled => f.write_str("cancelled"),
            Self::Failed(kind) => write!(f, "failed: {}", kind.code()),
            Self::None => f.write_str("no answer"),
        }
    }
}

/// A moment of a run, as far as one stream is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    /// How many steps the run had taken.
    pub(crate) step: u64,
    /// Where the stream ended.
    pub(crate) head: Version,
    /// The true time.
    pub(crate) time: OffsetDateTime,
}

/// A timer whose command is tried, and where its transaction was meanwhile.
#[derive(Clone, Debug)]
pub(crate) struct Firing {
    pub(crate) timer: Timer,
    /// The newest record when the attempt began.
    pub(crate) began: Version,
    /// The newest record when it ended.
    pub(crate) ended: Version,
}

/// One attempt at a command.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    pub(crate) source: Source,
    pub(crate) stream: StreamName,
    pub(crate) request: Arc<CommandRequest>,
    /// The timer that gives the command, if one does.
    pub(crate) firing: Option<Firing>,
    pub(crate) began: Moment,
    pub(crate) ended: Option<Moment>,
    pub(crate) answer: Answer,
}

/// One look at a view.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    pub(crate) projection: &'static str,
    /// The event that the view had to show.
    pub(crate) after: EventId,
    /// The process that was asked.
    pub(crate) process: u64,
    pub(crate) began: Moment,
    /// When the answer came, if one did.
    pub(crate) ended: Option<Moment>,
    /// The view; `None` if there was none.
    pub(crate) found: Option<Payload>,
}

/// One attempt at forgetting somebody.
#[derive(Clone, Debug)]
pub(crate) struct Forgetting {
    pub(crate) subject: StreamId,
    /// The process that was asked.
    pub(crate) process: u64,
    pub(crate) began: Moment,
    /// When it was acknowledged, if it was.
    pub(crate) ended: Option<Moment>,
}

/// Everything that was asked and said, in the order in which it was asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    pub(crate) attempts: Vec<Attempt>,
    pub(crate) looks: Vec<Look>,
    pub(crate) forgettings: Vec<Forgetting>,
}

/// How long a process goes by the keys that it has read.
const KEY_LIFETIME: Duration = Duration::from_secs(30);

impl History {
    /// Whether somebody had begun to forget `subject` by then.
    pub(crate) fn may_have_forgotten(&self, subject: &str, by: Moment) -> bool {
        let mut forgettings = self.forgettings.iter();
        forgettings.any(|one| one.subject.as_str() == subject && one.began.step <= by.step)
    }

    /// Whether no process shows anything of `subject` that is asked at `began`, or this one does
    /// not.
    pub(crate) fn has_forgotten(&self, subject: &str, began: Moment, process: Option<u64>) -> bool {
        self.forgettings.iter().filter(|one| one.subject.as_str() == subject).any(|one| {
            one.ended.is_some_and(|ended| {
                let is_itself = process == Some(one.process) && began.step >= ended.step;
                is_itself || began.time > ended.time + KEY_LIFETIME
            })
        })
    }
}
