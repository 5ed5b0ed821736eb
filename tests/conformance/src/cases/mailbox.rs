use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use skyfold::ports::{Publisher, Queue, QueuedCommand};
use skyfold::{CloudEvent, Error, Kind, Ports, Reply, Result, Trigger};

use super::bank::account;
use super::{Bank, World};

/// A bus and a queue that keep what they are given, so that a case decides what is delivered, when
/// and how often.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mailbox {
    commands: Arc<Mutex<Vec<QueuedCommand>>>,
    events: Arc<Mutex<Vec<CloudEvent>>>,
}

impl Mailbox {
    /// `ports` whose bus and queue are this.
    pub(crate) fn on(&self, ports: &Ports) -> Ports {
        let (publisher, queue) = (Arc::new(self.clone()), Arc::new(self.clone()));
        Ports { publisher, queue, ..ports.clone() }
    }

    /// What was sent, in order.
    pub(crate) fn commands(&self) -> Vec<QueuedCommand> {
        lock(&self.commands).clone()
    }

    /// What was announced, in order.
    pub(crate) fn events(&self) -> Vec<CloudEvent> {
        lock(&self.events).clone()
    }

    /// Delivers every event of `accounts` to every saga and runs the commands that are due, again
    /// and again until nothing new comes of it.
    ///
    /// # Errors
    ///
    /// The first one met. What was not handled stays here, and comes again.
    pub(crate) async fn settle(&self, world: &World, bank: &Bank, accounts: &[&str]) -> Result<()> {
        loop {
            let before = count(world, accounts).await;
            for name in accounts {
                let news = world.news(&account(name)).await;
                for saga in bank.runtime.manifest().of(Kind::Saga) {
                    if let Some(failed) = bank.deliver(&saga.name, &news).await.pop() {
                        return Err(Error::new(failed.error.kind(), failed.error.to_string()));
                    }
                }
            }
            if self.run_due(bank).await? == 0 && before == count(world, accounts).await {
                return Ok(());
            }
        }
    }

    /// Runs the commands that are due. Returns how many there were.
    async fn run_due(&self, bank: &Bank) -> Result<usize> {
        let now = bank.runtime.now();
        let is_due = |command: &QueuedCommand| command.due.is_none_or(|due| due <= now);
        let mut ran = 0;
        while let Some(command) = self.commands().into_iter().find(is_due) {
            let trigger = Trigger::Queued(command.clone());
            let reply = bank.runtime.invoke(&command.category, trigger).await?;
            assert!(!matches!(reply, Reply::Deferred), "it was due");
            // Only now is it acknowledged, once however often it was sent.
            let mut commands = lock(&self.commands);
            if let Some(nth) = commands.iter().position(|waiting| *waiting == command) {
                commands.remove(nth);
            }
            ran += 1;
        }
        Ok(ran)
    }
}

/// How many events `accounts` have.
async fn count(world: &World, accounts: &[&str]) -> usize {
    let mut count = 0;
    for name in accounts {
        count += world.events(&account(name)).await.len();
    }
    count
}

fn lock<T>(items: &Mutex<Vec<T>>) -> MutexGuard<'_, Vec<T>> {
    items.lock().expect("nothing panics while it holds the mailbox")
}

#[async_trait]
impl Queue for Mailbox {
    async fn send(&self, batch: &[QueuedCommand]) -> Vec<Result<()>> {
        lock(&self.commands).extend_from_slice(batch);
        batch.iter().map(|_| Ok(())).collect()
    }
}

#[async_trait]
impl Publisher for Mailbox {
    async fn publish(&self, batch: &[CloudEvent]) -> Vec<Result<()>> {
        lock(&self.events).extend_from_slice(batch);
        batch.iter().map(|_| Ok(())).collect()
    }
}
