use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use skyfold::ports::{Consistency, EventStore, Pricing, Range, Slice, Snapshot};
use skyfold::{Commit, Head, Result, StoredState, StreamName};

/// What becomes of a stored state when it is read.
type OnState = dyn Fn(StoredState) -> Option<StoredState> + Send + Sync;

/// A store of other prices, smaller pages or other stored states than the one inside.
#[derive(Clone)]
pub struct Altered {
    inner: Arc<dyn EventStore>,
    pricing: Pricing,
    commits_max: usize,
    on_state: Arc<OnState>,
}

impl Altered {
    /// `inner` as it is.
    pub fn new(inner: Arc<dyn EventStore>) -> Self {
        let pricing = inner.pricing();
        Self { inner, pricing, commits_max: usize::MAX, on_state: Arc::new(Some) }
    }

    /// The same store at other prices.
    #[must_use]
    pub fn priced(self, pricing: Pricing) -> Self {
        Self { pricing, ..self }
    }

    /// The same store with pages of at most `commits_max` commits.
    #[must_use]
    pub fn paged(self, commits_max: usize) -> Self {
        Self { commits_max, ..self }
    }

    /// The same store with each stored state, of commits and snapshots, as `on_state` leaves it.
    #[must_use]
    pub fn stating(
        self,
        on_state: impl Fn(StoredState) -> Option<StoredState> + Send + Sync + 'static,
    ) -> Self {
        Self { on_state: Arc::new(on_state), ..self }
    }
}

#[async_trait]
impl EventStore for Altered {
    fn pricing(&self) -> Pricing {
        self.pricing
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
        let limit = limit.min(self.commits_max);
        let mut slice = self.inner.read(stream, range, limit, consistency).await?;
        for recorded in &mut slice.commits {
            let state = recorded.commit.state().cloned().and_then(|state| (self.on_state)(state));
            recorded.commit = recorded.commit.clone().with_state(state);
        }
        Ok(slice)
    }

    async fn snapshot(&self, stream: &StreamName) -> Result<Option<Snapshot>> {
        let Some(Snapshot { version, state }) = self.inner.snapshot(stream).await? else {
            return Ok(None);
        };
        Ok((self.on_state)(state).map(|state| Snapshot { version, state }))
    }

    async fn save_snapshot(&self, stream: &StreamName, snapshot: &Snapshot) -> Result<()> {
        self.inner.save_snapshot(stream, snapshot).await
    }
}

impl fmt::Debug for Altered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Altered").field("inner", &self.inner).finish_non_exhaustive()
    }
}
