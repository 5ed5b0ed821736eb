//! Ports that make a call again until it is known what came of it, as every caller of a port must.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use skyfold::ports::{
    Consistency, Document, DocumentKey, DocumentStore, EventFeed, EventStore, FeedPage, FeedQuery,
    Guard, KeyStore, Keyring, ListQuery, Page, Position, Pricing, Publisher, Queue, QueuedCommand,
    Range, Revision, ScanQuery, Slice, Snapshot, SubjectKey, Write,
};
use skyfold::{
    CloudEvent, Commit, Error, ErrorKind, Head, Ports, RecordedCommit, Result, StreamId, StreamName,
};

/// How often a call is made before something must be wrong: a scan is 16 requests or more, of which
/// none may meet anything.
const ATTEMPTS_MAX: usize = 1_000;

/// `ports` that fail for no reason that passes: for a service in a storm.
pub fn steady(ports: Ports) -> Ports {
    Ports {
        events: Arc::new(Steady(ports.events)),
        feed: Arc::new(Steady(ports.feed)),
        documents: Arc::new(Steady(ports.documents)),
        publisher: Arc::new(Steady(ports.publisher)),
        queue: Arc::new(Steady(ports.queue)),
        keys: Arc::new(Steady(ports.keys)),
        clock: ports.clock,
    }
}

#[derive(Debug)]
struct Steady<T: ?Sized>(Arc<T>);

/// The first outcome of a call that does not pass.
macro_rules! again {
    ($call:expr) => {{
        let mut outcome = $call.await;
        for _ in 1..ATTEMPTS_MAX {
            match outcome {
                Err(error) if error.is_transient() => outcome = $call.await,
                _ => break,
            }
        }
        outcome
    }};
}

/// The outcomes of a batch, of which those calls are made again that failed for a reason that
/// passes; and the places of those that may have been made before.
macro_rules! each_again {
    ($batch:ident, $left:ident => $call:expr) => {{
        let $left = $batch;
        let mut outcomes = $call.await;
        let mut in_doubt = in_doubt(&outcomes);
        for _ in 1..ATTEMPTS_MAX {
            let passes = |nth: &usize| outcomes[*nth].as_ref().is_err_and(Error::is_transient);
            let places: Vec<usize> = (0..outcomes.len()).filter(passes).collect();
            if places.is_empty() {
                break;
            }
            let $left: &[_] = &places.iter().map(|nth| $batch[*nth].clone()).collect::<Vec<_>>();
            for (nth, outcome) in places.into_iter().zip($call.await) {
                outcomes[nth] = outcome;
            }
            in_doubt.extend(self::in_doubt(&outcomes));
        }
        (outcomes, in_doubt)
    }};
}

fn is_conflict<R>(outcome: &Result<R>) -> bool {
    outcome.as_ref().is_err_and(|error| error.kind() == ErrorKind::Conflict)
}

/// The places of what may have been made.
fn in_doubt<R>(outcomes: &[Result<R>]) -> BTreeSet<usize> {
    let is_in_doubt = |nth: &usize| {
        outcomes[*nth].as_ref().is_err_and(|error| error.kind() == ErrorKind::Unavailable)
    };
    (0..outcomes.len()).filter(is_in_doubt).collect()
}

#[async_trait]
impl EventStore for Steady<dyn EventStore> {
    fn pricing(&self) -> Pricing {
        self.0.pricing()
    }

    async fn append(&self, expected: &Head, commit: &Commit) -> Result<()> {
        let mut is_in_doubt = false;
        let outcome = again!(async {
            let outcome = self.0.append(expected, commit).await;
            is_in_doubt |= !in_doubt(std::slice::from_ref(&outcome)).is_empty();
            outcome
        });
        if !is_conflict(&outcome) || !is_in_doubt {
            return outcome;
        }
        // It may be its own.
        let after = Range::After(expected.version());
        let slice = self.read(expected.stream(), after, 1, Consistency::Strong).await?;
        match slice.commits.first().is_some_and(|found| found.commit == *commit) {
            true => Ok(()),
            false => outcome,
        }
    }

    async fn read(
        &self,
        stream: &StreamName,
        range: Range,
        limit: usize,
        consistency: Consistency,
    ) -> Result<Slice> {
        again!(self.0.read(stream, range, limit, consistency))
    }

