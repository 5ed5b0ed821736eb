use std::fmt;

use async_trait::async_trait;
use skyfold::Result;
use skyfold::ports::QueuedCommand;

use crate::Azure;

/// Tells which command a message of the queue stands for.
#[async_trait]
pub(crate) trait Messages: fmt::Debug + Send + Sync + 'static {
    /// The command that the message `text` is of.
    async fn open(&self, text: &str) -> Result<QueuedCommand>;
}

#[async_trait]
impl Messages for Azure {
    async fn open(&self, text: &str) -> Result<QueuedCommand> {
        self.queued_command(text).await
    }
}
