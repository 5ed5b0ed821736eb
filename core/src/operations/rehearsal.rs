use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::functions::{Rebuildable, by_stream};
use crate::operations::progress::{Progress, Unhandled};
use crate::operations::read_model::ReadModel;
use crate::operations::replay::{Replay, query, within_scope};
use crate::operations::verify::{Live, Scratch};
use crate::operations::walk::Walk;
use crate::{Announced, Error, EventId, Result, StreamName};

/// How many streams are named that a replay would bring something new of.
const STREAMS_MAX: usize = 100;

/// What a replay would come to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// [`Invalid`](crate::ErrorKind::Invalid) for a category that the projection does not hear;
    /// those of the stores.
    pub async fn rehearse(
        &self,
        replay: &Replay,
        mut tell: impl FnMut(&Progress),
    ) -> Result<Rehearsed> {
        let live = self.revision(replay.revision)?;
        let query = query(replay, live)?;
        let mut scratch = Scratch::begin(self.context, live).await?;
        let mut walk = Walk::new(self.context, query, replay.rate, vec![]);
        let mut news = News::default();
        while let Some(page) = walk.read().await? {
            let events = within_scope(replay, &page);
            let count = events.len() as u64;
            for (stream, announced) in by_stream(events) {
                self.hear(live, (&stream, announced), &mut scratch, &mut news).await?;
            }
            tell(&walk.pass(page, count));
            walk.keep_pace(count).await;
        }
        let unhandled = scratch.unhandled.values().cloned().collect();
        scratch.remove().await?;
        let (revision, events, new) = (live.revision(), walk.events, news.count);
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
