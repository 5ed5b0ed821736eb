//! Seals personal data in whatever leaves the process, and opens it in whatever comes back.
//!
//! A payload without any costs one scan of its text: no request, no copy.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use crate::limits::{COMMAND_BYTES_MAX, DOCUMENT_BYTES_MAX};
use crate::ports::{
    Consistency, Document, DocumentKey, DocumentStore, EventFeed, EventStore, FeedPage, FeedQuery,
    ListQuery, Page, Ports, Position, Pricing, Publisher, Queue, QueuedCommand, Range, Revision,
    ScanQuery, Slice, Snapshot, Write,
};
use crate::privacy::places::{command_place, document_place, event_place, last, state_place};
use crate::privacy::{OnSealed, Placed, Vault};
use crate::{
    CloudEvent, Commit, Error, ErrorKind, EventId, Head, Payload, RecordedCommit, Result,
    StoredState, StreamName, Version,
};

/// `ports` that are given personal data in the clear, and keep and send them sealed by `vault`.
pub(crate) fn with_sealing(ports: Ports, vault: &Arc<Vault>) -> Ports {
    Ports {
        events: Arc::new(Sealing { inner: ports.events, vault: vault.clone() }),
        feed: Arc::new(Sealing { inner: ports.feed, vault: vault.clone() }),
        documents: Arc::new(Sealing { inner: ports.documents, vault: vault.clone() }),
        publisher: Arc::new(Sealing { inner: ports.publisher, vault: vault.clone() }),
        queue: Arc::new(Sealing { inner: ports.queue, vault: vault.clone() }),
        keys: ports.keys,
        clock: ports.clock,
    }
}

/// A port that keeps or sends personal data sealed.
struct Sealing<T: ?Sized> {
    inner: Arc<T>,
    vault: Arc<Vault>,
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Sealing<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T: ?Sized> Sealing<T> {
    /// Seals `commit`, which follows `head`. The checksum of its state is one of the sealed form:
    /// of the clear one it would be a hint at what is forgotten.
    async fn seal_commit(&self, head: &Head, commit: &mut Commit) -> Result<()> {
        let (stream, first) = (head.stream(), head.version().next());
        let last = last(first, commit);
        let (events, mut state) = commit.personal();
        let id = |nth| EventId { stream: stream.clone(), version: first.plus(nth) };
        let mut placed: Placed<'_> =
            events.map(|(nth, data)| (event_place(&id(nth)), data)).collect();
        if let Some(stored) = &mut state {
            placed.push((state_place(stream, last), &mut stored.state));
        }
        self.vault.seal(&mut placed, OnSealed::Refuse).await?;
        if let Some(stored) = state {
            *stored = checked(stream, last, stored);
        }
        commit.check_sealed()
    }

    async fn open_commits(&self, commits: &mut [RecordedCommit]) -> Result<()> {
        let mut placed: Placed<'_> = vec![];
        let mut intact = vec![];
        for RecordedCommit { stream, first, commit } in &mut *commits {
            let last = last(*first, commit);
            let (events, state) = commit.personal();
            for (nth, data) in events {
                let event = EventId { stream: stream.clone(), version: first.plus(nth) };
                placed.push((event_place(&event), data));
            }
            let state = state.filter(|stored| stored.is_intact(stream, last));
            intact.push(state.is_some());
            placed.extend(state.map(|stored| (state_place(stream, last), &mut stored.state)));
        }
        self.vault.open(&mut placed).await?;
        for (RecordedCommit { stream, first, commit }, _) in
            commits.iter_mut().zip(intact).filter(|(_, is_intact)| *is_intact)
        {
            let last = last(*first, commit);
            if let Some(stored) = &mut commit.state {
                *stored = checked(stream, last, stored);
            }
        }
        Ok(())
    }

    async fn open_documents<'d>(
        &self,
        documents: impl Iterator<Item = (&'d str, &'d mut Document)> + Send,
    ) -> Result<()> {
        let marked = documents.filter(|(_, document)| document.body.is_personal());
        let place = |(collection, document): (&'d str, &'d mut Document)| {
            (document_place(collection, &document.id), &mut document.body)
        };
        self.vault.open(&mut marked.map(place).collect()).await
    }
}

