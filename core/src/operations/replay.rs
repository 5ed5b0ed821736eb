use std::mem::take;
use std::num::NonZeroU32;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::functions::{Rebuildable, by_stream};
use crate::operations::progress::{Journal, Progress, Saved, Scope, Unhandled};
use crate::operations::read_model::ReadModel;
use crate::operations::walk::Walk;
use crate::ports::{FeedPage, FeedQuery};
use crate::{Announced, Error, RecordedCommit, Result, Version};

/// How many pages of the feed are handled between two writes of how far a replay is.
const PAGES_PER_SAVE_MAX: usize = 16;

/// What to deliver once more, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Replay {
    /// Which revision; the newest that the app lists, if not given.
    pub revision: Option<u32>,
    /// Only events of these categories; of all that the projection hears, if none is given.
    pub categories: Vec<String>,
    /// Only commits recorded at or after this time.
    #[serde(with = "time::serde::rfc3339::option")]
    pub since: Option<OffsetDateTime>,
    /// Only commits that reach this version of their stream.
    pub version: Option<Version>,
    /// At most so many events a second.
    pub rate: Option<NonZeroU32>,
    /// Where to begin.
    pub start: Start,
}

/// Where a replay begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Start {
    /// Where the same replay was interrupted, or else at the beginning.
    #[default]
    Resume,
    /// At the beginning, whatever was done before.
    Anew,
}

/// What a part of a replay came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ReplayStep {
    /// The replay has ended.
    Ended(Replayed),
    /// There is more.
    Paused(Pause),
}

/// Where a replay paused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pause {
    /// How far it is.
    pub progress: Progress,
    /// How many seconds to wait before it goes on, so that it keeps to its rate.
    pub rest_seconds: f64,
}

impl Pause {
    /// How long to wait before it goes on.
    pub fn rest(&self) -> Duration {
        Duration::try_from_secs_f64(self.rest_seconds).unwrap_or_default()
    }
}

/// What a replay came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    fn reach(&mut self, walk: &Walk<'_>) {
        self.slices.clone_from(&walk.slices);
        self.events = walk.events;
    }

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
    /// an unfinished one is about other events; [`Invalid`](crate::ErrorKind::Invalid) for a
    /// category that the projection does not hear; those of the stores.
    pub async fn replay(
        &self,
        replay: &Replay,
        mut tell: impl FnMut(&Progress),
    ) -> Result<Replayed> {
        let mut replay = replay.clone();
        loop {
            match self.replay_for(Duration::MAX, &replay, &mut tell).await? {
                ReplayStep::Ended(replayed) => return Ok(replayed),
                ReplayStep::Paused(pause) => {
                    self.context.ports.clock.sleep(pause.rest()).await;
                    replay.start = Start::Resume;
                }
            }
        }
    }

    /// The same as [`replay`](Self::replay), but pauses after the page with which `time` is over,
    /// the rest that the rate asks for included: for those who have only so long for one answer.
    /// Whoever starts it again, and does not ask to begin anew, goes on there.
    ///
    /// # Errors
    ///
    /// Those of [`replay`](Self::replay).
    pub async fn replay_for(
        &self,
        time: Duration,
        replay: &Replay,
        mut tell: impl FnMut(&Progress),
    ) -> Result<ReplayStep> {
        let model = self.revision(replay.revision)?;
        let query = query(replay, model)?;
        let documents = &*self.context.ports.documents;
        let (mut journal, saved) = Journal::open(documents, model.collection()).await?;
        let mut saved = begin(replay, saved)?;
        let mut walk = Walk::new(self.context, query, replay.rate, take(&mut saved.slices));
        walk.events = saved.events;
        saved.reach(&walk);
        journal.write(&saved).await?;
        let mut unsaved = 0;
        while let Some(page) = walk.read().await? {
            let (is_tail, events) = (page.is_tail, within_scope(replay, &page));
            let count = events.len() as u64;
            self.deliver(model, events, &mut saved).await?;
            let progress = walk.pass(page, count);
            let rest = walk.rest(count);
            let is_over = walk.elapsed().saturating_add(rest) >= time;
            unsaved += 1;
            if unsaved >= PAGES_PER_SAVE_MAX || is_tail || is_over {
                saved.reach(&walk);
                journal.write(&saved).await?;
                unsaved = 0;
            }
            tell(&progress);
            if is_over {
                let rest_seconds = rest.as_secs_f64();
                return Ok(ReplayStep::Paused(Pause { progress, rest_seconds }));
            }
            walk.keep_pace(count).await;
        }
        saved.is_finished = true;
        journal.write(&saved).await?;
        let (revision, events) = (model.revision(), saved.events);
        let (unhandled, examples) = (saved.unhandled_count, saved.unhandled);
        Ok(ReplayStep::Ended(Replayed { revision, events, unhandled, examples }))
    }

    /// Delivers `events`, and notes in `saved` what could not be handled.
    async fn deliver(
        &self,
        model: &dyn Rebuildable,
        events: Vec<Announced>,
        saved: &mut Saved,
    ) -> Result<()> {
        for (stream, announced) in by_stream(events) {
            match model.handle(self.context, &stream, &announced).await {
                Ok(()) => {}
                Err(error) if is_passing(&error) => return Err(error),
                Err(error) => saved.fail(announced[0].id(), &error),
            }
        }
        Ok(())
    }
}

/// The events of `page` that `replay` is about. What cannot be read is among them by reference, so
/// that it holds up its stream.
pub(crate) fn within_scope(replay: &Replay, page: &FeedPage) -> Vec<Announced> {
    let reaches = |commit: &&RecordedCommit| Some(commit.last()) >= replay.version;
    let events = page.commits.iter().filter(reaches).flat_map(RecordedCommit::events);
    let unread = page.unreadable.iter().filter_map(|unreadable| unreadable.event.clone());
    events.map(Announced::Event).chain(unread.map(Announced::Reference)).collect()
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

/// Which part of the feed `replay` of `model` reads.
///
/// # Errors
///
/// [`Invalid`](crate::ErrorKind::Invalid) for a category of which `model` hears nothing.
pub(crate) fn query(replay: &Replay, model: &dyn Rebuildable) -> Result<FeedQuery> {
    let categories = heard(model.name(), model.hears(), &replay.categories)?;
    Ok(FeedQuery { categories, since: replay.since, until: None })
}

/// The categories that are `wanted` of those that `name` `hears`: all, if none is named.
pub(crate) fn heard(name: &str, hears: Vec<String>, wanted: &[String]) -> Result<Vec<String>> {
    if let Some(unheard) = wanted.iter().find(|wanted| !hears.contains(wanted)) {
        let hears = hears.join(", ");
        let message = format!("{name} hears no category {unheard:?}; it hears {hears}");
        return Err(Error::invalid(message));
    }
    Ok(if wanted.is_empty() { hears } else { wanted.to_vec() })
}
