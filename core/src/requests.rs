//! What a function is asked, and what it has to say.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::ports::{Order, QueuedCommand};
use crate::{
    Announced, CommandId, Error, EventId, Metadata, Payload, RecordedCommit, StreamId, StreamName,
    Version,
};

/// A command for a stream of the function's category.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandRequest {
    /// The stream, of the function's category.
    pub stream: StreamId,
    /// Identifies the command, however often it is sent.
    pub id: CommandId,
    /// The command, as the enum of the decider is written in JSON.
    pub command: Payload,
    /// The version at which the caller saw the stream, if the command is to be refused at another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<Version>,
    /// What its events will carry.
    #[serde(default)]
    pub metadata: Metadata,
}

/// An event that a view must show before it is an answer, and how long to wait for that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct After {
    /// The event, as a receipt names it.
    pub event: EventId,
    /// How long to wait, at most.
    pub wait: Duration,
}

/// A question for a query function.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueryRequest {
    /// The parameters, as their type is written in JSON.
    pub params: Payload,
    /// What the answer must show.
    pub after: Option<After>,
}

/// A view of one key, asked of a projection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViewRequest {
    /// The key.
    pub key: String,
    /// What the view must show.
    pub after: Option<After>,
}

/// A page of a list, asked of a projection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListRequest {
    /// Which list: one of [`Projection::LISTS`](crate::Projection::LISTS).
    pub list: String,
    /// What the list is of.
    pub under: String,
    /// Which way.
    pub order: Order,
    /// How many views at most, up to [`PAGE_ITEMS_MAX`](crate::limits::PAGE_ITEMS_MAX).
    pub limit: usize,
    /// Where an earlier page ended.
    pub cursor: Option<String>,
    /// What the views must show.
    pub after: Option<After>,
}

/// As of when a state is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsOf {
    /// Now.
    Now,
    /// When the stream had this version, which it must have reached.
    Version(Version),
    /// At this time.
    Time(OffsetDateTime),
}

/// Why a function runs.
#[derive(Clone, Debug)]
pub enum Trigger {
    /// Someone wants something done, and waits for the outcome.
    Command(CommandRequest),
    /// The queue delivers a command.
    Queued(QueuedCommand),
    /// Someone wants to know something.
    Query(QueryRequest),
    /// Someone wants to see a view.
    View(ViewRequest),
    /// Someone wants to see a list.
    List(ListRequest),
    /// Someone wants to see the state of a stream.
    State(StreamId, AsOf),
    /// The bus delivers news.
    Events(Vec<Announced>),
    /// The store's change feed delivers commits.
    Commits(Vec<RecordedCommit>),
}

impl Trigger {
    /// What kind of trigger it is, for messages and spans.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Command(_) => "command",
            Self::Queued(_) => "queued command",
            Self::Query(_) => "query",
            Self::View(_) => "view",
            Self::List(_) => "list",
            Self::State(..) => "state",
            Self::Events(_) => "events",
            Self::Commits(_) => "commits",
        }
    }
}

/// What came of a command: the same however often it is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The stream.
    pub stream: StreamName,
    /// Its version after the command.
    pub version: Version,
    /// The events that were recorded, oldest first; none if there was nothing to do.
    pub events: Vec<EventId>,
    /// Whether the command had taken effect before.
    #[serde(default)]
    pub replayed: bool,
}

/// What a query or read model answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The answer.
    pub body: Payload,
    /// Identifies this state of the answer, if it is one view: another one once part of it is
    /// forgotten.
    pub revision: Option<String>,
    /// The event that changed it last, if it is one view.
    pub last: Option<EventId>,
    /// What travelled with that event.
    pub metadata: Metadata,
}

/// The state of a stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateAsOf {
    /// The stream.
    pub stream: StreamName,
    /// The version that the state reflects.
    pub version: Version,
    /// When the last of its events was recorded.
    #[serde(with = "time::serde::rfc3339::option")]
    pub time: Option<OffsetDateTime>,
    /// The state.
    pub state: Payload,
    /// How many personal values of it are forgotten, and shown as `null`.
    #[serde(skip)]
    pub forgotten: usize,
}

/// A delivery that was not handled and must come again.
#[derive(Debug)]
pub struct Failed {
    /// The event.
    pub event: EventId,
    /// Why.
    pub error: std::sync::Arc<Error>,
}

/// What a function has to say.
#[derive(Debug)]
#[non_exhaustive]
pub enum Reply {
    /// The command was accepted.
    Accepted(Receipt),
    /// The command was refused by the domain, for this reason.
    Refused(String),
    /// The command is not due yet and waits once more.
    Deferred,
    /// The command is of a saga's timer that was cancelled or set anew, and is not run.
    Cancelled,
    /// The answer.
    Answer(Answer),
    /// The views do not show yet what the answer must show.
    Pending,
    /// The state.
    State(StateAsOf),
    /// The queued command cannot be run, and was set aside as the dead letter of this id.
    DeadLetter(String),
    /// The deliveries have been handled or set aside, except these.
    Handled(Vec<Failed>),
}
