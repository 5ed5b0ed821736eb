use std::fmt;
#[cfg(feature = "container-apps")]
use std::time::Duration;

use async_trait::async_trait;
use skyfold::Result;
use skyfold::ports::QueuedCommand;

use crate::Azure;
#[cfg(feature = "container-apps")]
use crate::inbox::Message;

/// Tells which command a message of the queue stands for.
#[async_trait]
pub(crate) trait Messages: fmt::Debug + Send + Sync + 'static {
    /// The command that the message `text` is of, unless it was done.
    async fn open(&self, text: &str) -> Result<Option<QueuedCommand>>;

    /// Notes that the command that the message `text` is of was done.
    async fn close(&self, text: &str) -> Result<()>;
}

#[async_trait]
impl Messages for Azure {
    async fn open(&self, text: &str) -> Result<Option<QueuedCommand>> {
        self.queued_command(text).await
    }

    async fn close(&self, text: &str) -> Result<()> {
        self.command_done(text).await
    }
}

/// The queue itself, for a host whose messages nobody brings.
#[cfg(feature = "container-apps")]
#[async_trait]
pub(crate) trait Inbox: Messages {
    /// Up to `count` messages, hidden from others for the time `hidden`.
    async fn receive(&self, count: usize, hidden: Duration) -> Result<Vec<Message>>;

    /// Deletes a message that was received.
    async fn delete(&self, message: &Message) -> Result<()>;

    /// Hides a message that was received for the time `hidden`, after which it comes again.
    async fn hide(&self, message: &Message, hidden: Duration) -> Result<()>;
}

#[cfg(feature = "container-apps")]
#[async_trait]
impl Inbox for Azure {
    async fn receive(&self, count: usize, hidden: Duration) -> Result<Vec<Message>> {
        self.commands().receive(count, hidden).await
    }

    async fn delete(&self, message: &Message) -> Result<()> {
        self.commands().delete(message).await
    }

    async fn hide(&self, message: &Message, hidden: Duration) -> Result<()> {
        self.commands().hide(message, hidden).await
    }
}
