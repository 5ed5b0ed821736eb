use std::sync::Arc;

use async_trait::async_trait;
use skyfold::ports::{
    Consistency, Document, DocumentKey, DocumentStore, EventFeed, EventStore, FeedPage, FeedQuery,
    KeyStore, Keyring, ListQuery, Page, Position, Pricing, Publisher, Queue, QueuedCommand, Range,
    Revision, ScanQuery, Slice, Snapshot, SubjectKey, Write,
};
use skyfold::{CloudEvent, Commit, Head, RecordedCommit, Result, StreamId, StreamName};

use crate::bus::Bus;
use crate::chaos::{Chaos, Strike, unreachable};
use crate::documents::{Documents, LAG_MAX};
use crate::faults::Moment;
use crate::queue::Commands;
use crate::store::Store;
use crate::subject_keys::SubjectKeys;

/// How many commits a stale read of a stream misses, at most.
const HIDDEN_MAX: usize = 3;

/// A port that fails now and then.
#[derive(Clone, Debug)]
pub(crate) struct Faulty<T> {
    pub(crate) inner: Arc<T>,
    pub(crate) chaos: Arc<Chaos>,
}

impl<T> Faulty<T> {
    /// Makes a call that reads.
    async fn reads<R>(&self, what: &str, call: impl FnOnce(&T) -> Result<R>) -> Result<R> {
        self.chaos.pause().await;
        self.chaos.reach(what)?;
        call(&self.inner)
    }

    /// Makes a call that writes.
    async fn writes<R>(&self, what: &str, call: impl FnOnce(&T) -> Result<R>) -> Result<R> {
        self.chaos.pause().await;
        match self.chaos.strike(what) {
            Strike::Miss => call(&self.inner),
            Strike::Call(Moment::Before) | Strike::Invocation(Moment::Before) => {
                Err(unreachable(what))
            }
            Strike::Call(Moment::After) | Strike::Invocation(Moment::After) => {
                // Nobody is told what came of it.
                let _ = call(&self.inner);
                Err(unreachable(what))
            }
        }
    }

    /// Makes a call that writes several things, of which each may fail on its own.
    async fn writes_each<I: Clone, R>(
        &self,
        what: &str,
        batch: &[I],
        call: impl FnOnce(&T, &[I]) -> Vec<Result<R>>,
    ) -> Vec<Result<R>> {
        self.chaos.pause().await;
        let lost = |_: &I| Err(unreachable(what));
        match self.chaos.strike(what) {
            Strike::Miss => call(&self.inner, batch),
            Strike::Invocation(Moment::Before) => batch.iter().map(lost).collect(),
            Strike::Invocation(Moment::After) => {
                // The first ones, at least one, were made; nobody is told.
                let made = self.chaos.number(1.min(batch.len()), batch.len());
                call(&self.inner, &batch[..made]);
                batch.iter().map(lost).collect()
            }
            Strike::Call(moment) => self.writes_some(what, batch, moment, call),
        }
    }

    /// Some by chance succeed, and the others fail on the same side.
    fn writes_some<I: Clone, R>(
        &self,
        what: &str,
        batch: &[I],
        moment: Moment,
        call: impl FnOnce(&T, &[I]) -> Vec<Result<R>>,
    ) -> Vec<Result<R>> {
        let fails: Vec<bool> = batch.iter().map(|_| self.chaos.number(0, 1) == 0).collect();
        let is_made = |fails: bool| !fails || moment == Moment::After;
        let made = batch.iter().zip(&fails).filter(|(_, fails)| is_made(**fails));
        let made: Vec<I> = made.map(|(item, _)| item.clone()).collect();
        let mut outcomes = call(&self.inner, &made).into_iter();
        let outcome = |fails: bool| {
            let own = if is_made(fails) { outcomes.next() } else { None };
            own.filter(|_| !fails).unwrap_or_else(|| Err(unreachable(what)))
        };
        fails.into_iter().map(outcome).collect()
    }

