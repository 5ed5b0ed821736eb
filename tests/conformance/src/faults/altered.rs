use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use skyfold::ports::{Consistency, EventStore, Pricing, Range, Slice, Snapshot};
use skyfold::{Commit, Head, Result, StoredState, StreamName, Version};

/// What becomes of the stored state of a stream as of a version when it is read.
type OnState = dyn Fn(&StreamName, Version, StoredState) -> Option<StoredState> + Send + Sync;

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
        Self {
            inner,
            pricing,
            commits_max: usize::MAX,
            on_state: Arc::new(|_, _, state| Some(state)),
        }
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
        self.stating_at(move |_, _, state| on_state(state))
    }

    /// The same, where it matters of which stream and as of which version the state is.
    #[must_use]
    pub fn stating_at<F>(self, on_state: F) -> Self
    where
        F: Fn(&StreamName, Version, StoredState) -> Option<StoredState> + Send + Sync + 'static,
    {
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
            let (state, last) = (recorded.commit.state().cloned(), recorded.last());
            let state = state.and_then(|state| (self.on_state)(stream, last, state));
            recorded.commit = recorded.commit.clone().with_state(state);
        }
        Ok(slice)
    }

    async fn snapshot(&self, stream: &StreamName) -> Result<Option<Snapshot>> {
        let Some(Snapshot { version, state }) = self.inner.snapshot(stream).await? else {
            return Ok(None);
        };
        Ok((self.on_state)(stream, version, state).map(|state| Snapshot { version, state }))
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