#[async_trait]
impl EventStore for Sealing<dyn EventStore> {
    fn pricing(&self) -> Pricing {
        self.inner.pricing()
    }

    async fn append(&self, expected: &Head, commit: &Commit) -> Result<()> {
        if !commit.is_personal() {
            return self.inner.append(expected, commit).await;
        }
        let mut sealed = commit.clone();
        self.seal_commit(expected, &mut sealed).await?;
        self.inner.append(expected, &sealed).await
    }

    async fn read(
        &self,
        stream: &StreamName,
        range: Range,
        limit: usize,
        consistency: Consistency,
    ) -> Result<Slice> {
        let mut slice = self.inner.read(stream, range, limit, consistency).await?;
        self.open_commits(&mut slice.commits).await?;
        Ok(slice)
    }

    async fn snapshot(&self, stream: &StreamName) -> Result<Option<Snapshot>> {
        let mut found = self.inner.snapshot(stream).await?;
        if let Some(Snapshot { version, state }) = &mut found
            && state.state.is_personal()
            && state.is_intact(stream, *version)
        {
            let place = state_place(stream, *version);
            self.vault.open(&mut vec![(place, &mut state.state)]).await?;
            *state = checked(stream, *version, state);
        }
        Ok(found)
    }

    async fn save_snapshot(&self, stream: &StreamName, snapshot: &Snapshot) -> Result<()> {
        if !snapshot.state.state.is_personal() {
            return self.inner.save_snapshot(stream, snapshot).await;
        }
        let mut sealed = snapshot.clone();
        let place = state_place(stream, sealed.version);
        let mut placed = vec![(place, &mut sealed.state.state)];
        self.vault.seal(&mut placed, OnSealed::Refuse).await?;
        sealed.state = checked(stream, sealed.version, &sealed.state);
        self.inner.save_snapshot(stream, &sealed).await
    }
}

#[async_trait]
impl EventFeed for Sealing<dyn EventFeed> {
    fn slices(&self) -> u16 {
        self.inner.slices()
    }

    async fn read(
        &self,
        slice: u16,
        query: &FeedQuery,
        from: Option<&Position>,
    ) -> Result<FeedPage> {
        let mut page = self.inner.read(slice, query, from).await?;
        self.open_commits(&mut page.commits).await?;
        Ok(page)
    }

    async fn latest(&self, limit: usize) -> Result<Vec<RecordedCommit>> {
        let mut commits = self.inner.latest(limit).await?;
        self.open_commits(&mut commits).await?;
        Ok(commits)
    }
}

#[async_trait]
impl DocumentStore for Sealing<dyn DocumentStore> {
    async fn get(&self, keys: &[DocumentKey]) -> Result<Vec<Option<Document>>> {
        let mut found = self.inner.get(keys).await?;
        let all = keys.iter().zip(&mut found);
        let all = all.filter_map(|(key, found)| Some((&*key.collection, found.as_mut()?)));
        self.open_documents(all).await?;
        Ok(found)
    }

    async fn write(&self, batch: &[Write]) -> Vec<Result<Revision>> {
        let is_personal =
            |write: &Write| write.body.as_ref().is_some_and(|body| body.is_personal());
        if !batch.iter().any(is_personal) {
            return self.inner.write(batch).await;
        }
        let mut sealed = batch.to_vec();
        let mut placed: Placed<'_> = vec![];
        for Write { key, body, .. } in sealed.iter_mut().filter(|write| is_personal(write)) {
            let place = document_place(&key.collection, &key.id);
            placed.extend(body.as_mut().map(|body| (place, body)));
        }
        if let Err(error) = self.vault.seal(&mut placed, OnSealed::Refuse).await {
            return all_failed(&error, batch.len());
        }
        let sizes = sealed.iter().map(|Write { key, body, .. }| {
            let bytes = body.as_ref().map_or(0, Payload::bytes);
            let DocumentKey { collection, id } = key;
            fits(bytes, DOCUMENT_BYTES_MAX, || format!("the document {id} of {collection}"))
        });
        let (sizes, passed) = passed(sizes.collect(), &sealed);
        merged(sizes, self.inner.write(&passed).await)
    }

    async fn list(&self, query: &ListQuery) -> Result<Page> {
        let mut page = self.inner.list(query).await?;
        let all = page.documents.iter_mut().map(|document| (&*query.collection, document));
        self.open_documents(all).await?;
        Ok(page)
    }

