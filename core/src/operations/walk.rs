use std::num::NonZeroU32;
use std::time::Duration;

use time::OffsetDateTime;

use crate::RecordedCommit;
use crate::Result;
use crate::functions::Context;
use crate::operations::pace::Pace;
use crate::operations::progress::{Progress, SliceAt};
use crate::ports::{Clock, EventFeed, FeedPage, FeedQuery};

/// Goes through the feed, slice by slice and page by page, at a rate, and knows how far it is.
#[derive(Debug)]
pub(crate) struct Walk<'a> {
    feed: &'a dyn EventFeed,
    clock: &'a dyn Clock,
    query: FeedQuery,
    pace: Pace<'a>,
    started: OffsetDateTime,
    /// Of the slice that it is in.
    span: TimeSpan,
    /// How far each slice was read.
    pub(crate) slices: Vec<SliceAt>,
    /// How many events there were so far.
    pub(crate) events: u64,
}

impl<'a> Walk<'a> {
    /// From where the `slices` were left, if they were.
    pub(crate) fn new(
        context: &'a Context,
        query: FeedQuery,
        rate: Option<NonZeroU32>,
        mut slices: Vec<SliceAt>,
    ) -> Self {
        let (feed, clock) = (&*context.ports.feed, &*context.ports.clock);
        slices.resize(usize::from(feed.slices()), SliceAt::default());
        let (pace, started) = (Pace::new(clock, rate), clock.now());
        Self { feed, clock, query, pace, started, span: TimeSpan::default(), slices, events: 0 }
    }

    /// The next page; none once every slice was read to its end.
    pub(crate) async fn read(&self) -> Result<Option<FeedPage>> {
        for (number, slice) in (0..).zip(&self.slices) {
            if !slice.is_done {
                return self.feed.read(number, &self.query, slice.next.as_ref()).await.map(Some);
            }
        }
        Ok(None)
    }

    /// Goes past `page`, whose `events` were handled.
    pub(crate) fn pass(&mut self, page: FeedPage, events: u64) -> Progress {
        self.events += events;
        self.span.reach(&page.commits);
        if let Some(slice) = self.slices.iter_mut().find(|slice| !slice.is_done) {
            *slice = SliceAt { next: Some(page.next), is_done: page.is_tail };
        }
        let progress = self.progress();
        if page.is_tail {
            self.span = TimeSpan::default();
        }
        progress
    }

    /// For how long it has gone on.
    pub(crate) fn elapsed(&self) -> Duration {
        Duration::try_from(self.clock.now() - self.started).unwrap_or_default()
    }

    /// How long the `events` that were just handled may still take.
    pub(crate) fn rest(&self, events: u64) -> Duration {
        self.pace.rest(events)
    }

    /// Waits until the `events` that were just handled have taken the time that they may take.
    pub(crate) async fn keep_pace(&mut self, events: u64) {
        self.pace.keep(events).await;
    }

    fn progress(&self) -> Progress {
        let slices = self.slices.len();
        let slices_done = self.slices.iter().filter(|slice| slice.is_done).count();
        let amid = self.slices.get(slices_done).is_some_and(|slice| slice.next.is_some());
        let part = if amid { self.span.part_until(self.started) } else { 0.0 };
        let fraction = (slices_done as f64 + part) / slices.max(1) as f64;
        let count = |slices: usize| u16::try_from(slices).unwrap_or(u16::MAX);
        let (slices_done, slices) = (count(slices_done), count(slices));
        Progress { slices_done, slices, events: self.events, fraction }
    }
}

/// When the commits of a slice were recorded, as far as it was read.
#[derive(Debug, Default)]
struct TimeSpan {
    first: Option<OffsetDateTime>,
    last: Option<OffsetDateTime>,
}

impl TimeSpan {
    fn reach(&mut self, commits: &[RecordedCommit]) {
        self.first = self.first.or_else(|| commits.first().map(|commit| commit.commit.time()));
        self.last = commits.last().map(|commit| commit.commit.time()).or(self.last);
    }

    /// Which part of the time from the first commit until `end` was reached.
    fn part_until(&self, end: OffsetDateTime) -> f64 {
        let (Some(first), Some(last)) = (self.first, self.last) else { return 0.0 };
        let whole = (end - first).as_seconds_f64();
        if whole > 0.0 { ((last - first).as_seconds_f64() / whole).clamp(0.0, 1.0) } else { 0.0 }
    }
}