    /// How much a read of something eventually consistent misses.
    fn missed(&self, most: usize) -> usize {
        match self.chaos.happens(|faults| faults.stale, |counts| &mut counts.stale) {
            true => self.chaos.number(1, most),
            false => 0,
        }
    }
}

#[async_trait]
impl EventStore for Faulty<Store> {
    fn pricing(&self) -> Pricing {
        self.inner.pricing()
    }

    async fn append(&self, expected: &Head, commit: &Commit) -> Result<()> {
        self.writes("an append", |store| store.create(expected, commit)).await
    }

    async fn read(
        &self,
        stream: &StreamName,
        range: Range,
        limit: usize,
        consistency: Consistency,
    ) -> Result<Slice> {
        let hidden = match consistency {
            Consistency::Strong => 0,
            Consistency::Eventual => self.missed(HIDDEN_MAX),
        };
        self.reads("a read", |store| store.slice(stream, range, limit, hidden)).await
    }

    async fn snapshot(&self, stream: &StreamName) -> Result<Option<Snapshot>> {
        self.reads("a read of a snapshot", |store| store.kept_snapshot(stream)).await
    }

    async fn save_snapshot(&self, stream: &StreamName, snapshot: &Snapshot) -> Result<()> {
        self.writes("a snapshot", |store| store.keep_snapshot(stream, snapshot)).await
    }
}

#[async_trait]
impl EventFeed for Faulty<Store> {
    fn slices(&self) -> u16 {
        self.inner.slices()
    }

    async fn read(
        &self,
        slice: u16,
        query: &FeedQuery,
        from: Option<&Position>,
    ) -> Result<FeedPage> {
        self.reads("a read of the feed", |store| store.feed_page(slice, query, from)).await
    }

    async fn latest(&self, limit: usize) -> Result<Vec<RecordedCommit>> {
        self.reads("a read of the newest commits", |store| Ok(store.latest_commits(limit))).await
    }
}

#[async_trait]
impl DocumentStore for Faulty<Documents> {
    async fn get(&self, keys: &[DocumentKey]) -> Result<Vec<Option<Document>>> {
        self.reads("a read of documents", |documents| documents.find(keys)).await
    }

    async fn write(&self, batch: &[Write]) -> Vec<Result<Revision>> {
        self.writes_each("a write of documents", batch, Documents::put).await
    }

    async fn list(&self, query: &ListQuery) -> Result<Page> {
        let lag = self.missed(LAG_MAX);
        self.reads("a read of a list", |documents| documents.page(query, lag)).await
    }

    async fn scan(&self, query: &ScanQuery) -> Result<Page> {
        let lag = self.missed(LAG_MAX);
        self.reads("a scan", |documents| documents.scanned(query, lag)).await
    }
}

#[async_trait]
impl Publisher for Faulty<Bus> {
    async fn publish(&self, batch: &[CloudEvent]) -> Vec<Result<()>> {
        self.writes_each("an announcement", batch, Bus::announce).await
    }
}

#[async_trait]
impl Queue for Faulty<Commands> {
    async fn send(&self, batch: &[QueuedCommand]) -> Vec<Result<()>> {
        self.writes_each("a command sent", batch, Commands::accept).await
    }
}

#[async_trait]
impl KeyStore for Faulty<SubjectKeys> {
    async fn get(&self, subjects: &[StreamId]) -> Result<Vec<Keyring>> {
        self.reads("a read of keys", |keys| keys.find(subjects)).await
    }

    async fn create(&self, subject: &StreamId, number: u32, key: &SubjectKey) -> Result<Keyring> {
        self.writes("a new key", |keys| keys.keep(subject, number, key)).await
    }

    async fn destroy(&self, subject: &StreamId) -> Result<()> {
        let destroy = |keys: &SubjectKeys| {
            keys.destroy_all(subject);
            Ok(())
        };
        self.writes("keys destroyed", destroy).await
    }
}
