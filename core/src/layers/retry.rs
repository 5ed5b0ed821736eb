use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

use crate::ports::{
    Clock, Consistency, Document, DocumentKey, DocumentStore, EventFeed, EventStore, FeedPage,
    FeedQuery, KeyStore, Keyring, ListQuery, Page, Ports, Position, Pricing, Publisher, Queue,
    QueuedCommand, Range, Revision, ScanQuery, Slice, Snapshot, SubjectKey, Write,
};
use crate::{CloudEvent, Commit, Error, Head, RecordedCommit, Result, StreamId, StreamName};

/// How often a call is made again after a transient error.
const RETRIES_MAX: usize = 4;

/// How long to wait before the first retry, at most; the wait is random up to twice as much each
/// time.
const DELAY_FIRST: Duration = Duration::from_millis(20);

/// How long to wait before any retry, unless the service asks for more.
const DELAY_MAX: Duration = Duration::from_secs(2);

/// The longest wait that a service is granted. Beyond it the caller is told to come back.
const DELAY_GRANTED_MAX: Duration = Duration::from_secs(5);

/// `ports` whose calls are made again after transient errors.
///
/// Making a call again is safe by contract: a commit of the same id is there once, and guards
/// protect documents. What a write's lost answer leaves behind, the functions find out.
pub(crate) fn with_retries(ports: Ports) -> Ports {
    let retry = Retry { clock: ports.clock.clone(), seed: Arc::default() };
    Ports {
        events: Arc::new(Retrying { inner: ports.events, retry: retry.clone() }),
        feed: Arc::new(Retrying { inner: ports.feed, retry: retry.clone() }),
        documents: Arc::new(Retrying { inner: ports.documents, retry: retry.clone() }),
        publisher: Arc::new(Retrying { inner: ports.publisher, retry: retry.clone() }),
        queue: Arc::new(Retrying { inner: ports.queue, retry: retry.clone() }),
        keys: Arc::new(Retrying { inner: ports.keys, retry }),
        clock: ports.clock,
    }
}

/// A port whose calls are made again.
struct Retrying<T: ?Sized> {
    inner: Arc<T>,
    retry: Retry,
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Retrying<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

#[derive(Clone)]
struct Retry {
    clock: Arc<dyn Clock>,
    /// Makes the waits of concurrent callers differ, and those of a repeated run the same.
    seed: Arc<AtomicU64>,
}

impl Retry {
    /// The attempts at one call.
    fn attempts(&self) -> Attempts {
        let delays = ExponentialBuilder::new()
            .with_min_delay(DELAY_FIRST)
            .with_max_delay(DELAY_MAX)
            .with_max_times(RETRIES_MAX)
            .with_jitter()
            .with_jitter_seed(self.seed.fetch_add(1, Ordering::Relaxed))
            .build();
        Attempts { clock: self.clock.clone(), delays }
    }
}

struct Attempts {
    clock: Arc<dyn Clock>,
    delays: ExponentialBackoff,
}

impl Attempts {
    /// Waits before another attempt after `error`. Says whether there is to be one.
    async fn again(&mut self, error: Option<&Error>) -> bool {
        let Some(error) = error.filter(|error| error.is_transient()) else { return false };
        let Some(delay) = self.delays.next() else { return false };
        let asked = error.retry_after().unwrap_or_default();
        if asked > DELAY_GRANTED_MAX {
            return false;
        }
        tracing::debug!(%error, "making a call again");
        self.clock.sleep(delay.max(asked)).await;
        true
    }
}

/// Makes a call until it succeeds, fails for good, or was made often enough.
macro_rules! retried {
    ($self:ident, $call:expr) => {{
        let mut attempts = $self.retry.attempts();
        loop {
            let outcome = $call.await;
            if !attempts.again(outcome.as_ref().err()).await {
                return outcome;
            }
        }
    }};
}

/// Makes a batch of calls, and those again that failed transiently, alone.
macro_rules! retried_batch {
    ($self:ident, $batch:ident, $method:ident) => {{
        let mut attempts = $self.retry.attempts();
        let mut outcomes = $self.inner.$method($batch).await;
        while attempts.again(most_patient(&outcomes)).await {
            let again: Vec<usize> =
                (0..outcomes.len()).filter(|nth| transient(&outcomes[*nth]).is_some()).collect();
            let left: Vec<_> = again.iter().map(|nth| $batch[*nth].clone()).collect();
            for (nth, outcome) in again.into_iter().zip($self.inner.$method(&left).await) {
                outcomes[nth] = outcome;
            }
        }
        outcomes
    }};
}

fn transient<R>(outcome: &Result<R>) -> Option<&Error> {
    outcome.as_ref().err().filter(|error| error.is_transient())
}

/// Of the errors that may pass, the one that asks for the longest wait.
fn most_patient<R>(outcomes: &[Result<R>]) -> Option<&Error> {
    outcomes.iter().filter_map(transient).max_by_key(|error| error.retry_after())
}

#[async_trait]
impl EventStore for Retrying<dyn EventStore> {
    fn pricing(&self) -> Pricing {
        self.inner.pricing()
    }

