use crate::limits::PAGE_ITEMS_MAX;
use crate::ports::{Consistency, EventStore, Range};
use crate::{CommandId, Error, RecordedCommit, RecordedEvent, Result, StreamName, Version};

/// Commits of one stream, read page by page and checked for gaps.
#[derive(Debug)]
pub(crate) struct History<'a> {
    store: &'a dyn EventStore,
    stream: &'a StreamName,
    consistency: Consistency,
    /// The version that has been read.
    reached: Version,
    /// Whether it is the end of a commit, as it is once a page was read.
    is_commit_end: bool,
    /// Whether nothing followed when the last page was read.
    is_end: bool,
}

impl<'a> History<'a> {
    /// The commits of `stream` that reach beyond `after`.
    pub(crate) fn after(
        store: &'a dyn EventStore,
        stream: &'a StreamName,
        after: Version,
        consistency: Consistency,
    ) -> Self {
        let is_commit_end = after == Version::EMPTY;
        Self { store, stream, consistency, reached: after, is_commit_end, is_end: false }
    }

    /// The next commits, oldest first; `None` at the end.
    ///
    /// # Errors
    ///
    /// [`Corrupt`](crate::ErrorKind::Corrupt) if the stream has a gap.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<RecordedCommit>>> {
        while !self.is_end {
            let range = Range::After(self.reached);
            let read = self.store.read(self.stream, range, PAGE_ITEMS_MAX, self.consistency);
            let mut slice = read.await?;
            self.is_end = slice.is_end;
            let continues = |commit: &RecordedCommit| commit.first == self.reached.next();
            if !self.is_commit_end && !slice.commits.first().is_some_and(continues) {
                slice.commits.splice(0..0, self.straddling().await?);
            }
            self.is_commit_end = true;
            for commit in &slice.commits {
                if commit.first > self.reached.next() {
                    let (stream, reached, found) = (self.stream, self.reached, commit.first);
                    let message = format!("{stream} has a gap between {reached} and {found}");
                    return Err(Error::corrupt(message));
                }
                self.reached = commit.last();
            }
            if !slice.commits.is_empty() {
                return Ok(Some(slice.commits));
            }
        }
        Ok(None)
    }

    /// The commit that begins at or before the version reached and ends after it, if any: a
    /// delivery may end in the middle of a commit.
    async fn straddling(&self) -> Result<Option<RecordedCommit>> {
        let range = Range::Before(self.reached.next());
        let slice = self.store.read(self.stream, range, 1, self.consistency).await?;
        Ok(slice.commits.into_iter().next().filter(|commit| commit.last() > self.reached))
    }
}

/// A page of the events of `stream` after `after`, without a gap; empty at the end. They are read
/// consistently.
pub(crate) async fn events_after(
    store: &dyn EventStore,
    stream: &StreamName,
    after: Version,
) -> Result<Vec<RecordedEvent>> {
    let mut history = History::after(store, stream, after, Consistency::Strong);
    let commits = history.next().await?.unwrap_or_default();
    let events = commits.iter().flat_map(RecordedCommit::events);
    Ok(events.filter(|event| event.version > after).collect())
}

/// How far in the future an id may say that it was made: further than any two clocks differ.
pub(crate) const FUTURE_MILLIS_MAX: i64 = 24 * 60 * 60 * 1000;

/// The commit that the command `id` recorded in `stream`, however long ago.
///
/// Times do not fall within a stream, and a command whose id was made more than
/// [`FUTURE_MILLIS_MAX`] after its recording was never accepted: the search ends there.
pub(crate) async fn find(
    store: &dyn EventStore,
    stream: &StreamName,
    id: &CommandId,
) -> Result<Option<RecordedCommit>> {
    let mut before = Version(u64::MAX);
    loop {
        let range = Range::Before(before);
        let slice = store.read(stream, range, PAGE_ITEMS_MAX, Consistency::Strong).await?;
        for commit in slice.commits {
            if commit.commit.id == *id {
                return Ok(Some(commit));
            }
            let recorded = crate::command_id::millis(commit.commit.time);
            let latest = recorded.saturating_add(FUTURE_MILLIS_MAX);
            if id.issued().is_some_and(|issued| issued > latest) {
                return Ok(None);
            }
            before = commit.first;
        }
        if slice.is_end {
            return Ok(None);
        }
    }
}
