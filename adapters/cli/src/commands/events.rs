use std::time::Duration;

use skyfold::limits::{COMMIT_EVENTS_MAX, PAGE_ITEMS_MAX};
use skyfold::ports::{Consistency, EventFeed, FeedQuery, Position, Range};
use skyfold::{
    CloudEvent, Error, ErrorKind, Kind, Manifest, Payload, RecordedCommit, RecordedEvent, Result,
    Runtime, Version,
};

use crate::arguments::{Events, Show, Tail};
use crate::client::SAGA_PREFIX;
use crate::{Context, Exit, Format, time_text};

/// How long the end of the feed is left alone before it is looked at again.
const POLL: Duration = Duration::from_millis(500);

/// How far back the newest events are looked for, one after the other, before all are read: so
/// that the end of a large store is found without its beginning.
const LOOK_BACK: [Duration; 4] = [
    Duration::from_secs(60),
    Duration::from_secs(60 * 60),
    Duration::from_secs(24 * 60 * 60),
    Duration::from_secs(30 * 24 * 60 * 60),
];

/// Shows recorded events.
pub(crate) async fn events(context: &Context, arguments: Events) -> Result<Exit> {
    let runtime = context.client().runtime()?;
    match arguments {
        Events::Show(show) => show_stream(context, runtime, show).await,
        Events::Tail(tail) => show_newest(context, runtime, tail).await,
    }
}

async fn show_stream(context: &Context, runtime: &Runtime, arguments: Show) -> Result<Exit> {
    let Show { stream, from, limit } = arguments;
    // A commit begins where it likes, but at most this far before one of its events.
    let mut after = Version(from.saturating_sub(COMMIT_EVENTS_MAX as u64));
    let (mut found, mut is_end) = (vec![], false);
    while found.len() <= limit && !is_end {
        let store = &runtime.ports().events;
        let range = Range::After(after);
        let slice = store.read(&stream, range, PAGE_ITEMS_MAX, Consistency::Strong).await?;
        is_end = slice.is_end;
        after = slice.commits.last().map_or(after, RecordedCommit::last);
        let events = slice.commits.iter().flat_map(RecordedCommit::events);
        found.extend(events.filter(|event| event.version.0 >= from));
    }
    if found.is_empty() {
        let message = format!("{stream} has no event at version {from} or later");
        return Err(Error::new(ErrorKind::NotFound, message));
    }
    let is_more = found.len() > limit;
    found.truncate(limit);
    show(context, runtime, &found, Header::Shown)?;
    if let (true, Some(last)) = (is_more, found.last()) {
        context.output().hint(format_args!("there is more: --from {}", last.version.next()));
    }
    Ok(Exit::Done)
}

async fn show_newest(context: &Context, runtime: &Runtime, arguments: Tail) -> Result<Exit> {
    let Tail { categories, follow, limit } = arguments;
    check_categories(context.client().manifest(), &categories)?;
    let show_newest = async {
        let (newest, tail) = newest(runtime, categories, limit).await?;
        show(context, runtime, &newest, Header::Shown)?;
        Ok::<_, Error>(tail)
    };
    if !follow {
        show_newest.await?;
        return Ok(Exit::Done);
    }
    let stopped = context.console().stopped()?;
    tokio::select! {
        () = stopped => Ok(Exit::Done),
        failed = async { show_news(context, runtime, show_newest.await?).await } => failed,
    }
}

/// Shows what is recorded from now on, without an end but a failure.
async fn show_news(context: &Context, runtime: &Runtime, mut tail: FeedTail<'_>) -> Result<Exit> {
    loop {
        tokio::time::sleep(POLL).await;
        let mut news = vec![];
        tail.read_on(|events| news.extend(events)).await?;
        news.sort_by(in_order);
        show(context, runtime, &news, Header::Hidden)?;
    }
}