    async fn scan(&self, query: &ScanQuery) -> Result<Page> {
        let mut page = self.inner.scan(query).await?;
        let all = page.documents.iter_mut().map(|document| (&*query.collection, document));
        self.open_documents(all).await?;
        Ok(page)
    }
}

#[async_trait]
impl Publisher for Sealing<dyn Publisher> {
    async fn publish(&self, batch: &[CloudEvent]) -> Vec<Result<()>> {
        let is_personal =
            |event: &CloudEvent| event.data.as_ref().is_some_and(|data| data.is_personal());
        if !batch.iter().any(is_personal) {
            return self.inner.publish(batch).await;
        }
        let mut sealed = batch.to_vec();
        let mut placed: Placed<'_> = vec![];
        for event in sealed.iter_mut().filter(|event| is_personal(event)) {
            let place = event_place(&event.id);
            placed.extend(event.data.as_mut().map(|data| (place, data)));
        }
        match self.vault.seal(&mut placed, OnSealed::Keep).await {
            Ok(()) => self.inner.publish(&sealed).await,
            Err(error) => all_failed(&error, batch.len()),
        }
    }
}

#[async_trait]
impl Queue for Sealing<dyn Queue> {
    async fn send(&self, batch: &[QueuedCommand]) -> Vec<Result<()>> {
        let is_personal = |queued: &QueuedCommand| queued.request.command.is_personal();
        if !batch.iter().any(is_personal) {
            return self.inner.send(batch).await;
        }
        let mut sealed = batch.to_vec();
        let mut placed: Placed<'_> = vec![];
        for queued in sealed.iter_mut().filter(|queued| is_personal(queued)) {
            placed.push((command_place(queued), &mut queued.request.command));
        }
        if let Err(error) = self.vault.seal(&mut placed, OnSealed::Keep).await {
            return all_failed(&error, batch.len());
        }
        let sizes = sealed.iter().map(|QueuedCommand { category, request, .. }| {
            let what = || format!("the command {} to {category}-{}", request.id, request.stream);
            fits(request.command.bytes(), COMMAND_BYTES_MAX, what)
        });
        let (sizes, passed) = passed(sizes.collect(), &sealed);
        merged(sizes, self.inner.send(&passed).await)
    }
}

/// `stored` with the checksum of what it holds now.
fn checked(stream: &StreamName, version: Version, stored: &StoredState) -> StoredState {
    StoredState::new(stream, version, stored.format, stored.state.clone())
}

/// Refuses what has grown too large by being sealed.
fn fits(bytes: usize, bytes_max: usize, what: impl FnOnce() -> String) -> Result<()> {
    if bytes <= bytes_max {
        return Ok(());
    }
    let what = what();
    let message = format!("{what} has {bytes} bytes, of at most {bytes_max}, once it is sealed");
    Err(Error::new(ErrorKind::Oversized, message))
}

/// Those of `batch` that are not refused, and which those are.
fn passed<I: Clone>(refusals: Vec<Result<()>>, batch: &[I]) -> (Vec<Result<()>>, Vec<I>) {
    let passed = batch.iter().zip(&refusals).filter(|(_, refusal)| refusal.is_ok());
    let passed = passed.map(|(item, _)| item.clone()).collect();
    (refusals, passed)
}

/// The outcomes of a whole batch, of which what was not refused came to `outcomes`.
fn merged<R>(refusals: Vec<Result<()>>, outcomes: Vec<Result<R>>) -> Vec<Result<R>> {
    let mut outcomes = outcomes.into_iter();
    let mut next = || {
        let message = "a port gave fewer outcomes than it was asked for";
        outcomes.next().unwrap_or_else(|| Err(Error::new(ErrorKind::Unexpected, message)))
    };
    refusals.into_iter().map(|refusal| refusal.and_then(|()| next())).collect()
}

/// `error` for each of `count`.
fn all_failed<R>(error: &Error, count: usize) -> Vec<Result<R>> {
    let again = || {
        let again = Error::new(error.kind(), error.to_string());
        Err(match error.retry_after() {
            Some(delay) => again.with_retry_after(delay),
            None => again,
        })
    };
    (0..count).map(|_| again()).collect()
}
