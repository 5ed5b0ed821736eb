use skyfold::{
    DeadLetter, Discard, LetterEntry, LetterEvent, LetterQuery, LetterStatus, Result, Retried,
    Undone,
};

use crate::arguments::{DeadLetters, LetterList, Reason, RetryLetters};
use crate::{Context, Exit, Format, time_text};

/// How many letters are tried again with one request.
const RETRY_ITEMS: usize = 20;

/// Looks at dead letters, tries them again, and gives them up.
pub(crate) async fn dead_letters(context: &Context, command: DeadLetters) -> Result<Exit> {
    let client = context.client();
    match command {
        DeadLetters::List(arguments) => list(context, arguments).await,
        DeadLetters::Show(arguments) => show(context, &client.dead_letter(&arguments.id).await?),
        DeadLetters::Retry(RetryLetters { id: Some(id), .. }) => {
            tell(context, &client.retry_letter(&id).await?)
        }
        DeadLetters::Retry(RetryLetters { function, stream, .. }) => {
            retry_all(context, LetterQuery { function, stream, ..LetterQuery::default() }).await
        }
        DeadLetters::Discard(arguments) => {
            let Reason { reason, by } = arguments.reason;
            let discard = Discard { reason, by: Some(by), event: arguments.event };
            // What follows in its stream may be no better.
            tell(context, &client.discard_letter(&arguments.id, &discard).await?)
        }
    }
}

/// Tells what became of `letter`. It is a failure that it waits.
fn tell(context: &Context, letter: &DeadLetter) -> Result<Exit> {
    context.output().json(letter)?;
    context.output().say(outcome(letter))?;
    Ok(if letter.is_waiting() { Exit::Failed } else { Exit::Done })
}

async fn list(context: &Context, arguments: LetterList) -> Result<Exit> {
    let LetterList { function, stream, closed, order, limit, cursor } = arguments;
    let query = LetterQuery { function, stream, closed, order: order.into(), limit, cursor };
    let page = context.client().dead_letters(&query).await?;
    let output = context.output();
    output.json(&page)?;
    let row = |letter: &DeadLetter| {
        let (id, function) = (letter.id.clone(), letter.function.clone());
        let (undone, kind, last) = (undone(letter), letter.kind.clone(), time_text(letter.last));
        vec![id, function, undone, kind, letter.attempts.to_string(), last]
    };
    let rows: Vec<_> = page.items.iter().map(row).collect();
    output.table(&["id", "function", "waits at", "kind", "attempts", "the last at"], &rows)?;
    if let Some(next) = page.next {
        output.say(format_args!("there is more: --cursor {next}"))?;
    }
    Ok(Exit::Done)
}

/// Tries all letters again that `query` lists, page by page.
async fn retry_all(context: &Context, query: LetterQuery) -> Result<Exit> {
    // Small pages: over HTTP one has to be answered in time.
    let mut query = LetterQuery { limit: RETRY_ITEMS, ..query };
    let mut all = Retried { resolved: 0, waiting: vec![], next: None };
    loop {
        let retried = context.client().retry_letters(&query).await?;
        all.resolved += retried.resolved;
        all.waiting.extend(retried.waiting);
        query.cursor = retried.next;
        if query.cursor.is_none() {
            break;
        }
    }
    let output = context.output();
    output.json(&all)?;
    let (resolved, waiting) = (all.resolved, all.waiting.len());
    output.say(format_args!("{resolved} are done, {waiting} still wait"))?;
    all.waiting.iter().try_for_each(|letter| output.say(outcome(letter)))?;
    Ok(if all.waiting.is_empty() { Exit::Done } else { Exit::Failed })
}

fn show(context: &Context, letter: &DeadLetter) -> Result<Exit> {
    let output = context.output();
    output.json(letter)?;
    if output.format() == Format::Json {
        return Ok(Exit::Done);
    }
    output.say(outcome(letter))?;
    letter.causes.iter().try_for_each(|cause| output.say(format_args!("  because: {cause}")))?;
    if let Undone::Command(queued) = &letter.undone {
        output.show(&queued.request.command)?;
    }
    let rows: Vec<_> = letter.history.iter().map(entry).collect();
    output.table(&["at", "what happened", "event", "why"], &rows)?;
    Ok(Exit::Done)
}

/// How it stands with `letter`, as a sentence.
fn outcome(letter: &DeadLetter) -> String {
    let (function, undone) = (&letter.function, undone(letter));
    match letter.status {
        LetterStatus::Resolved => format!("{function}: {} goes on", letter.stream),
        LetterStatus::Discarded => format!("{function}: {undone} was given up"),
        LetterStatus::Waiting => format!("{function}: {undone} waits: {}", letter.error),
    }
}

/// The event, or the command and its stream, that could not be done.
fn undone(letter: &DeadLetter) -> String {
    match &letter.undone {
        Undone::Event(event) => event.to_string(),
        Undone::Command(queued) => format!("command {} to {}", queued.request.id, letter.stream),
    }
}

/// A line of a letter's history.
fn entry(entry: &LetterEntry) -> Vec<String> {
    let text = |event: &Option<skyfold::EventId>| {
        event.as_ref().map(ToString::to_string).unwrap_or_default()
    };
    let (what, event, why) = match &entry.what {
        LetterEvent::Failed { event, kind, error } => {
            ("failed", text(event), format!("{kind}: {error}"))
        }
        LetterEvent::Discarded { event, reason, by } => {
            let by = by.as_ref().map(|by| format!(" ({by})")).unwrap_or_default();
            ("discarded", text(event), format!("{reason}{by}"))
        }
        LetterEvent::Resolved { outcome } => ("resolved", String::new(), outcome.clone()),
    };
    vec![time_text(entry.time), what.to_owned(), event, why]
}
