//! Wrappers around any port that make it fail, stall, lag or count, so that a case can bring about
//! what a cloud does once in a million calls.
//!
//! What only watches or fails calls is a [`Tap`], put between a runtime and all of its ports by
//! [`tapped`]: [`Faulty`] fails calls by a script, [`Crash`] ends the process at one of its writes,
//! [`Gate`] holds a call until it is released, [`Counted`] counts. What changes the answers of a
//! port has a type of its own: [`Stale`] and [`Altered`] stores and the [`Shifted`] clock. What is
//! [`steady`] fails for no reason that passes.

mod altered;
mod clock;
mod counted;
mod crash;
mod faulty;
mod gate;
mod stale;
mod steady;
mod tapped;
mod wiretap;

use std::fmt;

pub use altered::Altered;
use async_trait::async_trait;
pub use clock::Shifted;
pub use counted::{Count, Counted};
pub use crash::{Crash, Side};
pub use faulty::Faulty;
pub use gate::Gate;
use skyfold::ports::{
    Consistency, DocumentKey, ListQuery, Position, QueuedCommand, Range, ScanQuery, Snapshot, Write,
};
use skyfold::{CloudEvent, Commit, ErrorKind, Head, StreamId, StreamName};
pub use stale::{Stale, Staleness};
pub use steady::steady;
pub use tapped::tapped;
pub use wiretap::Wiretap;

/// Why a call fails, and whether it has its effect nevertheless.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It has no effect.
    Before(ErrorKind),
    /// It has its effect, but the answer is lost.
    After(ErrorKind),
}

/// What is asked of a port. Each item of a batch of changes is a request of its own.
#[derive(Clone, Copy, Debug)]
pub enum Request<'a> {
    /// A commit is to be appended.
    Append(&'a Head, &'a Commit),
    /// A part of a stream is to be read.
    Read(&'a StreamName, Range, Consistency),
    /// The snapshot of a stream is to be read.
    Snapshot(&'a StreamName),
    /// A snapshot is to be kept.
    SaveSnapshot(&'a StreamName, &'a Snapshot),
    /// A slice of the feed is to be read.
    Feed(u16, Option<&'a Position>),
    /// The newest commits are to be read.
    Latest,
    /// Documents are to be read.
    Get(&'a [DocumentKey]),
    /// A document is to be changed.
    Write(&'a Write),
    /// A list is to be read.
    List(&'a ListQuery),
    /// A collection is to be read.
    Scan(&'a ScanQuery),
    /// An event is to be announced.
    Publish(&'a CloudEvent),
    /// A command is to be sent.
    Send(&'a QueuedCommand),
    /// The keys of subjects are to be read.
    Keys(&'a [StreamId]),
    /// A key of a subject is to be created.
    CreateKey(&'a StreamId, u32),
    /// The keys of a subject are to be destroyed.
    DestroyKeys(&'a StreamId),
}

impl Request<'_> {
    /// Whether it changes something.
    pub fn is_write(&self) -> bool {
        matches!(
            self,
            Self::Append(..)
                | Self::SaveSnapshot(..)
                | Self::Write(_)
                | Self::Publish(_)
                | Self::Send(_)
                | Self::CreateKey(..)
                | Self::DestroyKeys(_)
        )
    }

    /// Its kind, as a word.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Append(..) => "append",
            Self::Read(..) => "read",
            Self::Snapshot(_) => "snapshot",
            Self::SaveSnapshot(..) => "save snapshot",
            Self::Feed(..) => "feed",
            Self::Latest => "latest",
            Self::Get(_) => "get",
            Self::Write(_) => "write",
            Self::List(_) => "list",
            Self::Scan(_) => "scan",
            Self::Publish(_) => "publish",
            Self::Send(_) => "send",
            Self::Keys(_) => "keys",
            Self::CreateKey(..) => "create key",
            Self::DestroyKeys(_) => "destroy keys",
        }
    }
}

/// Stands between a runtime and its ports, sees each request before it is made, and may fail it.
#[async_trait]
pub trait Tap: fmt::Debug + Send + Sync + 'static {
    /// Lets `request` pass, or says how it fails. `nth` is its place in its batch, from 0.
    async fn meet(&self, request: Request<'_>, nth: usize) -> Option<Fault>;
}
