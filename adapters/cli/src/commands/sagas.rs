use serde::Serialize;
use skyfold::{Result, Runtime, SagaInstance, SagaQuery, SagaRecord, Sagas, StreamId, Version};

use crate::arguments::{SagaList, SagaOf, Sagas as Arguments};
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

/// Looks at the transactions of sagas, and asks again for what one has asked for.
pub(crate) async fn sagas(context: &Context, arguments: Arguments) -> Result<Exit> {
    let runtime = context.client().runtime()?;
    match arguments {
        Arguments::List(list) => show_list(context, runtime, list).await,
        Arguments::Show(which) => show_one(context, &runtime.sagas(), which).await,
        Arguments::Retry(SagaOf { saga, id }) => {
            let records = runtime.sagas().retry(&saga, &id).await?;
            context.output().json(&Retried { saga: &saga, id: &id, records })?;
            let said = format!("asked again for what {records} records of {saga} {id} ask for");
            context.output().say(said)?;
            Ok(Exit::Done)
        }
    }
}

async fn show_list(context: &Context, runtime: &Runtime, arguments: SagaList) -> Result<Exit> {
    let SagaList { saga, stuck, older, since, limit } = arguments;
    let older = older.or(stuck.then_some(SagaList::STUCK));
    let quiet_since = older.and_then(|older| runtime.now().checked_sub(older.try_into().ok()?));
    let query = SagaQuery { is_open: stuck, since, quiet_since };
    let (mut found, mut next) = (vec![], None);
    loop {
        let page = runtime.sagas().list(&saga, &query, next.as_deref()).await?;
        found.extend(page.items);
        next = page.next;
        if found.len() > limit || next.is_none() {
            break;
        }
    }
    let is_more = found.len() > limit || next.is_some();
    found.truncate(limit);
    if context.output().format() == Format::Json {
        found.iter().try_for_each(|instance| context.output().json(instance))?;
        return Ok(Exit::Done);
    }
    let row = |instance: &SagaInstance| {
        let status = if instance.has_ended { "ended" } else { "open" };
        let time = instance.time.map(time_text).unwrap_or_default();
        vec![instance.id.to_string(), status.into(), instance.version.to_string(), time]
    };
    let rows: Vec<_> = found.iter().map(row).collect();
    context.output().table(&["transaction", "status", "events heard", "the last at"], &rows)?;
    if is_more {
        context.output().hint("there is more: --limit or --since");
    }
    Ok(Exit::Done)
}

async fn show_one(context: &Context, sagas: &Sagas<'_>, which: SagaOf) -> Result<Exit> {
    let SagaOf { saga, id } = which;
    let instance = sagas.show(&saga, &id).await?;
    let (mut records, mut after) = (vec![], Version::EMPTY);
    loop {
        let page = sagas.records(&saga, &id, after).await?;
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
    output.table(&["heard", "at", "asked for", "of", "due"], &rows)?;
    Ok(Exit::Done)
}

/// What a record heard, with a row for each command that it asked for.
fn rows(record: &SagaRecord) -> Vec<Vec<String>> {
    let heard = || vec![record.heard.to_string(), time_text(record.time)];
    if record.asked.is_empty() {
        return vec![[heard(), vec![String::new(); 3]].concat()];
    }
    let row = |queued: &skyfold::ports::QueuedCommand| {
        let stream = format!("{}-{}", queued.category, queued.request.stream);
        let due = queued.due.map(time_text).unwrap_or_default();
        [heard(), vec![queued.request.command.to_string(), stream, due]].concat()
    };
    record.asked.iter().map(row).collect()
}
