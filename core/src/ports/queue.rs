use std::fmt;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::{CommandRequest, Result, StreamName};

/// A command on its way to its function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueuedCommand {
    /// The category whose function takes it.
    pub category: String,
    /// The command.
    pub request: CommandRequest,
    /// Not to be run before this time. A queue that cannot hold it so long delivers it early, and
    /// the function sends it again: a hop.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "time::serde::rfc3339::option"
    )]
    pub due: Option<OffsetDateTime>,
    /// The timer that gives it, if one does: once that is cancelled or set anew, the command is
    /// not run. A queue keeps it as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timer: Option<Timer>,
}

/// A timer of a saga.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timer {
    /// The stream of the transaction that has set it.
    pub saga: StreamName,
    /// What the transaction calls it.
    pub name: String,
}

/// Holds commands until their function takes them.
///
/// # Contract
///
/// - A command that was accepted is delivered at least once, in any order.
/// - It is not delivered before it is due, except as a hop by a queue that cannot hold it longer.
/// - Commands of one batch succeed or fail each on its own, and the outcomes are in the order of
///   the batch.
/// - After [`Unavailable`](crate::ErrorKind::Unavailable) it may have been accepted: send it
///   again.
#[async_trait]
pub trait Queue: fmt::Debug + Send + Sync + 'static {
    /// Accepts each command of `batch`, and returns each outcome in the same place. At most
    /// [`BATCH_COMMANDS_MAX`](crate::limits::BATCH_COMMANDS_MAX).
    async fn send(&self, batch: &[QueuedCommand]) -> Vec<Result<()>>;
}
