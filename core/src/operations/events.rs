use serde::{Deserialize, Serialize};

use crate::limits::{COMMIT_EVENTS_MAX, PAGE_ITEMS_MAX};
use crate::ports::{Consistency, FeedQuery, Position, Range};
use crate::saga::own_category;
use crate::{
    CloudEvent, Error, Kind, RecordedCommit, RecordedEvent, Result, Runtime, StreamName, Version,
};

/// How many bytes of data make a page full, however few events they are: a page with one event
/// more fits into the answer of every cloud's functions.
const PAGE_BYTES_MAX: usize = 2 * 1024 * 1024;

/// How many pages of the feed are looked through for one page of events, at most.
const READS_MAX: usize = 16;

/// Looks at recorded events: those of one stream, or of all.
#[derive(Clone, Copy, Debug)]
pub struct Events<'a> {
    runtime: &'a Runtime,
}

/// Part of the events of one stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamPage {
    /// The events, in order.
    pub items: Vec<CloudEvent>,
    /// The version to read on from, if there is more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Version>,
}

/// Part of the events of all streams. It may be empty although more follow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventPage {
    /// The events; those of one stream are in order.
    pub items: Vec<CloudEvent>,
    /// Where to read on, now or once there is more.
    pub next: String,
    /// Whether there is no more for now.
    pub is_tail: bool,
}

/// Where a reader of the whole feed is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Cursor {
    /// The slice that is read next.
    slice: u16,
    /// Where it is in each slice.
    at: Vec<Option<Position>>,
    /// How many events of the next page of that slice it has seen.
    seen: usize,
}

impl<'a> Events<'a> {
    pub(crate) fn new(runtime: &'a Runtime) -> Self {
        Self { runtime }
    }

    /// The events of `stream` from the version `from` on: at most `limit`, and fewer if they are
    /// large.
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::ErrorKind::Invalid) for a limit of 0 or beyond
    /// [`PAGE_ITEMS_MAX`]; those of the store.
    pub async fn of(&self, stream: &StreamName, from: Version, limit: usize) -> Result<StreamPage> {
        if !(1..=PAGE_ITEMS_MAX).contains(&limit) {
            let message = format!("a page has 1 to {PAGE_ITEMS_MAX} events, not {limit}");
            return Err(Error::invalid(message));
        }
        let store = &self.runtime.ports().events;
        // A commit begins where it likes, but at most this far before one of its events.
        let mut after = Version(from.0.saturating_sub(COMMIT_EVENTS_MAX as u64));
        let mut page = Page::new(self.runtime.app().name(), limit);
        loop {
            let range = Range::After(after);
            let slice = store.read(stream, range, PAGE_ITEMS_MAX, Consistency::Strong).await?;
            let events = slice.commits.iter().flat_map(RecordedCommit::events);
            for event in events.filter(|event| event.version >= from) {
                if page.is_full() {
                    return Ok(StreamPage { items: page.items, next: Some(event.version) });
                }
                page.take(&event);
            }
            if slice.is_end {
                return Ok(StreamPage { items: page.items, next: None });
            }
            after = slice.commits.last().map_or(after, RecordedCommit::last);
        }
    }

    /// Events of all streams that `query` asks for, from where an earlier page ended: slice by
    /// slice of the feed, at most [`PAGE_ITEMS_MAX`], and fewer if they are large or far apart.
    /// Those of the latest [`FEED_LAG_MAX`](crate::limits::FEED_LAG_MAX) may come only later.
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::ErrorKind::Invalid) for a category that the app does not have, and for a
    /// place that is none; those of the store.
    pub async fn read(&self, query: &FeedQuery, from: Option<&str>) -> Result<EventPage> {
        self.check(&query.categories)?;
        let feed = &self.runtime.ports().feed;
        let slices = feed.slices();
        let mut cursor = Cursor::read(from, slices)?;
        let mut page = Page::new(self.runtime.app().name(), PAGE_ITEMS_MAX);
        let mut reads = 0;
        while reads < READS_MAX && !page.is_full() {
            reads += 1;
            let nth = usize::from(cursor.slice);
            let read = feed.read(cursor.slice, query, cursor.at[nth].as_ref()).await?.whole()?;
            let events = read.commits.iter().flat_map(RecordedCommit::events);
            for event in events.skip(cursor.seen) {
                if page.is_full() {
                    return page.end(&cursor, false);
                }
                page.take(&event);
                cursor.seen += 1;
            }
            (cursor.at[nth], cursor.seen) = (Some(read.next), 0);
            if read.is_tail {
                cursor.slice = (cursor.slice + 1) % slices;
                if cursor.slice == 0 {
                    return page.end(&cursor, true);
                }
            }
        }
        page.end(&cursor, false)
    }

    /// Refuses a category of which there would be no events for ever.
    fn check(&self, categories: &[String]) -> Result<()> {
        if categories.is_empty() {
            return Ok(());
        }
        let manifest = self.runtime.manifest();
        let sagas = manifest.of(Kind::Saga).map(|saga| own_category(&saga.name));
        let known = manifest.of(Kind::Command).map(|command| command.name.clone()).chain(sagas);
        let known: Vec<_> = known.collect();
        match categories.iter().find(|category| !known.contains(category)) {
            None => Ok(()),
            Some(unknown) => {
                let (app, known) = (&manifest.app, known.join(", "));
                let message = format!("{app} has no category {unknown:?}; it has {known}");
                Err(Error::invalid(message))
            }
        }
    }
}

impl Cursor {
    /// What `text` says of a feed of so many `slices`.
    fn read(text: Option<&str>, slices: u16) -> Result<Self> {
        let mut cursor = match text {
            None => Self::default(),
            Some(text) => serde_json::from_str::<Self>(text).map_err(|error| {
                Error::invalid(format!("{text:?} is not where events go on")).with_source(error)
            })?,
        };
        if cursor.slice >= slices || cursor.at.len() > usize::from(slices) {
            let message = format!("there is no slice {} of {slices}", cursor.slice);
            return Err(Error::invalid(message));
        }
        cursor.at.resize(usize::from(slices), None);
        Ok(cursor)
    }
}

/// A page that is being filled.
struct Page<'a> {
    app: &'a str,
    limit: usize,
    bytes: usize,
    items: Vec<CloudEvent>,
}

impl<'a> Page<'a> {
    fn new(app: &'a str, limit: usize) -> Self {
        Self { app, limit, bytes: 0, items: vec![] }
    }

    fn is_full(&self) -> bool {
        self.items.len() >= self.limit || self.bytes >= PAGE_BYTES_MAX
    }

    fn take(&mut self, event: &RecordedEvent) {
        let event = CloudEvent::new(self.app, event);
        self.bytes += event.data.as_ref().map_or(0, |text| text.get().len());
        self.items.push(event);
    }

    fn end(self, cursor: &Cursor, is_tail: bool) -> Result<EventPage> {
        let next = serde_json::to_string(cursor).map_err(|error| {
            Error::corrupt("a place in the feed cannot be written").with_source(error)
        })?;
        Ok(EventPage { items: self.items, next, is_tail })
    }
}
