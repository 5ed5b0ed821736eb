use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::Arc;

use async_trait::async_trait;

use crate::functions::consumer::{Doorbell, by_stream};
use crate::functions::query::{self, Views};
use crate::functions::view::{StoredView, check_key};
use crate::functions::{ATTEMPTS_MAX, Context, Function, guarded, unfit};
use crate::limits::{BATCH_DOCUMENTS_MAX, LISTS_MAX};
use crate::name::{Dash, check_name};
use crate::ports::{DocumentKey, Write};
use crate::stores::{Checkpoints, one};
use crate::{
    Announced, Descriptor, Error, ErrorKind, EventId, Failed, Kind, Projection, RecordedEvent,
    Reply, Result, Route, StreamName, Subscription, Trigger, Version, manifest,
};

/// Keeps the views of one projection, and shows them.
pub(crate) struct ProjectionFunction<P: Projection> {
    subscription: Subscription<P::Input>,
    collection: String,
    projection: PhantomData<fn(P)>,
}

/// The collection that `P` is kept in.
pub(crate) fn collection<P: Projection>() -> String {
    format!("{}.{}", P::NAME, P::REVISION)
}

impl<P: Projection> ProjectionFunction<P> {
    pub(crate) fn new() -> Self {
        let (subscription, collection) = (P::subscription(), collection::<P>());
        Self { subscription, collection, projection: PhantomData }
    }
}

#[async_trait]
impl<P: Projection> Function for ProjectionFunction<P> {
    fn descriptor(&self) -> Descriptor {
        Descriptor {
            hears: self.subscription.categories().map(str::to_owned).collect(),
            collection: Some(self.collection.clone()),
            lists: P::LISTS.iter().map(|list| (*list).to_owned()).collect(),
            answer: Some(manifest::schema::<P::View>()),
            ..Descriptor::new(P::NAME, Kind::Projection)
        }
    }

    fn check(&self) -> Result<()> {
        check_name("the projection", P::NAME, Dash::Legal)?;
        let problem = |message: &str| Err(Error::invalid(format!("{}: {message}", P::NAME)));
        if P::LISTS.len() > LISTS_MAX {
            return problem(&format!("it has {} lists, of at most {LISTS_MAX}", P::LISTS.len()));
        }
        match (P::route(), self.subscription.categories().count()) {
            (_, 0) => problem("it subscribes to nothing"),
            (Route::OwnStream, 2..) => {
                problem("streams of several categories may share an id: give it a keyed route")
            }
            _ => Ok(()),
        }
    }

    async fn invoke(&self, context: &Context, trigger: Trigger) -> Result<Reply> {
        match trigger {
            Trigger::Events(announced) => {
                let mut failed = vec![];
                for (stream, announced) in by_stream(announced) {
                    if let Err(error) = self.handle(context, &stream, &announced).await {
                        failed.extend(all_failed(&announced, error));
                    }
                }
                Ok(Reply::Handled(failed))
            }
            Trigger::View(request) => Views::<P>::new(&context.ports).answer_view(request).await,
            Trigger::List(request) => Views::<P>::new(&context.ports).answer_list(request).await,
            trigger => Err(unfit(P::NAME, &trigger)),
        }
    }

    async fn has_handled(&self, context: &Context, event: &EventId) -> Result<Option<bool>> {
        query::shows::<P>(&context.ports, event).await
    }
}

/// The deliveries of one stream, none of which counts as handled since one was not.
pub(crate) fn all_failed(announced: &[Announced], error: Error) -> Vec<Failed> {
    let error = Arc::new(error);
    let failed = |announced: &Announced| Failed { event: announced.id(), error: error.clone() };
    announced.iter().map(failed).collect()
}

impl<P: Projection> ProjectionFunction<P> {
    async fn handle(
        &self,
        context: &Context,
        stream: &StreamName,
        announced: &[Announced],
    ) -> Result<()> {
        match P::route() {
            Route::OwnStream => self.handle_own(context, stream, announced).await,
            Route::Keyed(keys) => self.handle_keyed(context, stream, announced, keys).await,
        }
    }

    /// The view's own version is the checkpoint: one read and one write for the whole batch.
    async fn handle_own(
        &self,
        context: &Context,
        stream: &StreamName,
        announced: &[Announced],
    ) -> Result<()> {
        let key = self.key(stream.id().as_str());
        let mut overtaken = 0;
        while overtaken < ATTEMPTS_MAX {
            let document = one(&*context.ports.documents, &key).await?;
            let mut stored =
                document.as_ref().map(StoredView::read).transpose()?.unwrap_or_default();
            let reached = stored.seen(stream).unwrap_or(Version::EMPTY);
            let mut doorbell = Doorbell::new(&*context.ports.events, stream, reached, announced);
            let due = self.decode(doorbell.next().await?)?;
            if due.is_empty() {
                return Ok(());
            }
            let view = self.fold(&key.id, &mut stored, stream, &due)?;
            let write = stored.write::<P>(key.clone(), document.as_ref(), view.as_ref())?;
            match crate::stores::put(&*context.ports.documents, write).await {
                Ok(()) if doorbell.is_done() => return Ok(()),
                Ok(()) => overtaken = 0,
                Err(error) if error.is_conflict() => overtaken += 1,
                Err(error) => return Err(error),
            }
        }
        Err(busy(&key))
    }

