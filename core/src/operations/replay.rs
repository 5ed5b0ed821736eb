use std::num::NonZeroU32;

use serde::Serialize;
use time::OffsetDateTime;

use crate::functions::{Rebuildable, by_stream};
use crate::operations::pace::Pace;
use crate::operations::progress::{Journal, Progress, Saved, Scope, SliceAt, Unhandled};
use crate::operations::read_model::ReadModel;
use crate::ports::FeedQuery;
use crate::{Announced, Error, RecordedCommit, Result, Version};

/// How many pages of the feed are handled between two writes of how far a replay is.
const PAGES_PER_SAVE_MAX: usize = 16;

/// What to deliver once more, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replay {
    /// Which revision; the newest that the app lists, if not given.
    pub revision: Option<u32>,
    /// Only events of these categories; of all that the projection hears, if none is given.
    pub categories: Vec<String>,
    /// Only commits recorded at or after this time.
    pub since: Option<OffsetDateTime>,
    /// Only commits that reach this version of their stream.
    pub version: Option<Version>,
    /// At most so many events a second.
    pub rate: Option<NonZeroU32>,
    /// Where to begin.
    pub start: Start,
}

/// Where a replay begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Start {
    /// Where the same replay was interrupted, or else at the beginning.
    #[default]
    Resume,
    /// At the beginning, whatever was done before.
    Anew,
}

/// What a replay came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Replayed {
    /// The revision that was built.
    pub revision: u32,
    /// How many events were delivered, those before an interruption included.
    pub events: u64,
    /// How many events could not be handled; what follows them in their streams waits.
    pub unhandled: u64,
    /// The first of those.
    pub examples: Vec<Unhandled>,
}

impl Saved {
    /// Whether all of the log was read once, and all of it could be handled.
    pub(crate) fn is_complete(&self) -> bool {
        let Scope { categories, since, version } = &self.scope;
        let is_whole = categories.is_empty() && since.is_none() && version.is_none();
        self.was_complete || (is_whole && self.is_finished && self.unhandled_count == 0)
    }
}

impl ReadModel<'_> {
    /// Delivers past events once more, slice by slice of the feed, and tells `tell` after each
    /// page. What a view has shown before it drops, so that live deliveries meanwhile do no harm;
    /// nothing is sent to anybody. An event that cannot be handled holds up its stream alone, and
    /// is told in the end.
    ///
    /// How far it is, is kept behind the views: after a crash the same replay goes on there.
    ///
    /// # Errors
    ///
    /// [`Conflict`](crate::ErrorKind::Conflict) if another replay of the same revision begins, or
    /// an unfinished one is about other events; those of the stores.
    pub async fn replay(
        &self,
        replay: &Replay,
        mut tell: impl FnMut(&Progress),
    ) -> Result<Replayed> {
        let model = self.revision(replay.revision)?;
        let (feed, documents) = (&self.context.ports.feed, &*self.context.ports.documents);
        let (mut journal, saved) = Journal::open(documents, model.collection()).await?;
        let mut saved = begin(replay, saved)?;
        saved.slices.resize(usize::from(feed.slices()), SliceAt::default());
        journal.write(&saved).await?;
        let query = query(replay, model);
        let mut pace = Pace::new(&*self.context.ports.clock, replay.rate);
        let (started, mut unsaved) = (self.context.ports.clock.now(), 0);
        for slice in 0..feed.slices() {
            let (nth, mut span) = (usize::from(slice), TimeSpan::default());
            while !saved.slices[nth].is_done {
                let page = feed.read(slice, &query, saved.slices[nth].next.as_ref()).await?;
                let events = self.deliver(model, replay, &page.commits, &mut saved).await?;
                saved.events += events;
                saved.slices[nth] = SliceAt { next: Some(page.next), is_done: page.is_tail };
                unsaved += 1;
                if unsaved >= PAGES_PER_SAVE_MAX || page.is_tail {
                    journal.write(&saved).await?;
                    unsaved = 0;
                }
                span.reach(&page.commits);
                tell(&progress(&saved, span.part_until(started)));
                pace.keep(events).await;
            }
        }
        saved.is_finished = true;
        journal.write(&saved).await?;
        let (revision, events) = (model.revision(), saved.events);
        let (unhandled, examples) = (saved.unhandled_count, saved.unhandled);
        Ok(Replayed { revision, events, unhandled, examples })
    }

    /// Delivers the events of `commits`. Says how many there were.
    async fn deliver(
        &self,
        model: &dyn Rebuildable,
        replay: &Replay,
        commits: &[RecordedCommit],
        saved: &mut Saved,
    ) -> Result<u64> {
        let events = within_scope(replay, commits);
        let count = events.len() as u64;
        for (stream, announced) in by_stream(events) {
            match model.handle(self.context, &stream, &announced).await {
                Ok(()) => {}
                Err(error) if is_passing(&error) => return Err(error),
                Err(error) => {
                    saved.fail(announced[0].id(), &error);
                }
            }
        }
        Ok(count)
    }
}

