use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use skyfold::host::{self, Attempts, Delivery};
use skyfold::ports::QueuedCommand;
use skyfold::{Announced, Error, ErrorKind, EventId, Result, Runtime};
use time::{Duration, OffsetDateTime};

use super::invocation::Invocation;
use super::messages::Messages;
use crate::events::found;

/// How long a command waits for its function until that is worth a line in the log: the queue
/// itself does not tell how old its messages are.
const WAIT_MAX: Duration = Duration::minutes(5);

/// What a function takes, and which function of the app it then is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trigger {
    /// What the change feed of the container of events brings (`cosmosDBTrigger`).
    Relay(String),
    /// What a topic announces (`eventGridTrigger`).
    Events(String),
    /// A message of the queue of commands (`queueTrigger`).
    Commands,
    /// A message that came from it too often, of the queue beside it (`queueTrigger`).
    Poison,
    /// That the time has come (`timerTrigger`).
    Sweep,
}

/// As much of an event as can be relied on.
#[derive(Deserialize)]
struct Arrived {
    id: EventId,
}

/// Announces what the change feed brings. It is brought again without an end, and nothing after it,
/// until it is done with: so what cannot be read is announced by reference, and its stream alone
/// waits.
///
/// What is no item at all, without the id that each one has, comes again: it is not known what it
/// stands for.
pub(super) async fn relay(runtime: &Runtime, name: &str, invocation: &Invocation) -> Result<()> {
    let (mut commits, mut unreadable, mut foreign) = (vec![], vec![], vec![]);
    for part in invocation.parts()? {
        match serde_json::from_str::<Value>(part.get()) {
            Ok(item) if item["id"].is_string() => match found(&item) {
                Ok(commit) => commits.push(commit),
                Err(item) => unreadable.push(item),
            },
            _ => {
                tracing::error!("the relay waits at what is no item of a container");
                foreign.push(part);
            }
        }
    }
    come_again(&host::relay(runtime, name, commits, &unreadable).await?)?;
    come_again(&foreign)
}

/// Gives the events that a trigger brings from Event Grid to the projection or saga `name`. How
/// often they came it does not tell, so that it is Event Grid that gives up, and keeps them where
/// the subscription says.
pub(super) async fn hear(runtime: &Runtime, name: &str, invocation: &Invocation) -> Result<()> {
    hear_parts(runtime, name, &invocation.parts()?, invocation.attempts()).await
}

/// Gives the events `parts`, of which Event Grid has made so many `attempts`, to the projection or
/// saga `name`.
///
/// Of an event only the id is taken, and the event itself read from its stream: a trigger reads it
/// on its way as JSON whose texts that look like times are times, and writes those in a form of its
/// own; and what is not believed need not be checked.
pub(super) async fn hear_parts(
    runtime: &Runtime,
    name: &str,
    parts: &[Box<RawValue>],
    attempts: Attempts,
) -> Result<()> {
    let arrivals = parts.iter().map(|part| arrived(part)).enumerate();
    let deliveries = arrivals.map(|(nth, event)| Delivery { id: nth, attempts, event }).collect();
    come_again(&host::hear(runtime, name, deliveries).await?)
}

fn arrived(part: &RawValue) -> Result<Announced> {
    let Arrived { id } = serde_json::from_str(part.get()).map_err(|error| {
        Error::new(ErrorKind::Corrupt, "what was delivered is no event of an app")
            .with_source(error)
    })?;
    Ok(Announced::Reference(id))
}

/// Runs the command of a message. What no release can read comes again until the queue sets it
/// aside.
pub(super) async fn run(
    runtime: &Runtime,
    messages: &dyn Messages,
    invocation: &Invocation,
) -> Result<()> {
    let text = invocation.brought()?;
    let Some(queued) = messages.open(&text).await? else { return Ok(()) };
    let waited = waited(&queued, invocation.inserted(), runtime.now());
    if let Some(waited) = waited.filter(|waited| *waited > WAIT_MAX) {
        let (command, seconds) = (&queued.request.id, waited.whole_seconds());
        tracing::warn!(%command, seconds, "a command has waited too long in its queue");
    }
    match host::run(runtime, &queued, invocation.attempts()).await {
        true => {
            let message = format!("the command {} comes again", queued.request.id);
            Err(Error::new(ErrorKind::Unavailable, message))
        }
        false => messages.close(&text).await,
    }
}

/// How long a command that was `inserted` into its queue has waited until `now` for its function:
/// since it was due, if it was to wait.
fn waited(
    queued: &QueuedCommand,
    inserted: Option<OffsetDateTime>,
    now: OffsetDateTime,
) -> Option<Duration> {
    queued.due.or(inserted).map(|since| now - since)
}

/// Makes a dead letter of the command of a message that came too often. What cannot be read stays
/// in the queue that it is in, and in the log.
pub(super) async fn set_aside(
    runtime: &Runtime,
    messages: &dyn Messages,
    invocation: &Invocation,
) -> Result<()> {
    let text = invocation.brought()?;
    let opened = messages.open(&text).await.inspect_err(|error| {
        tracing::error!(%error, "what the queue has set aside cannot be read, and stays there");
    })?;
    let Some(queued) = opened else { return Ok(()) };
    give_up(runtime, &queued).await?;
    messages.close(&text).await
}

/// Makes a dead letter of a command that came too often.
pub(super) async fn give_up(runtime: &Runtime, queued: &QueuedCommand) -> Result<()> {
    let message = "it failed as often as the queue delivers it: the log says why";
    let error = Error::new(ErrorKind::Unavailable, message);
    let letter = runtime.dead_letters().give_up_command(queued, &error).await?;
    tracing::error!(command = %queued.request.id, letter, "set aside as a dead letter");
    Ok(())
}

/// Looks for what the others have missed.
pub(super) async fn sweep(runtime: &Runtime) -> Result<()> {
    host::sweep(runtime).await.map(drop)
}

/// That some of what came must come again, if it must.
fn come_again<T>(failed: &[T]) -> Result<()> {
    match failed.len() {
        0 => Ok(()),
        count => {
            let message = format!("{count} of what came must come again: see the log");
            Err(Error::new(ErrorKind::Unavailable, message))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_command_waits_from_when_it_is_due_or_else_from_when_it_was_put_in() {
        let golden = include_bytes!("tests/golden/queue-trigger.json");
        let inserted = Invocation::read(golden).unwrap().inserted();
        assert_eq!(inserted, Some(datetime!(2010-12-01 08:26 UTC)));
        let queued = |due: Value| -> QueuedCommand {
            let request = json!({ "stream": "ada", "id": "c-1", "command": {} });
            let queued = json!({ "category": "account", "request": request, "due": due });
            serde_json::from_value(queued).unwrap()
        };
        let now = datetime!(2010-12-01 08:36 UTC);
        let waited = |due, inserted| waited(&queued(due), inserted, now);
        assert_eq!(waited(Value::Null, inserted), Some(Duration::minutes(10)));
        assert_eq!(waited(json!("2010-12-01T08:35:00Z"), inserted), Some(Duration::minutes(1)));
        assert_eq!(waited(Value::Null, None), None);
    }
}
