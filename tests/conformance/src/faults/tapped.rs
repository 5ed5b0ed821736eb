use std::sync::Arc;

use async_trait::async_trait;
use skyfold::ports::{
    Clock, Consistency, Document, DocumentKey, DocumentStore, EventFeed, EventStore, FeedPage,
    FeedQuery, KeyStore, Keyring, ListQuery, Page, Position, Pricing, Publisher, Queue,
    QueuedCommand, Range, Revision, ScanQuery, Slice, Snapshot, SubjectKey, Write,
};
use skyfold::{
    CloudEvent, Commit, Error, ErrorKind, Head, Ports, RecordedCommit, Result, StreamId, StreamName,
};

use super::{Fault, Request, Tap};

/// `ports` with `tap` in front of every one but the clock.
pub fn tapped(ports: Ports, tap: Arc<dyn Tap>) -> Ports {
    Ports {
        events: Arc::new(Tapped { inner: ports.events, tap: tap.clone() }),
        feed: Arc::new(Tapped { inner: ports.feed, tap: tap.clone() }),
        documents: Arc::new(Tapped { inner: ports.documents, tap: tap.clone() }),
        publisher: Arc::new(Tapped { inner: ports.publisher, tap: tap.clone() }),
        queue: Arc::new(Tapped { inner: ports.queue, tap: tap.clone() }),
        keys: Arc::new(Tapped { inner: ports.keys, tap }),
        clock: ports.clock as Arc<dyn Clock>,
    }
}

/// A port with a tap in front.
#[derive(Debug)]
struct Tapped<T: ?Sized> {
    inner: Arc<T>,
    tap: Arc<dyn Tap>,
}

impl<T: ?Sized> Tapped<T> {
    /// Makes one call, unless the tap fails it.
    async fn call<R>(
        &self,
        request: Request<'_>,
        call: impl Future<Output = Result<R>> + Send,
    ) -> Result<R> {
        match self.tap.meet(request, 0).await {
            None => call.await,
            Some(Fault::Before(kind)) => Err(before(kind)),
            Some(Fault::After(kind)) => call.await.and_then(|_| Err(after(kind))),
        }
    }

    /// Asks the tap about each item of a batch.
    async fn faults<'a, I>(
        &self,
        batch: &'a [I],
        request: impl Fn(&'a I) -> Request<'a> + Send,
    ) -> Vec<Option<Fault>>
    where
        I: Sync,
    {
        let mut faults = vec![];
        for (nth, item) in batch.iter().enumerate() {
            faults.push(self.tap.meet(request(item), nth).await);
        }
        faults
    }
}

/// Those items of a batch that reach the port.
fn passed<I: Clone>(batch: &[I], faults: &[Option<Fault>]) -> Vec<I> {
    let passes = |(item, fault): (&I, &Option<Fault>)| {
        (!matches!(fault, Some(Fault::Before(_)))).then(|| item.clone())
    };
    batch.iter().zip(faults).filter_map(passes).collect()
}

/// The outcomes of a whole batch from the outcomes of what reached the port.
fn merged<R>(faults: Vec<Option<Fault>>, outcomes: Vec<Result<R>>) -> Vec<Result<R>> {
    let mut outcomes = outcomes.into_iter();
    let mut next = || {
        outcomes.next().unwrap_or_else(|| {
            Err(Error::new(ErrorKind::Unexpected, "the port gave fewer outcomes than asked for"))
        })
    };
    let merge = |fault| match fault {
        None => next(),
        Some(Fault::Before(kind)) => Err(before(kind)),
        Some(Fault::After(kind)) => next().and_then(|_| Err(after(kind))),
    };
    faults.into_iter().map(merge).collect()
}

fn before(kind: ErrorKind) -> Error {
    Error::new(kind, "injected before the call")
}

fn after(kind: ErrorKind) -> Error {
    Error::new(kind, "injected after the call")
}

