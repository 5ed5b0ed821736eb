use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use skyfold::limits::PAGE_ITEMS_MAX;
use skyfold::ports::{Consistency, EventStore, Pricing, Range, Slice, Snapshot};
use skyfold::{Commit, Head, RecordedCommit, Result, StreamName, Version};

/// A store that notes which streams may have grown, as the trigger of its database would say.
#[derive(Debug)]
pub(super) struct Doorbell {
    inner: Arc<dyn EventStore>,
    rung: Mutex<BTreeSet<StreamName>>,
    relayed: Mutex<BTreeMap<StreamName, Version>>,
}

impl Doorbell {
    /// Over `inner`.
    pub(super) fn new(inner: Arc<dyn EventStore>) -> Self {
        Self { inner, rung: Mutex::default(), relayed: Mutex::default() }
    }

    /// Some of the commits that were not relayed yet.
    pub(super) async fn answer(&self) -> Result<Vec<RecordedCommit>> {
        let rung = self.rung().clone();
        for stream in rung {
            let after = self.reached().get(&stream).copied();
            let range = Range::After(after.unwrap_or(Version::EMPTY));
            let read = self.inner.read(&stream, range, PAGE_ITEMS_MAX, Consistency::Strong);
            let commits = read.await?.commits;
            if !commits.is_empty() {
                return Ok(commits);
            }
            self.rung().remove(&stream);
        }
        Ok(vec![])
    }

    /// Notes that `commits` were relayed.
    pub(super) fn relayed(&self, commits: &[RecordedCommit]) {
        for commit in commits {
            self.reached().insert(commit.stream.clone(), commit.last());
        }
    }

    fn rung(&self) -> MutexGuard<'_, BTreeSet<StreamName>> {
        self.rung.lock().expect("nothing panics while it holds what was rung")
    }

    fn reached(&self) -> MutexGuard<'_, BTreeMap<StreamName, Version>> {
        self.relayed.lock().expect("nothing panics while it holds what was relayed")
    }

    fn ring(&self, stream: &StreamName) {
        self.rung().insert(stream.clone());
    }
}

#[async_trait]
impl EventStore for Doorbell {
    fn pricing(&self) -> Pricing {
        self.inner.pricing()
    }

    async fn append(&self, expected: &Head, commit: &Commit) -> Result<()> {
        // Before, since its answer may be lost; after, since somebody may have looked meanwhile.
        self.ring(expected.stream());
        let outcome = self.inner.append(expected, commit).await;
        self.ring(expected.stream());
        outcome
    }

    async fn read(
        &self,
        stream: &StreamName,
        range: Range,
        limit: usize,
        consistency: Consistency,
    ) -> Result<Slice> {
        self.inner.read(stream, range, limit, consistency).await
    }

    async fn snapshot(&self, stream: &StreamName) -> Result<Option<Snapshot>> {
        self.inner.snapshot(stream).await
    }

    async fn save_snapshot(&self, stream: &StreamName, snapshot: &Snapshot) -> Result<()> {
        self.inner.save_snapshot(stream, snapshot).await
    }
}