    async fn append(&self, expected: &Head, commit: &Commit) -> Result<()> {
        retried!(self, self.inner.append(expected, commit))
    }

    async fn read(
        &self,
        stream: &StreamName,
        range: Range,
        limit: usize,
        consistency: Consistency,
    ) -> Result<Slice> {
        retried!(self, self.inner.read(stream, range, limit, consistency))
    }

    async fn snapshot(&self, stream: &StreamName) -> Result<Option<Snapshot>> {
        retried!(self, self.inner.snapshot(stream))
    }

    async fn save_snapshot(&self, stream: &StreamName, snapshot: &Snapshot) -> Result<()> {
        // Only a cache: the next commit tries again.
        self.inner.save_snapshot(stream, snapshot).await
    }
}

#[async_trait]
impl EventFeed for Retrying<dyn EventFeed> {
    fn slices(&self) -> u16 {
        self.inner.slices()
    }

    async fn read(
        &self,
        slice: u16,
        query: &FeedQuery,
        from: Option<&Position>,
    ) -> Result<FeedPage> {
        retried!(self, self.inner.read(slice, query, from))
    }

    async fn latest(&self, limit: usize) -> Result<Vec<RecordedCommit>> {
        retried!(self, self.inner.latest(limit))
    }
}

#[async_trait]
impl DocumentStore for Retrying<dyn DocumentStore> {
    async fn get(&self, keys: &[DocumentKey]) -> Result<Vec<Option<Document>>> {
        retried!(self, self.inner.get(keys))
    }

    async fn write(&self, batch: &[Write]) -> Vec<Result<Revision>> {
        retried_batch!(self, batch, write)
    }

    async fn list(&self, query: &ListQuery) -> Result<Page> {
        retried!(self, self.inner.list(query))
    }

    async fn scan(&self, query: &ScanQuery) -> Result<Page> {
        retried!(self, self.inner.scan(query))
    }
}

#[async_trait]
impl Publisher for Retrying<dyn Publisher> {
    async fn publish(&self, batch: &[CloudEvent]) -> Vec<Result<()>> {
        retried_batch!(self, batch, publish)
    }
}

#[async_trait]
impl Queue for Retrying<dyn Queue> {
    async fn send(&self, batch: &[QueuedCommand]) -> Vec<Result<()>> {
        retried_batch!(self, batch, send)
    }
}

#[async_trait]
impl KeyStore for Retrying<dyn KeyStore> {
    async fn get(&self, subjects: &[StreamId]) -> Result<Vec<Keyring>> {
        retried!(self, self.inner.get(subjects))
    }

    async fn create(&self, subject: &StreamId, number: u32, key: &SubjectKey) -> Result<Keyring> {
        retried!(self, self.inner.create(subject, number, key))
    }

    async fn destroy(&self, subject: &StreamId) -> Result<()> {
        retried!(self, self.inner.destroy(subject))
    }
}