/// The events of `commits` that `replay` is about.
pub(crate) fn within_scope(replay: &Replay, commits: &[RecordedCommit]) -> Vec<Announced> {
    let reaches = |commit: &&RecordedCommit| Some(commit.last()) >= replay.version;
    let events = commits.iter().filter(reaches).flat_map(RecordedCommit::events);
    events.map(Announced::Event).collect()
}

/// Whether to try again later may help: the replay is to be started again, and goes on.
fn is_passing(error: &Error) -> bool {
    error.is_transient() || error.is_conflict()
}

/// Where `replay` begins, after what was `saved` before.
fn begin(replay: &Replay, saved: Option<Saved>) -> Result<Saved> {
    let Replay { categories, since, version, .. } = replay.clone();
    let scope = Scope { categories, since, version };
    let was_complete = saved.as_ref().is_some_and(Saved::is_complete);
    match saved.filter(|saved| !saved.is_finished && replay.start == Start::Resume) {
        None => Ok(Saved { scope, was_complete, ..Saved::default() }),
        Some(saved) if saved.scope == scope => Ok(saved),
        Some(_) => Err(Error::new(
            crate::ErrorKind::Conflict,
            "a replay of other events was interrupted: finish it, or begin anew",
        )),
    }
}

pub(crate) fn query(replay: &Replay, model: &dyn Rebuildable) -> FeedQuery {
    let mut categories = model.hears();
    if !replay.categories.is_empty() {
        categories.retain(|heard| replay.categories.contains(heard));
    }
    FeedQuery { categories, since: replay.since, until: None }
}

/// When the commits of a slice were recorded, as far as it was read.
#[derive(Debug, Default)]
pub(crate) struct TimeSpan {
    first: Option<OffsetDateTime>,
    last: Option<OffsetDateTime>,
}

impl TimeSpan {
    pub(crate) fn reach(&mut self, commits: &[RecordedCommit]) {
        self.first = self.first.or_else(|| commits.first().map(|commit| commit.commit.time()));
        self.last = commits.last().map(|commit| commit.commit.time()).or(self.last);
    }

    /// Which part of the time from the first commit until `end` was reached.
    pub(crate) fn part_until(&self, end: OffsetDateTime) -> f64 {
        let (Some(first), Some(last)) = (self.first, self.last) else { return 0.0 };
        let whole = (end - first).as_seconds_f64();
        if whole > 0.0 { ((last - first).as_seconds_f64() / whole).clamp(0.0, 1.0) } else { 0.0 }
    }
}

pub(crate) fn progress(saved: &Saved, part_of_slice: f64) -> Progress {
    let slices = saved.slices.len();
    let slices_done = saved.slices.iter().filter(|slice| slice.is_done).count();
    let is_amid = slices_done < slices && saved.slices[slices_done].next.is_some();
    let part = if is_amid { part_of_slice } else { 0.0 };
    let fraction = (slices_done as f64 + part) / slices.max(1) as f64;
    let count = |slices: usize| u16::try_from(slices).unwrap_or(u16::MAX);
    let (slices_done, slices) = (count(slices_done), count(slices));
    Progress { slices_done, slices, events: saved.events, fraction }
}
