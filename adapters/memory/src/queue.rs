use std::sync::Arc;

use async_trait::async_trait;
use skyfold::limits::{BATCH_COMMANDS_MAX, COMMAND_BYTES_MAX};
use skyfold::ports::{Queue, QueuedCommand};
use skyfold::{Error, ErrorKind, Result};

use crate::broker::Broker;

/// The queue of one process, which holds a command for as long as it takes.
#[derive(Clone, Debug)]
pub(crate) struct Commands(pub(crate) Arc<Broker>);

impl Commands {
    pub(crate) fn accept(&self, batch: &[QueuedCommand]) -> Vec<Result<()>> {
        let count = batch.len();
        if count > BATCH_COMMANDS_MAX {
            let message = format!("a batch of {count} commands, of at most {BATCH_COMMANDS_MAX}");
            let oversized = || Error::new(ErrorKind::Oversized, message.as_str());
            return batch.iter().map(|_| Err(oversized())).collect();
        }
        let accept = |command: &QueuedCommand| {
            let bytes = command.request.command.bytes();
            if bytes > COMMAND_BYTES_MAX {
                let message =
                    format!("the command has {bytes} bytes, of at most {COMMAND_BYTES_MAX}");
                return Err(Error::new(ErrorKind::Oversized, message));
            }
            self.0.send(command.clone());
            Ok(())
        };
        batch.iter().map(accept).collect()
    }
}

#[async_trait]
impl Queue for Commands {
    async fn send(&self, batch: &[QueuedCommand]) -> Vec<Result<()>> {
        self.accept(batch)
    }
}
