//! Queued commands that cannot be run.

use crate::functions::Context;
use crate::letters::{Letters, id_of_command};
use crate::ports::QueuedCommand;
use crate::{DeadLetter, Discard, Error, Result, StreamName, Undone};

/// Makes a dead letter of `queued`, which failed with `error`, and returns its id. The letter holds
/// the command itself.
///
/// # Errors
///
/// [`Oversized`](crate::ErrorKind::Oversized) if the command is so large that the letter would not
/// fit into a document; those of the store.
pub(crate) async fn set_aside(
    context: &Context,
    queued: &QueuedCommand,
    error: &Error,
) -> Result<String> {
    let (id, now) = (id_of_command(queued), context.ports.clock.now());
    let (category, command) = (&queued.category, &queued.request.id);
    // What the queue brings may name a category that cannot be one.
    let stream: StreamName = format!("{category}-{}", queued.request.stream).parse()?;
    tracing::warn!(category, %command, %error, "set aside: a queued command cannot be run");
    let undone = Undone::Command(Box::new(queued.clone()));
    let failed = |found: Option<&DeadLetter>| {
        let mut letter = found.cloned().unwrap_or_else(|| {
            DeadLetter::blank(&id, (category, category), stream.clone(), undone.clone(), now)
        });
        letter.fail(undone.clone(), error, now);
        Ok(Some(letter))
    };
    Letters(&*context.ports.documents).update(&id, now, failed).await?;
    Ok(id)
}

/// Closes the letter about a command, since `outcome` came of it.
pub(super) async fn close(context: &Context, id: &str, outcome: &str) -> Result<()> {
    let now = context.ports.clock.now();
    let closed = |found: Option<&DeadLetter>| {
        let mut letter = found.filter(|letter| letter.is_waiting()).cloned();
        letter.iter_mut().for_each(|letter| letter.close(outcome, now));
        Ok(letter)
    };
    Letters(&*context.ports.documents).update(id, now, closed).await.map(|_| ())
}

/// Gives up the command that a letter is about.
pub(crate) async fn discard(context: &Context, id: &str, discard: &Discard) -> Result<()> {
    let now = context.ports.clock.now();
    let discarded = |found: Option<&DeadLetter>| {
        let mut letter = found.filter(|letter| letter.is_waiting()).cloned();
        if let Some(letter) = &mut letter {
            letter.discard(discard, now);
            letter.close("", now);
        }
        Ok(letter)
    };
    Letters(&*context.ports.documents).update(id, now, discarded).await.map(|_| ())
}
