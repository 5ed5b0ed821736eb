use std::time::Duration;

use skyfold::limits::PAGE_ITEMS_MAX;
use skyfold::ports::FeedQuery;
use skyfold::{CloudEvent, Error, ErrorKind, EventPage, Payload, Result, Version};

use crate::arguments::{Events, Show, Tail};
use crate::{Client, Context, Exit, Format, time_text};

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
    match arguments {
        Events::Show(show) => show_stream(context, show).await,
        Events::Tail(tail) => show_newest(context, tail).await,
    }
}

async fn show_stream(context: &Context, arguments: Show) -> Result<Exit> {
    let Show { stream, from, limit } = arguments;
    let (mut found, mut next) = (vec![], Some(Version(from)));
    while let Some(from) = next.filter(|_| found.len() < limit) {
        let wanted = (limit - found.len()).min(PAGE_ITEMS_MAX);
        let page = context.client().events_of(&stream, from, wanted).await?;
        found.extend(page.items);
        next = page.next;
    }
    if found.is_empty() {
        let message = format!("{stream} has no event at version {from} or later");
        return Err(Error::new(ErrorKind::NotFound, message));
    }
    show(context, &found, Header::Shown)?;
    if let Some(next) = next {
        context.output().hint(format_args!("there is more: --from {next}"));
    }
    Ok(Exit::Done)
}

async fn show_newest(context: &Context, arguments: Tail) -> Result<Exit> {
    let Tail { categories, follow, limit } = arguments;
    let show_newest = async {
        let (newest, tail) = newest(context.client(), categories, limit).await?;
        show(context, &newest, Header::Shown)?;
        Ok::<_, Error>(tail)
    };
    if !follow {
        show_newest.await?;
        return Ok(Exit::Done);
    }
    let stopped = context.console().stopped()?;
    tokio::select! {
        () = stopped => Ok(Exit::Done),
        failed = async { show_news(context, show_newest.await?).await } => failed,
    }
}

/// Shows what is recorded from now on, without an end but a failure.
async fn show_news(context: &Context, mut tail: FeedTail<'_>) -> Result<Exit> {
    loop {
        tokio::time::sleep(POLL).await;
        let mut news = vec![];
        tail.read_on(|events| news.extend(events)).await?;
        news.sort_by(in_order);
        show(context, &news, Header::Hidden)?;
    }
}

/// The newest `limit` events, oldest first, and the feed from there on.
async fn newest(
    client: &Client,
    categories: Vec<String>,
    limit: usize,
) -> Result<(Vec<CloudEvent>, FeedTail<'_>)> {
    let now = client.now();
    let sinces = LOOK_BACK.iter().map(|back| now.checked_sub((*back).try_into().ok()?));
    let sinces = sinces.chain([None]);
    let query = FeedQuery { categories, since: None, until: None };
    let mut looked = (vec![], FeedTail::new(client, query.clone()));
    for since in sinces {
        let mut tail = FeedTail::new(client, FeedQuery { since, ..query.clone() });
        let mut newest: Vec<CloudEvent> = vec![];
        let keep = |events: Vec<CloudEvent>| {
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

/// A reader at the end of the feed.
struct FeedTail<'a> {
    client: &'a Client,
    query: FeedQuery,
    /// Where it is.
    cursor: Option<String>,
}

impl<'a> FeedTail<'a> {
    fn new(client: &'a Client, query: FeedQuery) -> Self {
        Self { client, query, cursor: None }
    }

    /// Reads from where it is to the end, and passes on the events of each page.
    async fn read_on(&mut self, mut pass: impl FnMut(Vec<CloudEvent>)) -> Result<()> {
        loop {
            let page = self.client.events(&self.query, self.cursor.as_deref()).await?;
            let EventPage { items, next, is_tail } = page;
            pass(items);
            self.cursor = Some(next);
            if is_tail {
                return Ok(());
            }
        }
    }
}

fn in_order(one: &CloudEvent, other: &CloudEvent) -> std::cmp::Ordering {
    (one.time, &one.subject, one.id.version).cmp(&(other.time, &other.subject, other.id.version))
}

/// Whether the rows of a table come under their header, or go on where others have ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Header {
    Shown,
    Hidden,
}

fn show(context: &Context, events: &[CloudEvent], header: Header) -> Result<()> {
    if events.is_empty() {
        return Ok(());
    }
    let output = context.output();
    if output.format() == Format::Json {
        let lines = events.iter().map(Payload::encode);
        let lines = lines.map(|line| line.map(|line| format!("{line}\n")));
        return output.print(&lines.collect::<Result<String>>()?);
    }
    let header: &[&str] = match header {
        Header::Shown => &["time", "event", "type", "data"],
        Header::Hidden => &[],
    };
    let rows: Vec<_> = events.iter().map(row).collect();
    output.table(header, &rows)
}

fn row(event: &CloudEvent) -> Vec<String> {
    // The category is in the event's id as well.
    let own = event.event_type.strip_prefix(event.subject.category());
    let event_type = own.and_then(|own| own.strip_prefix('.')).unwrap_or(&event.event_type);
    let data = event.data.as_ref().map(Payload::to_string).unwrap_or_default();
    vec![time_text(event.time), event.id.to_string(), event_type.to_owned(), data]
}