#[async_trait]
impl EventStore for Tapped<dyn EventStore> {
    fn pricing(&self) -> Pricing {
        self.inner.pricing()
    }

    async fn append(&self, expected: &Head, commit: &Commit) -> Result<()> {
        self.call(Request::Append(expected, commit), self.inner.append(expected, commit)).await
    }

    async fn read(
        &self,
        stream: &StreamName,
        range: Range,
        limit: usize,
        consistency: Consistency,
    ) -> Result<Slice> {
        let call = self.inner.read(stream, range, limit, consistency);
        self.call(Request::Read(stream, range, consistency), call).await
    }

    async fn snapshot(&self, stream: &StreamName) -> Result<Option<Snapshot>> {
        self.call(Request::Snapshot(stream), self.inner.snapshot(stream)).await
    }

    async fn save_snapshot(&self, stream: &StreamName, snapshot: &Snapshot) -> Result<()> {
        let call = self.inner.save_snapshot(stream, snapshot);
        self.call(Request::SaveSnapshot(stream, snapshot), call).await
    }
}

#[async_trait]
impl EventFeed for Tapped<dyn EventFeed> {
    fn slices(&self) -> u16 {
        self.inner.slices()
    }

    async fn read(
        &self,
        slice: u16,
        query: &FeedQuery,
        from: Option<&Position>,
    ) -> Result<FeedPage> {
        self.call(Request::Feed(slice, from), self.inner.read(slice, query, from)).await
    }

    async fn latest(&self, limit: usize) -> Result<Vec<RecordedCommit>> {
        self.call(Request::Latest, self.inner.latest(limit)).await
    }
}

#[async_trait]
impl DocumentStore for Tapped<dyn DocumentStore> {
    async fn get(&self, keys: &[DocumentKey]) -> Result<Vec<Option<Document>>> {
        self.call(Request::Get(keys), self.inner.get(keys)).await
    }

    async fn write(&self, batch: &[Write]) -> Vec<Result<Revision>> {
        let faults = self.faults(batch, Request::Write).await;
        let passed = passed(batch, &faults);
        let outcomes = if passed.is_empty() { vec![] } else { self.inner.write(&passed).await };
        merged(faults, outcomes)
    }

    async fn list(&self, query: &ListQuery) -> Result<Page> {
        self.call(Request::List(query), self.inner.list(query)).await
    }

    async fn scan(&self, query: &ScanQuery) -> Result<Page> {
        self.call(Request::Scan(query), self.inner.scan(query)).await
    }
}

#[async_trait]
impl Publisher for Tapped<dyn Publisher> {
    async fn publish(&self, batch: &[CloudEvent]) -> Vec<Result<()>> {
        let faults = self.faults(batch, Request::Publish).await;
        let passed = passed(batch, &faults);
        let outcomes = if passed.is_empty() { vec![] } else { self.inner.publish(&passed).await };
        merged(faults, outcomes)
    }
}

#[async_trait]
impl Queue for Tapped<dyn Queue> {
    async fn send(&self, batch: &[QueuedCommand]) -> Vec<Result<()>> {
        let faults = self.faults(batch, Request::Send).await;
        let passed = passed(batch, &faults);
        let outcomes = if passed.is_empty() { vec![] } else { self.inner.send(&passed).await };
        merged(faults, outcomes)
    }
}

#[async_trait]
impl KeyStore for Tapped<dyn KeyStore> {
    async fn get(&self, subjects: &[StreamId]) -> Result<Vec<Keyring>> {
        self.call(Request::Keys(subjects), self.inner.get(subjects)).await
    }

    async fn create(&self, subject: &StreamId, number: u32, key: &SubjectKey) -> Result<Keyring> {
        let call = self.inner.create(subject, number, key);
        self.call(Request::CreateKey(subject, number), call).await
    }

    async fn destroy(&self, subject: &StreamId) -> Result<()> {
        self.call(Request::DestroyKeys(subject), self.inner.destroy(subject)).await
    }
}
