use std::fmt;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::{Error, ErrorKind, EventId, RecordedCommit, Result, StreamName};

/// Where a reader of one slice of the feed is; only the store that made it understands it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(pub String);

/// Which commits to read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeedQuery {
    /// Of streams of these categories; empty is all.
    pub categories: Vec<String>,
    /// Recorded at or after.
    pub since: Option<OffsetDateTime>,
    /// Recorded before.
    pub until: Option<OffsetDateTime>,
}

impl FeedQuery {
    /// Whether `commit` is asked for.
    pub fn matches(&self, commit: &RecordedCommit) -> bool {
        let time = commit.commit.time();
        self.is_of(&commit.stream)
            && self.since.is_none_or(|since| time >= since)
            && self.until.is_none_or(|until| time < until)
    }

    /// Whether commits of `stream` are asked for.
    pub fn is_of(&self, stream: &StreamName) -> bool {
        let category = stream.category();
        self.categories.is_empty() || self.categories.iter().any(|wanted| wanted == category)
    }
}

/// Part of the feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedPage {
    /// Commits; those of one stream are in its order.
    pub commits: Vec<RecordedCommit>,
    /// What lies between them and cannot be read, in no order.
    pub unreadable: Vec<Unreadable>,
    /// Where to read on.
    pub next: Position,
    /// Whether the slice had no more. An empty page is not by itself the tail.
    pub is_tail: bool,
}

impl FeedPage {
    /// The same, if all commits of it can be read: for whoever cannot go on without one.
    ///
    /// # Errors
    ///
    /// [`Corrupt`](ErrorKind::Corrupt), naming the first that cannot.
    pub fn whole(self) -> Result<Self> {
        match self.unreadable.iter().find(|unreadable| unreadable.event.is_some()) {
            Some(Unreadable { why, .. }) => Err(Error::new(ErrorKind::Corrupt, why)),
            None => Ok(self),
        }
    }
}

/// What the feed holds and nobody can read as a commit: it was altered, or is of a form that this
/// release does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The first event of the commit. `None` if it does not name one: then it is of no stream, and
    /// nobody misses it, since no store lets that be altered under which a commit is kept.
    pub event: Option<EventId>,
    /// Why, for the log.
    pub why: String,
}

/// Reads across streams: for relay, replay, repair and audit, never on the way of a request.
///
/// The feed is cut into slices by a hash of the stream, so that no key of an index is hot and
/// several readers can share the work.
///
/// # Contract
///
/// - A stream is in one slice for good, and its commits appear there in its order.
/// - Nothing appears before a position that was handed out.
/// - Every commit appears in due time, within [`FEED_LAG_MAX`](crate::limits::FEED_LAG_MAX) of its
///   append; until then a page may end before it.
/// - A commit that cannot be read keeps back no other: its page names it, and ends after it.
/// - Reading on from a position, by whatever process and however much later, continues there.
/// - A position that this feed did not make, or of another slice, is
///   [`Invalid`](crate::ErrorKind::Invalid).
#[async_trait]
pub trait EventFeed: fmt::Debug + Send + Sync + 'static {
    /// How many slices there are: at least 1, and never fewer than before.
    fn slices(&self) -> u16;

    /// Reads the page of `slice` at `from`, or the first. At most
    /// [`PAGE_ITEMS_MAX`](crate::limits::PAGE_ITEMS_MAX) commits, those that cannot be read
    /// included.
    async fn read(
        &self,
        slice: u16,
        query: &FeedQuery,
        from: Option<&Position>,
    ) -> Result<FeedPage>;

    /// The newest commits of all slices, newest first, at most `limit`: how health knows what the
    /// views should show. What cannot be read is left out: its stream alone waits, which replacing
    /// an instance would not help.
    async fn latest(&self, limit: usize) -> Result<Vec<RecordedCommit>>;
}
