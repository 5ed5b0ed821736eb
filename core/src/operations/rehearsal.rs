use std::collections::BTreeMap;

use serde::Serialize;

use crate::functions::{Rebuildable, by_stream};
use crate::operations::pace::Pace;
use crate::operations::progress::{Progress, Saved, SliceAt, Unhandled};
use crate::operations::read_model::ReadModel;
use crate::operations::replay::{Replay, TimeSpan, progress, query, within_scope};
use crate::operations::verify::{Live, Scratch};
use crate::{Announced, Error, EventId, Result, StreamName};

/// How many streams are named that a replay would bring something new of.
const STREAMS_MAX: usize = 100;

/// What a replay would come to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rehearsed {
    /// The revision that would be built.
    pub revision: u32,
    /// How many events would be delivered.
    pub events: u64,
    /// How many of them the views have not seen; they drop the others.
    pub new: u64,
    /// The first of those of each stream, of at most 100 streams.
    pub examples: Vec<EventId>,
    /// What could not be handled, one event for each stream that would wait; at most 100.
    pub unhandled: Vec<Unhandled>,
}

impl ReadModel<'_> {
    /// Tells what `replay` would change and what could not be handled, and leaves the views alone.
    ///
    /// What the views have seen, they drop. A stream with anything new is handled from its first
    /// event on in a collection of its own, which is removed in the end: a view of many streams is
    /// tried there with those streams alone.
    ///
    /// # Errors
    ///
    /// Those of the stores.
    pub async fn rehearse(
        &self,
        replay: &Replay,
        mut tell: impl FnMut(&Progress),
    ) -> Result<Rehearsed> {
        let live = self.revision(replay.revision)?;
        let feed = self.context.ports.feed.clone();
        let mut scratch = Scratch::begin(self.context, live).await?;
        let mut saved = Saved::default();
        saved.slices.resize(usize::from(feed.slices()), SliceAt::default());
        let query = query(replay, live);
        let mut pace = Pace::new(&*self.context.ports.clock, replay.rate);
        let (started, mut news) = (self.context.ports.clock.now(), News::default());
        for slice in 0..feed.slices() {
            let (nth, mut span) = (usize::from(slice), TimeSpan::default());
            while !saved.slices[nth].is_done {
                let page = feed.read(slice, &query, saved.slices[nth].next.as_ref()).await?;
                let events = within_scope(replay, &page.commits);
                let count = events.len() as u64;
                for (stream, announced) in by_stream(events) {
                    self.hear(live, (&stream, announced), &mut scratch, &mut news).await?;
                }
                saved.events += count;
                saved.slices[nth] = SliceAt { next: Some(page.next), is_done: page.is_tail };
                span.reach(&page.commits);
                tell(&progress(&saved, span.part_until(started)));
                pace.keep(count).await;
            }
        }
        let unhandled = scratch.unhandled.values().cloned().collect();
        scratch.remove().await?;
        let (revision, events, new) = (live.revision(), saved.events, news.count);
        let examples = news.first.into_iter();
        let examples = examples.map(|(stream, version)| EventId { stream, version }).collect();
        Ok(Rehearsed { revision, events, new, examples, unhandled })
    }

    /// Tries what is new of one stream.
    async fn hear(
        &self,
        live: &dyn Rebuildable,
        (stream, announced): (&StreamName, Vec<Announced>),
        scratch: &mut Scratch<'_>,
        news: &mut News,
    ) -> Result<()> {
        let standing = match live.standing(self.context, stream).await {
            Ok(standing) => standing,
            // The view cannot be read, and so could not be written.
            Err(error) => return scratch.note(&announced, Err(error)),
        };
        let is_new = |event: &Announced| event.id().version > standing.reached;
        let new: Vec<_> = announced.into_iter().filter(is_new).collect();
        if new.is_empty() {
            return Ok(());
        }
        news.take(stream, &new);
        if standing.is_waiting {
            let waits = Error::corrupt(format!("{stream} waits behind a dead letter"));
            return scratch.note(&new, Err(waits));
        }
        scratch.hear(stream, &new, Live::LeftAlone).await
    }
}

/// What the views have not seen.
#[derive(Debug, Default)]
struct News {
    count: u64,
    first: BTreeMap<StreamName, crate::Version>,
}

impl News {
    fn take(&mut self, stream: &StreamName, events: &[Announced]) {
        self.count += events.len() as u64;
        if self.first.len() < STREAMS_MAX && !self.first.contains_key(stream) {
            self.first.insert(stream.clone(), events[0].id().version);
        }
    }
}