    async fn snapshot(&self, stream: &StreamName) -> Result<Option<Snapshot>> {
        again!(self.0.snapshot(stream))
    }

    async fn save_snapshot(&self, stream: &StreamName, snapshot: &Snapshot) -> Result<()> {
        again!(self.0.save_snapshot(stream, snapshot))
    }
}

#[async_trait]
impl EventFeed for Steady<dyn EventFeed> {
    fn slices(&self) -> u16 {
        self.0.slices()
    }

    async fn read(
        &self,
        slice: u16,
        query: &FeedQuery,
        from: Option<&Position>,
    ) -> Result<FeedPage> {
        again!(self.0.read(slice, query, from))
    }

    async fn latest(&self, limit: usize) -> Result<Vec<RecordedCommit>> {
        again!(self.0.latest(limit))
    }
}

impl Steady<dyn DocumentStore> {
    /// Whether `write` deletes what is not there: once it may have been made, nobody could tell
    /// that it was not.
    async fn deletes_nothing(&self, write: &Write) -> Result<bool> {
        let (None, Guard::At(revision)) = (&write.body, &write.guard) else { return Ok(false) };
        let found = self.get(std::slice::from_ref(&write.key)).await?.remove(0);
        Ok(found.is_none_or(|found| found.revision != *revision))
    }

    /// The revision that `write` gave, if what it wrote is there.
    async fn written(&self, write: &Write) -> Result<Option<Revision>> {
        /// Tells apart the deletions, of which nothing is left that could.
        static DELETIONS: AtomicUsize = AtomicUsize::new(0);
        let found = self.get(std::slice::from_ref(&write.key)).await?.remove(0);
        Ok(match (found, &write.body) {
            (Some(found), Some(body)) if found.body == *body => Some(found.revision),
            (None, None) => {
                Some(Revision(format!("gone {}", DELETIONS.fetch_add(1, Ordering::SeqCst))))
            }
            _ => None,
        })
    }
}

#[async_trait]
impl DocumentStore for Steady<dyn DocumentStore> {
    async fn get(&self, keys: &[DocumentKey]) -> Result<Vec<Option<Document>>> {
        again!(self.0.get(keys))
    }

    async fn write(&self, batch: &[Write]) -> Vec<Result<Revision>> {
        let mut futile = BTreeSet::new();
        for (nth, write) in batch.iter().enumerate() {
            if self.deletes_nothing(write).await.is_ok_and(|deletes_nothing| deletes_nothing) {
                futile.insert(nth);
            }
        }
        let (mut outcomes, in_doubt) = each_again!(batch, left => self.0.write(left));
        for nth in in_doubt.into_iter().filter(|nth| !futile.contains(nth)) {
            if is_conflict(&outcomes[nth]) {
                match self.written(&batch[nth]).await {
                    Ok(Some(revision)) => outcomes[nth] = Ok(revision),
                    Ok(None) => {}
                    Err(error) => outcomes[nth] = Err(error),
                }
            }
        }
        outcomes
    }

    async fn list(&self, query: &ListQuery) -> Result<Page> {
        again!(self.0.list(query))
    }

    async fn scan(&self, query: &ScanQuery) -> Result<Page> {
        again!(self.0.scan(query))
    }
}

#[async_trait]
impl Publisher for Steady<dyn Publisher> {
    async fn publish(&self, batch: &[CloudEvent]) -> Vec<Result<()>> {
        each_again!(batch, left => self.0.publish(left)).0
    }
}

#[async_trait]
impl Queue for Steady<dyn Queue> {
    async fn send(&self, batch: &[QueuedCommand]) -> Vec<Result<()>> {
        each_again!(batch, left => self.0.send(left)).0
    }
}

#[async_trait]
impl KeyStore for Steady<dyn KeyStore> {
    async fn get(&self, subjects: &[StreamId]) -> Result<Vec<Keyring>> {
        again!(self.0.get(subjects))
    }

    async fn create(&self, subject: &StreamId, number: u32, key: &SubjectKey) -> Result<Keyring> {
        again!(self.0.create(subject, number, key))
    }

    async fn destroy(&self, subject: &StreamId) -> Result<()> {
        again!(self.0.destroy(subject))
    }
}
