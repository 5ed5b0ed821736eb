use std::sync::Arc;

use async_trait::async_trait;
use skyfold::Result;
use skyfold::adapter::{check_command, too_many};
use skyfold::limits::BATCH_COMMANDS_MAX;
use skyfold::ports::{Queue, QueuedCommand};

use crate::broker::Broker;

/// The queue of one process, which holds a command for as long as it takes.
#[derive(Clone, Debug)]
pub(crate) struct Commands(pub(crate) Arc<Broker>);

impl Commands {
    pub(crate) fn accept(&self, batch: &[QueuedCommand]) -> Vec<Result<()>> {
        let count = batch.len();
        if count > BATCH_COMMANDS_MAX {
            let refused = |_| Err(too_many("commands", count, BATCH_COMMANDS_MAX));
            return batch.iter().map(refused).collect();
        }
        let accept = |command: &QueuedCommand| {
            check_command(command)?;
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
