use std::collections::HashMap;
use std::fmt::Display;
use std::sync::Arc;

use crate::ports::{QueuedCommand, Unreadable};
use crate::{
    Announced, CloudEvent, Error, ErrorKind, EventId, Failed, RecordedCommit, Reply, Result,
    Runtime, Swept, Trigger,
};

/// How often work is delivered that fails for good and that core could not set aside.
const FINAL_ATTEMPTS_MAX: u32 = 5;

/// How often work is delivered that fails for no reason that is known to pass, unless whoever
/// delivers it ends sooner. What a service fails at that cannot be reached comes again until the
/// queue itself sets it aside.
const ATTEMPTS_MAX: u32 = 30;

/// How often work was delivered, this time included, by the count of what delivers it: 0 where it
/// does not count. What is not counted is not given up here, but by what delivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempts {
    made: u32,
    max: u32,
}

impl Attempts {
    /// As many as were `made`, of which what delivers makes 30 and more.
    pub fn made(made: u32) -> Self {
        Self { made, max: ATTEMPTS_MAX }
    }

    /// The same, where what delivers may make no more than `max`.
    pub fn of_at_most(self, max: u32) -> Self {
        Self { max, ..self }
    }

    /// Whether what failed with `error` is not to come again.
    fn are_exhausted_by(self, error: &Error) -> bool {
        let max = if error.kind().is_final() { FINAL_ATTEMPTS_MAX } else { self.max };
        !error.is_transient() && self.made >= max
    }
}

/// What a bus delivered to a projection or saga.
#[derive(Debug)]
pub struct Delivery<T> {
    /// What the host tells it from others by.
    pub id: T,
    /// How often it came.
    pub attempts: Attempts,
    /// The event, or why it cannot be read.
    pub event: Result<Announced>,
}

/// Gives the events in `deliveries` to the projection or saga `name`. Returns those that must come
/// again, in no order.
///
/// An event that failed so often that it is not to come again becomes a dead letter. What cannot be
/// read comes again until that which delivers sets it aside.
///
/// # Errors
///
/// [`Unexpected`](ErrorKind::Unexpected) if `name` is another kind of function.
pub async fn hear<T>(
    runtime: &Runtime,
    name: &str,
    deliveries: Vec<Delivery<T>>,
) -> Result<Vec<T>> {
    let (mut announced, mut heard, mut again) = (vec![], vec![], vec![]);
    for Delivery { id, attempts, event } in deliveries {
        match event {
            Ok(event) => {
                heard.push((id, attempts, event.id()));
                announced.push(event);
            }
            Err(error) => {
                tracing::error!(%error, "a message cannot be read");
                again.push(id);
            }
        }
    }
    if announced.is_empty() {
        return Ok(again);
    }
    let mut failures: HashMap<EventId, Arc<Error>> = HashMap::new();
    match runtime.invoke(name, Trigger::Events(announced)).await {
        Ok(Reply::Handled(failed)) => {
            failures.extend(failed.into_iter().map(|failed| (failed.event, failed.error)));
        }
        Ok(reply) => return Err(unfit(name, &reply)),
        Err(error) => {
            let error = Arc::new(error);
            failures.extend(heard.iter().map(|(_, _, event)| (event.clone(), error.clone())));
        }
    }
    for (id, attempts, event) in heard {
        let Some(error) = failures.get(&event) else { continue };
        let is_done = attempts.are_exhausted_by(error) && {
            let letter = runtime.dead_letters().give_up(name, &event, error).await;
            is_set_aside(&event, letter)
        };
        if !is_done {
            tracing::warn!(%event, %error, "a delivery comes again");
            again.push(id);
        }
    }
    Ok(again)
}

/// Runs a command that a queue delivered, by the function of its category. Returns whether it must
/// come again: not if it was refused, which is an outcome, nor if it became a dead letter after so
/// many `attempts`.
pub async fn run(runtime: &Runtime, queued: &QueuedCommand, attempts: Attempts) -> bool {
    let id = &queued.request.id;
    let error = match runtime.invoke(&queued.category, Trigger::Queued(queued.clone())).await {
        // A refusal is an outcome, and core has logged it.
        Ok(_) => return false,
        Err(error) => error,
    };
    if error.kind() == ErrorKind::Duplicate {
        tracing::warn!(command = %id, %error, "a command was dropped");
        return false;
    }
    if attempts.are_exhausted_by(&error) {
        let letter = runtime.dead_letters().give_up_command(queued, &error).await;
        return !is_set_aside(id, letter.map(|_| ()));
    }
    tracing::warn!(command = %id, %error, "a command comes again");
    true
}

/// Has the relay `name` announce `commits`, and announces by reference what it was brought and
/// cannot be read: whoever hears of it reads the stream, and sets aside what it meets there, so
/// that this stream alone waits. What is of no stream is told in the log, and by that done with.
///
/// Returns what could not be announced: it must come again.
///
/// # Errors
///
/// Those of [`Runtime::invoke`], and [`Unexpected`](ErrorKind::Unexpected) if `name` is another
/// kind of function.
pub async fn relay(
    runtime: &Runtime,
    name: &str,
    commits: Vec<RecordedCommit>,
    unreadable: &[Unreadable],
) -> Result<Vec<Failed>> {
    let mut failed = match runtime.invoke(name, Trigger::Commits(commits)).await? {
        Reply::Handled(failed) => failed,
        reply => return Err(unfit(name, &reply)),
    };
    failed.extend(by_reference(runtime, unreadable).await);
    Ok(failed)
}

/// Announces by reference what cannot be read. Returns what could not be announced.
async fn by_reference(runtime: &Runtime, unreadable: &[Unreadable]) -> Vec<Failed> {
    let mut news = vec![];
    for Unreadable { event, why } in unreadable {
        match event {
            None => tracing::error!(why, "passed over, since it is no commit of any stream"),
            // Nobody else hears those of sagas.
            Some(event) if event.stream.saga().is_some() => {
                tracing::error!(%event, why, "a record of a saga cannot be read");
            }
            Some(event) => {
                tracing::error!(%event, why, "what cannot be read is announced by reference");
                let app = runtime.app().name();
                news.push(CloudEvent::unreadable(app, event.clone(), runtime.now()));
            }
        }
    }
    if news.is_empty() {
        return vec![];
    }
    let outcomes = runtime.ports().publisher.publish(&news).await;
    let failed = news.into_iter().zip(outcomes).filter_map(|(event, outcome)| {
        let (event, error) = (event.id, Arc::new(outcome.err()?));
        tracing::warn!(%event, %error, "it could not be announced");
        Some(Failed { event, error })
    });
    failed.collect()
}

/// Looks for what the others have missed, and says in the log if that was anything.
///
/// # Errors
///
/// Those of [`Runtime::sweep`].
pub async fn sweep(runtime: &Runtime) -> Result<Swept> {
    let swept = runtime.sweep().await?;
    if swept.announced > 0 {
        tracing::warn!(?swept, "events that nobody had heard of were announced again");
    }
    Ok(swept)
}

/// A reply that a function of this kind never gives.
fn unfit(function: &str, reply: &Reply) -> Error {
    Error::new(ErrorKind::Unexpected, format!("{function} answers a delivery by {reply:?}"))
}

/// Logs whether a dead letter about `what` could be written. Returns it.
fn is_set_aside(what: &impl Display, outcome: Result<()>) -> bool {
    match outcome {
        Ok(()) => tracing::error!(%what, "set aside as a dead letter"),
        Err(ref error) => tracing::warn!(%what, %error, "no dead letter could be written"),
    }
    outcome.is_ok()
}
