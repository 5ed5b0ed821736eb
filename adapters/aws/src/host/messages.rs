use std::collections::HashMap;
use std::sync::Arc;

use futures::StreamExt as _;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use skyfold::ports::QueuedCommand;
use skyfold::{Announced, CloudEvent, Error, ErrorKind, EventId, Reply, Result, Runtime, Trigger};

use super::reply::{come_again, unfit};

/// How often work is received that fails for good and that core could not set aside.
const FINAL_RECEIVES_MAX: u32 = 5;

/// How often work is received that fails for no reason that is known to pass. What a service fails
/// at that cannot be reached comes again until the queue itself sets it aside.
const RECEIVES_MAX: u32 = 30;

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
struct Delivery {
    detail: CloudEvent,
}

impl Message {
    /// Whether it has failed with `error` so often that it is not to come again.
    fn is_exhausted(&self, error: &Error) -> bool {
        let max = if error.kind().is_final() { FINAL_RECEIVES_MAX } else { RECEIVES_MAX };
        // A queue counts from 1. What it does not count is not given up here, but by the queue.
        let receives = self.attributes.approximate_receive_count.parse().unwrap_or(0);
        !error.is_transient() && receives >= max
    }

    fn read<T: DeserializeOwned>(&self, what: &str) -> Result<T> {
        serde_json::from_str(&self.body).map_err(|error| {
            let message = format!("the message {} is no {what}", self.message_id);
            Error::new(ErrorKind::Corrupt, message).with_source(error)
        })
    }

    fn announced(&self) -> Result<Announced> {
        let Delivery { detail } = self.read("event of a bus")?;
        detail.into_announced()
    }
}

/// Gives the events in `messages` to the projection or saga `name`.
pub(crate) async fn hear(runtime: &Runtime, name: &str, messages: &[Message]) -> Result<Value> {
    let (mut announced, mut heard, mut again) = (vec![], vec![], vec![]);
    for message in messages {
        match message.announced() {
            Ok(event) => {
                heard.push((message, event.id()));
                announced.push(event);
            }
            Err(error) => again.push(unread(message, &error)),
        }
    }
    if announced.is_empty() {
        return Ok(come_again(&again));
    }
    let mut failures: HashMap<EventId, Arc<Error>> = HashMap::new();
    match runtime.invoke(name, Trigger::Events(announced)).await {
        Ok(Reply::Handled(failed)) => {
            failures.extend(failed.into_iter().map(|failed| (failed.event, failed.error)));
        }
        Ok(reply) => return Err(unfit(name, &reply)),
        Err(error) => {
            let error = Arc::new(error);
            failures.extend(heard.iter().map(|(_, id)| (id.clone(), error.clone())));
        }
    }
    for (message, id) in heard {
        let Some(error) = failures.get(&id) else { continue };
        let letters = runtime.dead_letters();
        let is_done = message.is_exhausted(error)
            && is_set_aside(&id, letters.give_up(name, &id, error).await);
        if !is_done {
            tracing::warn!(event = %id, %error, "a delivery comes again");
            again.push(message.message_id.as_str());
        }
    }
    Ok(come_again(&again))
}

/// Runs the commands in `messages`, each by the function of its category.
pub(crate) async fn run(runtime: &Runtime, messages: &[Message]) -> Value {
    let run = |message| async move { run_one(runtime, message).await.then_some(message) };
    let again: Vec<_> =
        futures::stream::iter(messages).map(run).buffered(COMMANDS_MAX).collect().await;
    let again: Vec<_> = again.into_iter().flatten().map(|m| m.message_id.as_str()).collect();
    come_again(&again)
}

/// Runs the command in `message`. Returns whether it must come again.
async fn run_one(runtime: &Runtime, message: &Message) -> bool {
    let queued: QueuedCommand = match message.read("command") {
        Ok(queued) => queued,
        Err(error) => {
            unread(message, &error);
            return true;
        }
    };
    let id = queued.request.id.clone();
    let trigger = Trigger::Queued(queued.clone());
    let error = match runtime.invoke(&queued.category, trigger).await {
        // A refusal is an outcome, and core has logged it.
        Ok(_) => return false,
        Err(error) => error,
    };
    if error.kind() == ErrorKind::Duplicate {
        tracing::warn!(command = %id, %error, "a command was dropped");
        return false;
    }
    if message.is_exhausted(&error) {
        let letter = runtime.dead_letters().give_up_command(&queued, &error).await;
        return !is_set_aside(&id, letter.map(|_| ()));
    }
    tracing::warn!(command = %id, %error, "a command comes again");
    true
}

/// Logs whether a dead letter about `what` could be written. Returns it.
fn is_set_aside(what: &dyn std::fmt::Display, outcome: Result<()>) -> bool {
    match outcome {
        Ok(()) => tracing::error!(%what, "set aside as a dead letter"),
        Err(ref error) => tracing::warn!(%what, %error, "no dead letter could be written"),
    }
    outcome.is_ok()
}

/// What no release can read comes again until the queue sets it aside.
fn unread<'a>(message: &'a Message, error: &Error) -> &'a str {
    tracing::error!(%error, "a message cannot be read");
    &message.message_id
}
