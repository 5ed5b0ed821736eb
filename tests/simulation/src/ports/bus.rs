use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use skyfold::ports::{Publisher, Queue, QueuedCommand};
use skyfold::{CloudEvent, Result};

use crate::ports::call::Call;
use crate::ports::gate::{Fate, Gate};
use crate::world::Message;

/// The bus and the queue: what they take is delivered by the simulation.
#[derive(Debug)]
pub(crate) struct Bus {
    pub(crate) skew: time::Duration,
    pub(crate) gate: Gate,
}

impl Bus {
    /// Takes what `fates` let through.
    fn take(&self, fates: Vec<Fate>, message: impl Fn(usize) -> Message) -> Vec<Result<()>> {
        let mut state = self.gate.world.lock();
        let mut answers = vec![];
        for (nth, fate) in fates.into_iter().enumerate() {
            if let Fate::Failed(error) = fate {
                answers.push(Err(error));
                continue;
            }
            let message = message(nth);
            match &message {
                Message::Command(command, _) => {
                    state.inspect(&command.category, &command.request.command);
                    state.sent.push(command.clone());
                }
                Message::Event(event) => {
                    event.data.iter().for_each(|data| state.inspect(&event.id, data));
                }
                Message::Commit(_) => {}
            }
            state.posted.push(message);
            answers.push(match fate {
                Fate::Lost(error) => Err(error),
                _ => Ok(()),
            });
        }
        answers
    }
}

#[async_trait]
impl Publisher for Bus {
    async fn publish(&self, batch: &[CloudEvent]) -> Vec<Result<()>> {
        let (fates, ending) = match self.gate.fates(Call::Publish(batch), batch.len()).await {
            Ok(fates) => fates,
            Err(error) => return super::all_failed(&error, batch.len()),
        };
        let answers = self.take(fates, |nth| Message::Event(Arc::new(batch[nth].clone())));
        self.gate.end(ending).await;
        answers
    }
}

#[async_trait]
impl Queue for Bus {
    async fn send(&self, batch: &[QueuedCommand]) -> Vec<Result<()>> {
        let (fates, ending) = match self.gate.fates(Call::Send(batch), batch.len()).await {
            Ok(fates) => fates,
            Err(error) => return super::all_failed(&error, batch.len()),
        };
        // How long a queue holds a command, its sender says, by its own clock.
        let now = self.gate.world.lock().now + self.skew;
        let message = |nth: usize| {
            let wait = batch[nth].due.map_or(time::Duration::ZERO, |due| due - now);
            let wait = Duration::try_from(wait).unwrap_or_default();
            Message::Command(Arc::new(batch[nth].clone()), wait)
        };
        let answers = self.take(fates, message);
        self.gate.end(ending).await;
        answers
    }
}
