use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use skyfold::limits::PAGE_ITEMS_MAX;
use skyfold::ports::{Consistency, EventStore, Pricing, Range, Slice, Snapshot};
use skyfold::{Commit, Head, RecordedCommit, Result, StreamName, Version};

/// A store that notes which streams may have grown, as the trigger of its database would say.
#[derive(Debug)]
pub struct Doorbell {
    inner: Arc<dyn EventStore>,
    rung: Mutex<BTreeSet<StreamName>>,
    relayed: Mutex<BTreeMap<StreamName, Version>>,
}

impl Doorbell {
    pub fn new(inner: Arc<dyn EventStore>) -> Self {
        Self { inner, rung: Mutex::default(), relayed: Mutex::default() }
    }

    /// Some of the commits that were not relayed yet.
    pub async fn answer(&self) -> Result<Vec<RecordedCommit>> {
        let rung = self.rung.lock().unwrap().clone();
        for stream in rung {
            let after = self.relayed.lock().unwrap().get(&stream).copied();
            let range = Range::After(after.unwrap_or(Version::EMPTY));
            let read = self.inner.read(&stream, range, PAGE_ITEMS_MAX, Consistency::Strong);
            let commits = read.await?.commits;
            if !commits.is_empty() {
                return Ok(commits);
            }
            self.rung.lock().unwrap().remove(&stream);
        }
        Ok(vec![])
    }

    /// Notes that `commits` were relayed.
    pub fn relayed(&self, commits: &[RecordedCommit]) {
        for commit in commits {
            self.relayed.lock().unwrap().insert(commit.stream.clone(), commit.last());
        }
    }

    fn ring(&self, stream: &StreamName) {
        self.rung.lock().unwrap().insert(stream.clone());
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
