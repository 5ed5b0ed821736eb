use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use skyfold::ports::{Consistency, EventStore, Pricing, Range, Slice, Snapshot};
use skyfold::{Commit, Head, Result, StreamName, Version};

/// Which of the eventual reads are out of date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Staleness {
    /// All of them.
    Always,
    /// Every second one, beginning with the second: as if two replicas took turns.
    EverySecond,
}

/// A store whose eventual reads do not show the newest commits of a stream: as far behind as the
/// contract allows, and a prefix nevertheless.
#[derive(Debug)]
pub struct Stale {
    inner: Arc<dyn EventStore>,
    hidden: usize,
    staleness: Staleness,
    reads: AtomicUsize,
}

impl Stale {
    /// `inner` without the `hidden` newest commits of each stream.
    pub fn new(inner: Arc<dyn EventStore>, hidden: usize, staleness: Staleness) -> Arc<Self> {
        Arc::new(Self { inner, hidden, staleness, reads: AtomicUsize::new(0) })
    }

    /// The version of the first event that is not shown.
    async fn horizon(&self, stream: &StreamName) -> Result<Version> {
        let mut horizon = Version(u64::MAX);
        for _ in 0..self.hidden {
            let range = Range::Before(horizon);
            let newest = self.inner.read(stream, range, 1, Consistency::Strong).await?;
            match newest.commits.first() {
                Some(commit) => horizon = commit.first,
                None => return Ok(Version::EMPTY),
            }
        }
        Ok(horizon)
    }
}

#[async_trait]
impl EventStore for Stale {
    fn pricing(&self) -> Pricing {
        self.inner.pricing()
    }

    async fn append(&self, expected: &Head, commit: &Commit) -> Result<()> {
        self.inner.append(expected, commit).await
    }

    async fn read(
        &self,
        stream: &StreamName,
        range: Range,
        limit: usize,
        consistency: Consistency,
    ) -> Result<Slice> {
        let is_eventual = consistency == Consistency::Eventual;
        let is_stale = is_eventual
            && match self.staleness {
                Staleness::Always => true,
                Staleness::EverySecond => self.reads.fetch_add(1, Ordering::SeqCst) % 2 == 1,
            };
        if !is_stale {
            return self.inner.read(stream, range, limit, consistency).await;
        }
        let horizon = self.horizon(stream).await?;
        let range = match range {
            Range::Before(version) => Range::Before(version.min(horizon)),
            after => after,
        };
        let mut slice = self.inner.read(stream, range, limit, Consistency::Strong).await?;
        let found = slice.commits.len();
        slice.commits.retain(|commit| commit.first < horizon);
        slice.is_end |= slice.commits.len() < found;
        Ok(slice)
    }

    async fn snapshot(&self, stream: &StreamName) -> Result<Option<Snapshot>> {
        self.inner.snapshot(stream).await
    }

    async fn save_snapshot(&self, stream: &StreamName, snapshot: &Snapshot) -> Result<()> {
        self.inner.save_snapshot(stream, snapshot).await
    }
}