/// The newest `limit` events, oldest first, and the feed from there on.
async fn newest(
    runtime: &Runtime,
    categories: Vec<String>,
    limit: usize,
) -> Result<(Vec<RecordedEvent>, FeedTail<'_>)> {
    let now = runtime.now();
    let sinces = LOOK_BACK.iter().map(|back| now.checked_sub((*back).try_into().ok()?));
    let sinces = sinces.chain([None]);
    let query = FeedQuery { categories, since: None, until: None };
    let mut looked = (vec![], FeedTail::new(&*runtime.ports().feed, query.clone()));
    for since in sinces {
        let mut tail = FeedTail::new(&*runtime.ports().feed, FeedQuery { since, ..query.clone() });
        let mut newest: Vec<RecordedEvent> = vec![];
        let keep = |events: Vec<RecordedEvent>| {
            newest.extend(events);
            newest.sort_by(in_order);
            newest.drain(..newest.len().saturating_sub(limit));
        };
        tail.read_on(keep).await?;
        let is_enough = newest.len() == limit;
        looked = (newest, tail);
        if is_enough {
            break;
        }
    }
    Ok(looked)
}

/// A reader at the end of every slice of the feed.
struct FeedTail<'a> {
    feed: &'a dyn EventFeed,
    query: FeedQuery,
    /// Where it is in each slice.
    positions: Vec<Option<Position>>,
}

impl<'a> FeedTail<'a> {
    fn new(feed: &'a dyn EventFeed, query: FeedQuery) -> Self {
        Self { feed, query, positions: vec![None; usize::from(feed.slices())] }
    }

    /// Reads each slice from where it is to its end, and passes on the events of each page.
    async fn read_on(&mut self, mut pass: impl FnMut(Vec<RecordedEvent>)) -> Result<()> {
        for (slice, position) in (0..).zip(&mut self.positions) {
            loop {
                let page = self.feed.read(slice, &self.query, position.as_ref()).await?;
                pass(page.commits.iter().flat_map(RecordedCommit::events).collect());
                *position = Some(page.next);
                if page.is_tail {
                    break;
                }
            }
        }
        Ok(())
    }
}

fn in_order(one: &RecordedEvent, other: &RecordedEvent) -> std::cmp::Ordering {
    (one.time, &one.stream, one.version).cmp(&(other.time, &other.stream, other.version))
}

/// Whether the rows of a table come under their header, or go on where others have ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Header {
    Shown,
    Hidden,
}

fn show(
    context: &Context,
    runtime: &Runtime,
    events: &[RecordedEvent],
    header: Header,
) -> Result<()> {
    if events.is_empty() {
        return Ok(());
    }
    let output = context.output();
    if output.format() == Format::Json {
        let app = runtime.app().name();
        let lines = events.iter().map(|event| Payload::encode(&CloudEvent::new(app, event)));
        let lines = lines.map(|line| line.map(|line| format!("{line}\n")));
        return output.print(&lines.collect::<Result<String>>()?);
    }
    let header: &[&str] = match header {
        Header::Shown => &["time", "event", "type", "data"],
        Header::Hidden => &[],
    };
    let row = |event: &RecordedEvent| {
        let id = event.id().to_string();
        vec![time_text(event.time), id, event.event_type.clone(), event.data.to_string()]
    };
    let rows: Vec<_> = events.iter().map(row).collect();
    output.table(header, &rows)
}

/// Refuses a category that the app does not have, of which there would be no events for ever.
pub(crate) fn check_categories(manifest: &Manifest, categories: &[String]) -> Result<()> {
    let sagas = manifest.of(Kind::Saga).map(|saga| format!("{SAGA_PREFIX}{}", saga.name));
    let known = manifest.of(Kind::Command).map(|command| command.name.clone()).chain(sagas);
    let known: Vec<_> = known.collect();
    for category in categories {
        if !known.contains(category) {
            let (app, known) = (&manifest.app, known.join(", "));
            let message = format!("{app} has no category {category:?}; it has {known}");
            return Err(Error::new(ErrorKind::Invalid, message));
        }
    }
    Ok(())
}
