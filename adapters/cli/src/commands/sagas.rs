use serde::Serialize;
use skyfold::{
    Deed, Error, ErrorKind, Payload, Result, SagaInstance, SagaQuery, SagaRecord, SendRequest,
    SkipRequest, Skipped, StreamId, Version,
};

use crate::arguments::{Reason, SagaList, SagaOf, SagaSend, SagaSkip, Sagas as Arguments};
use crate::{Context, Exit, Format, time_text};

/// A transaction with all that it has heard and asked for.
#[derive(Serialize)]
struct Story<'a> {
    #[serde(flatten)]
    instance: &'a SagaInstance,
    records: &'a [SagaRecord],
}

/// What a retry came to.
#[derive(Serialize)]
struct Retried<'a> {
    saga: &'a str,
    id: &'a StreamId,
    records: u64,
}

/// Looks at the transactions of sagas, and helps one that is stuck.
pub(crate) async fn sagas(context: &Context, arguments: Arguments) -> Result<Exit> {
    match arguments {
        Arguments::List(list) => show_list(context, list).await,
        Arguments::Show(which) => show_one(context, which).await,
        Arguments::Retry(SagaOf { saga, id }) => {
            let records = context.client().retry_saga(&saga, &id).await?;
            context.output().json(&Retried { saga: &saga, id: &id, records })?;
            let said = format!("asked again for what {records} records of {saga} {id} ask for");
            context.output().say(said)?;
            Ok(Exit::Done)
        }
        Arguments::Skip(arguments) => skip(context, arguments).await,
        Arguments::Send(arguments) => send(context, arguments).await,
    }
}

async fn skip(context: &Context, arguments: SagaSkip) -> Result<Exit> {
    let skipped = arguments.skipped();
    let SagaSkip { of: SagaOf { saga, id }, reason: Reason { reason, by }, .. } = arguments;
    let missing = || Error::new(ErrorKind::Invalid, "what is to be left out: --event or --command");
    let request = SkipRequest { skip: skipped.ok_or_else(missing)?, reason, by: Some(by) };
    let done = context.client().skip_in_saga(&saga, &id, &request).await?;
    let output = context.output();
    output.json(&done)?;
    let what = match &request.skip {
        Skipped::Event(event) => event.to_string(),
        Skipped::Command(command) => format!("the command {command}"),
    };
    let before = if done.is_repeated { ", as before" } else { "" };
    output.say(format_args!("{saga} {id} goes on without {what}{before}: {}", done.record))?;
    Ok(Exit::Done)
}

async fn send(context: &Context, arguments: SagaSend) -> Result<Exit> {
    let SagaSend { of, category, stream, command, fields, number, after, reason } = arguments;
    let (SagaOf { saga, id }, Reason { reason, by }) = (of, reason);
    let fields = fields.map(|fields| Payload::parse(&fields)).transpose()?;
    let command = context.client().command(&category, &command, fields.as_ref())?;
    let after_seconds = after.map_or(0, |after| after.as_secs());
    let by = Some(by);
    let request = SendRequest { number, category, stream, command, after_seconds, reason, by };
    let done = context.client().send_for_saga(&saga, &id, &request).await?;
    let output = context.output();
    output.json(&done)?;
    if let Deed::Sent(number) = done.by_hand.did {
        let before = if done.is_repeated { " again" } else { "" };
        output.say(format_args!("sent{before} for {saga} {id} as number {number}"))?;
    }
    Ok(Exit::Done)
}

async fn show_list(context: &Context, arguments: SagaList) -> Result<Exit> {
    let SagaList { saga, stuck, older, since, limit } = arguments;
    let (client, output) = (context.client(), context.output());
    let older = older.or(stuck.then_some(SagaList::STUCK));
    let quiet_since = older.and_then(|older| client.now().checked_sub(older.try_into().ok()?));
    let query = SagaQuery { is_open: stuck, since, quiet_since };
    let (mut found, mut next) = (vec![], None);
    loop {
        let page = client.sagas(&saga, &query, next.as_deref()).await?;
        found.extend(page.items);
        next = page.next;
        if found.len() > limit || next.is_none() {
            break;
        }
    }
    let is_more = found.len() > limit || next.is_some();
    found.truncate(limit);
    if output.format() == Format::Json {
        found.iter().try_for_each(|instance| output.json(instance))?;
        return Ok(Exit::Done);
    }
    let row = |instance: &SagaInstance| {
        let status = if instance.has_ended { "ended" } else { "open" };
        let time = instance.time.map(time_text).unwrap_or_default();
        vec![instance.id.to_string(), status.into(), instance.version.to_string(), time]
    };
    let rows: Vec<_> = found.iter().map(row).collect();
    output.table(&["transaction", "status", "records", "the last at"], &rows)?;
    if is_more {
        output.hint("there is more: --limit or --since");
    }
    Ok(Exit::Done)
}

async fn show_one(context: &Context, which: SagaOf) -> Result<Exit> {
    let (SagaOf { saga, id }, client) = (which, context.client());
    let instance = client.saga(&saga, &id).await?;
    let (mut records, mut after) = (vec![], Version::EMPTY);
    loop {
        let page = client.saga_records(&saga, &id, after).await?;
        let Some(last) = page.last() else { break };
        after = last.version;
        records.extend(page);
    }
    let output = context.output();
    output.json(&Story { instance: &instance, records: &records })?;
    if output.format() == Format::Json {
        return Ok(Exit::Done);
    }
    let status = if instance.has_ended { "has ended" } else { "is open" };
    output.say(format_args!("{saga} {id} {status}"))?;
    output.show(&instance.state)?;
    let rows: Vec<_> = records.iter().flat_map(rows).collect();
    output.table(&["heard", "at", "asked for", "of", "due", "id"], &rows)?;
    Ok(Exit::Done)
}

/// What a record heard, with a row for each command that it asked for.
fn rows(record: &SagaRecord) -> Vec<Vec<String>> {
    let heard = || vec![cause(record), time_text(record.time)];
    if record.asked.is_empty() {
        return vec![[heard(), vec![String::new(); 4]].concat()];
    }
    let row = |queued: &skyfold::ports::QueuedCommand| {
        let stream = format!("{}-{}", queued.category, queued.request.stream);
        let due = queued.due.map(time_text).unwrap_or_default();
        let id = queued.request.id.to_string();
        [heard(), vec![queued.request.command.to_string(), stream, due, id]].concat()
    };
    record.asked.iter().map(row).collect()
}

/// What a record is about.
fn cause(record: &SagaRecord) -> String {
    let SagaRecord { heard, by_hand, .. } = record;
    match (heard, by_hand.as_ref().map(|by_hand| &by_hand.did)) {
        (Some(heard), _) => heard.to_string(),
        (None, Some(Deed::Sent(number))) => format!("by hand, number {number}"),
        (None, Some(Deed::Skipped(Skipped::Event(event)))) => format!("skipped {event}"),
        (None, Some(Deed::Skipped(Skipped::Command(command)))) => format!("skipped {command}"),
        (None, None) => String::new(),
    }
}
