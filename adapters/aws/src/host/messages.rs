use futures::StreamExt as _;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use skyfold::host::{self, Attempts, Delivery};
use skyfold::ports::QueuedCommand;
use skyfold::{Announced, CloudEvent, Error, ErrorKind, Result, Runtime};

use super::reply::come_again;

/// How many commands of one batch run side by side.
const COMMANDS_MAX: usize = 10;

/// A message of a queue.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Message {
    message_id: String,
    body: String,
    attributes: Attributes,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attributes {
    approximate_receive_count: String,
}

/// An event as EventBridge puts it into a queue.
#[derive(Deserialize)]
struct Sent {
    detail: CloudEvent,
}

impl Message {
    /// How often it was received: a queue counts from 1.
    fn attempts(&self) -> Attempts {
        Attempts::made(self.attributes.approximate_receive_count.parse().unwrap_or(0))
    }

    fn read<T: DeserializeOwned>(&self, what: &str) -> Result<T> {
        serde_json::from_str(&self.body).map_err(|error| {
            let message = format!("the message {} is no {what}", self.message_id);
            Error::new(ErrorKind::Corrupt, message).with_source(error)
        })
    }

    fn announced(&self) -> Result<Announced> {
        let Sent { detail } = self.read("event of a bus")?;
        detail.into_announced()
    }
}

/// Gives the events in `messages` to the projection or saga `name`.
pub(crate) async fn hear(runtime: &Runtime, name: &str, messages: &[Message]) -> Result<Value> {
    let delivery = |message: &'_ Message| Delivery {
        id: message.message_id.clone(),
        attempts: message.attempts(),
        event: message.announced(),
    };
    let deliveries = messages.iter().map(delivery).collect();
    Ok(come_again(&host::hear(runtime, name, deliveries).await?))
}

/// Runs the commands in `messages`, each by the function of its category.
pub(crate) async fn run(runtime: &Runtime, messages: &[Message]) -> Value {
    let run = |message| async move { run_one(runtime, message).await.then_some(message) };
    let again: Vec<_> =
        futures::stream::iter(messages).map(run).buffered(COMMANDS_MAX).collect().await;
    let again: Vec<_> = again.into_iter().flatten().map(|m| m.message_id.clone()).collect();
    come_again(&again)
}

/// Runs the command in `message`. Returns whether it must come again, as what no release can read
/// does until the queue sets it aside.
async fn run_one(runtime: &Runtime, message: &Message) -> bool {
    match message.read::<QueuedCommand>("command") {
        Ok(queued) => host::run(runtime, &queued, message.attempts()).await,
        Err(error) => {
            tracing::error!(%error, "a message cannot be read");
            true
        }
    }
}