    /// Views first, then the checkpoint: after a crash between the two, the views know what they
    /// have seen.
    async fn handle_keyed(
        &self,
        context: &Context,
        stream: &StreamName,
        announced: &[Announced],
        keys: fn(&RecordedEvent<P::Input>) -> Vec<String>,
    ) -> Result<()> {
        let checkpoints = Checkpoints::new(&*context.ports.documents, &self.collection);
        let reached = checkpoints.get(stream).await?;
        let mut doorbell = Doorbell::new(&*context.ports.events, stream, reached, announced);
        loop {
            let due = self.decode(doorbell.next().await?)?;
            let Some(last) = due.last().map(|event| event.version) else { return Ok(()) };
            let mut by_key: BTreeMap<String, Vec<RecordedEvent<P::Input>>> = BTreeMap::new();
            for event in due {
                let named = guarded(|| format!("the keys of {}", event.id()), || keys(&event))?;
                let named: std::collections::BTreeSet<_> = named.into_iter().collect();
                for key in named {
                    check_key(&key)?;
                    by_key.entry(key).or_default().push(event.clone());
                }
            }
            let by_key: Vec<_> = by_key.into_iter().collect();
            for batch in by_key.chunks(BATCH_DOCUMENTS_MAX) {
                self.apply(context, stream, last, batch.to_vec()).await?;
            }
            checkpoints.advance(stream, last).await?;
        }
    }

    /// Applies the events of `stream` up to `last` to the views that they change, each once.
    async fn apply(
        &self,
        context: &Context,
        stream: &StreamName,
        last: Version,
        mut pending: Vec<(String, Vec<RecordedEvent<P::Input>>)>,
    ) -> Result<()> {
        for _ in 0..ATTEMPTS_MAX {
            let keys: Vec<_> = pending.iter().map(|(key, _)| self.key(key)).collect();
            let documents = context.ports.documents.get(&keys).await?;
            let mut writes: Vec<Write> = vec![];
            let mut written = vec![];
            // Read after the views: what a view has forgotten by now, this has counted.
            let mut checkpoint = None;
            for ((key, document), (name, events)) in keys.into_iter().zip(&documents).zip(pending) {
                let mut stored =
                    document.as_ref().map(StoredView::read).transpose()?.unwrap_or_default();
                let mut seen = stored.seen(stream);
                if seen.is_none() && stored.has_forgotten() {
                    let checkpoints = Checkpoints::new(&*context.ports.documents, &self.collection);
                    if checkpoint.is_none() {
                        checkpoint = Some(checkpoints.get(stream).await?);
                    }
                    seen = checkpoint;
                }
                let due = |event: &&RecordedEvent<P::Input>| Some(event.version) > seen;
                let due: Vec<_> = events.iter().filter(due).cloned().collect();
                if due.is_empty() {
                    continue;
                }
                let view = self.fold(&key.id, &mut stored, stream, &due)?;
                stored.see(stream, last);
                self.forget(context, &mut stored).await?;
                writes.push(stored.write::<P>(key, document.as_ref(), view.as_ref())?);
                written.push((name, events));
            }
            let outcomes = match writes.is_empty() {
                true => vec![],
                false => context.ports.documents.write(&writes).await,
            };
            pending = vec![];
            for (outcome, view) in outcomes.into_iter().zip(written) {
                match outcome {
                    Ok(_) => {}
                    Err(error) if error.is_conflict() => pending.push(view),
                    Err(error) => return Err(error),
                }
            }
            if pending.is_empty() {
                return Ok(());
            }
        }
        Err(busy(&self.key(&pending[0].0)))
    }

    /// Folds `events` into the view that is `stored`.
    fn fold(
        &self,
        key: &str,
        stored: &mut StoredView,
        stream: &StreamName,
        events: &[RecordedEvent<P::Input>],
    ) -> Result<Option<P::View>> {
        let mut view: Option<P::View> = stored.view().map(crate::Payload::decode).transpose()?;
        for event in events {
            view = guarded(
                || format!("the projection {} of {}", P::NAME, event.id()),
                || P::project(key, view, event),
            )?;
            stored.see(stream, event.version);
            stored.changed_by(event);
        }
        stored.set(view.as_ref())?;
        Ok(view)
    }

    /// Forgets streams that the view need not remember, since they are known to be handled beyond
    /// what it has seen of them: no delivery of theirs can change it again.
    async fn forget(&self, context: &Context, stored: &mut StoredView) -> Result<()> {
        let oldest = stored.oldest();
        let oldest = &oldest[..oldest.len().min(BATCH_DOCUMENTS_MAX)];
        if oldest.is_empty() {
            return Ok(());
        }
        let checkpoints = Checkpoints::new(&*context.ports.documents, &self.collection);
        let streams: Vec<_> = oldest.iter().map(|(stream, _)| stream.clone()).collect();
        let reached = checkpoints.get_all(&streams).await?;
        let handled = oldest.iter().zip(reached).filter(|((_, seen), reached)| reached >= seen);
        let handled: Vec<_> = handled.map(|((stream, _), _)| stream.clone()).collect();
        stored.forget(&handled);
        Ok(())
    }

    fn decode(&self, events: Vec<RecordedEvent>) -> Result<Vec<RecordedEvent<P::Input>>> {
        events.into_iter().map(|event| self.subscription.decode(event)).collect()
    }

    fn key(&self, id: &str) -> DocumentKey {
        DocumentKey { collection: self.collection.clone(), id: id.to_owned() }
    }
}

fn busy(key: &DocumentKey) -> Error {
    let DocumentKey { collection, id } = key;
    let message =
        format!("the view {id} of {collection} was written {ATTEMPTS_MAX} times meanwhile");
    Error::new(ErrorKind::Conflict, message)
}
