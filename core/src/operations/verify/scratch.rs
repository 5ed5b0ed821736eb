use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::functions::view::StoredView;
use crate::functions::{ATTEMPTS_MAX, Context, Rebuildable, by_stream};
use crate::operations::pace::Pace;
use crate::operations::progress::{Unhandled, journal_key};
use crate::operations::removal::remove_all;
use crate::ports::{Consistency, DocumentStore, FeedQuery, Guard, Position, Range, Write};
use crate::stores::{Checkpoints, checkpoints, one, put};
use crate::{
    Announced, Error, ErrorKind, EventId, Payload, RecordedCommit, Result, StreamName, Version,
};

/// How long a store may keep what an interrupted verification leaves behind.
const LIFETIME: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How many streams are named that hold an event which cannot be handled.
const UNHANDLED_MAX: usize = 100;

/// Whether the live views hear everything as well, before the fresh ones do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Live {
    /// They do, so that they are never behind the fresh ones.
    Hears,
    /// They are left alone.
    LeftAlone,
}

/// A fresh fold of the log, in a collection of its own: the same functions over the same events,
/// begun with nothing.
pub(crate) struct Scratch<'a> {
    context: &'a Context,
    live: &'a dyn Rebuildable,
    fresh: Arc<dyn Rebuildable>,
    /// Where each slice of the feed was read to.
    positions: Vec<Option<Position>>,
    pub(crate) events: u64,
    pub(crate) unhandled: BTreeMap<StreamName, Unhandled>,
}

impl<'a> Scratch<'a> {
    /// Nothing yet, for comparison with `live`.
    pub(crate) async fn begin(context: &'a Context, live: &'a dyn Rebuildable) -> Result<Self> {
        let name = format!("verify.{}", live.collection());
        let number = number(&*context.ports.documents, &name).await?;
        let fresh = live.beside(format!("{name}.{number}"), LIFETIME);
        let positions = vec![None; usize::from(context.ports.feed.slices())];
        let (events, unhandled) = (0, BTreeMap::new());
        Ok(Self { context, live, fresh, positions, events, unhandled })
    }

    /// The fresh views.
    pub(crate) fn fresh(&self) -> &dyn Rebuildable {
        &*self.fresh
    }

    /// Reads each slice of the feed on to its end.
    pub(crate) async fn read_on(
        &mut self,
        live: Live,
        pace: &mut Pace<'_>,
        tell: &mut (dyn FnMut(u64) + Send),
    ) -> Result<()> {
        let query = FeedQuery { categories: self.live.hears(), ..FeedQuery::default() };
        let feed = self.context.ports.feed.clone();
        for slice in 0..feed.slices() {
            loop {
                let position = self.positions[usize::from(slice)].as_ref();
                let page = feed.read(slice, &query, position).await?.whole()?;
                let events = page.commits.iter().flat_map(RecordedCommit::events);
                let events: Vec<_> = events.map(Announced::Event).collect();
                let count = events.len() as u64;
                for (stream, announced) in by_stream(events) {
                    self.hear(&stream, &announced, live).await?;
                }
                self.positions[usize::from(slice)] = Some(page.next);
                self.events += count;
                tell(self.events);
                pace.keep(count).await;
                if page.is_tail {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Handles what was announced of one stream.
    pub(crate) async fn hear(
        &mut self,
        stream: &StreamName,
        news: &[Announced],
        live: Live,
    ) -> Result<()> {
        if live == Live::Hears {
            // What a live view cannot handle because of what has become of it, the fresh one can.
            passing(self.live.handle(self.context, stream, news).await)?;
        }
        self.note(news, self.fresh.handle(self.context, stream, news).await)
    }

    /// Remembers an event that cannot be handled: it holds up its stream alone.
    pub(crate) fn note(&mut self, news: &[Announced], outcome: Result<()>) -> Result<()> {
        let Some(error) = passing(outcome)? else { return Ok(()) };
        if self.unhandled.len() < UNHANDLED_MAX {
            let (event, why) = (news[0].id(), error.to_string());
            self.unhandled.entry(event.stream.clone()).or_insert(Unhandled { event, why });
        }
        Ok(())
    }

    /// Brings the fresh views up to all that `stored` has seen, and returns that. What no stream
    /// holds is left out: somebody wrote it there.
    pub(crate) async fn catch_up_with(
        &self,
        stored: &StoredView,
    ) -> Result<Vec<(StreamName, Version)>> {
        let mut seen = vec![];
        for (stream, version) in stored.all_seen() {
            let read =
                self.context.ports.events.read(stream, Range::NEWEST, 1, Consistency::Strong);
            let newest = read.await?.commits.pop();
            if newest.is_none_or(|newest| newest.last() < *version) {
                continue;
            }
            let event = EventId { stream: stream.clone(), version: *version };
            let news = [Announced::Reference(event)];
            // What cannot be handled was noted when the feed showed it.
            passing(self.fresh.handle(self.context, stream, &news).await)?;
            seen.push((stream.clone(), *version));
        }
        Ok(seen)
    }

    /// Lets the live views hear of the streams in `seen` what the fresh ones have, which may have
    /// read further: a view that is put in their place must not be ahead of what they remember.
    pub(crate) async fn let_live_catch_up(&self, seen: &[(StreamName, Version)]) -> Result<()> {
        if self.live.is_of_own_streams() {
            return Ok(());
        }
        let documents = &*self.context.ports.documents;
        let checkpoints = Checkpoints::new(documents, self.fresh.collection());
        for (stream, _) in seen {
            let version = checkpoints.get(stream).await?;
            if version == Version::EMPTY {
                continue;
            }
            let event = EventId { stream: stream.clone(), version };
            let news = [Announced::Reference(event)];
            passing(self.live.handle(self.context, stream, &news).await)?;
        }
        Ok(())
    }

    /// Removes what was written.
    pub(crate) async fn remove(self) -> Result<()> {
        let collection = self.fresh.collection();
        for collection in [collection.to_owned(), checkpoints(collection)] {
            remove_all(&*self.context.ports.documents, &collection, &mut |_| {}).await?;
        }
        Ok(())
    }
}

/// What fails for good; what may pass ends the work, which is to be done again later.
fn passing(outcome: Result<()>) -> Result<Option<Error>> {
    match outcome {
        Ok(()) => Ok(None),
        Err(error) if error.is_transient() || error.is_conflict() => Err(error),
        Err(error) => Ok(Some(error)),
    }
}

/// A number that no fold under `name` had before: one that was interrupted leaves something behind,
/// and another may be under way.
async fn number(documents: &dyn DocumentStore, name: &str) -> Result<u64> {
    let key = journal_key(name);
    for _ in 0..ATTEMPTS_MAX {
        let document = one(documents, &key).await?;
        let last: Option<u64> = document.as_ref().map(|found| found.body.decode()).transpose()?;
        let number = last.unwrap_or_default() + 1;
        let guard = document.map_or(Guard::Absent, |found| Guard::At(found.revision));
        let body = Some(Payload::encode(&number)?);
        let write = Write { key: key.clone(), body, listings: vec![], guard, expires: None };
        match put(documents, write).await {
            Err(error) if error.is_conflict() => {}
            outcome => return outcome.map(|()| number),
        }
    }
    Err(Error::new(ErrorKind::Conflict, format!("too many begin {name} at once")))
}
