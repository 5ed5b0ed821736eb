use std::collections::{BTreeMap, BTreeSet};
use std::marker::PhantomData;
use std::time::Duration;

use async_trait::async_trait;
use time::OffsetDateTime;

use crate::functions::consumer::{Delivery, Doorbell, STRIDE_MAX};
use crate::functions::parking::{self, Aside, Consumer, Standing};
use crate::functions::query::Views;
use crate::functions::view::{StoredView, check_key};
use crate::functions::{ATTEMPTS_MAX, Context, Function, Rebuildable, guarded, own_view, unfit};
use crate::limits::{BATCH_DOCUMENTS_MAX, LISTS_MAX};
use crate::name::{Dash, check_name};
use crate::ports::{Document, DocumentKey, Write};
use crate::stores::{Checkpoints, one, put};
use crate::{
    Descriptor, Error, ErrorKind, EventId, Kind, Projection, RecordedEvent, Reply, Result, Route,
    StreamName, Subscription, Trigger, Version, manifest,
};

/// Keeps the views of one projection, and shows them.
pub(crate) struct ProjectionFunction<P: Projection> {
    pub(super) name: String,
    pub(super) subscription: Subscription<P::Input>,
    pub(super) collection: String,
    /// How long what it writes is kept; for ever, if not given.
    pub(super) lifetime: Option<Duration>,
    pub(super) projection: PhantomData<fn(P)>,
}

/// The collection that `P` is kept in.
pub(crate) fn collection<P: Projection>() -> String {
    format!("{}.{}", P::NAME, P::REVISION)
}

impl<P: Projection> ProjectionFunction<P> {
    pub(crate) fn new() -> Self {
        let (name, subscription) = (P::NAME.to_owned(), P::subscription());
        let (collection, lifetime) = (collection::<P>(), None);
        Self { name, subscription, collection, lifetime, projection: PhantomData }
    }
}

#[async_trait]
impl<P: Projection> Function for ProjectionFunction<P> {
    fn descriptor(&self) -> Descriptor {
        Descriptor {
            hears: self.subscription.categories().map(str::to_owned).collect(),
            collection: Some(self.collection.clone()),
            lists: P::LISTS.iter().map(|list| (*list).to_owned()).collect(),
            answer: Some(manifest::answer_schema::<P::View>()),
            ..Descriptor::new(&*self.name, Kind::Projection)
        }
    }

    fn check(&self, _: &Descriptor) -> Result<()> {
        check_name("the projection", &self.name, Dash::Legal)?;
        let problem = |message: &str| Err(Error::invalid(format!("{}: {message}", P::NAME)));
        if P::LISTS.len() > LISTS_MAX {
            return problem(&format!("it has {} lists, of at most {LISTS_MAX}", P::LISTS.len()));
        }
        match (P::route(), self.subscription.categories().count()) {
            (Route::OwnStream, 2..) => {
                problem("streams of several categories may share an id: give it a keyed route")
            }
            _ => Ok(()),
        }
    }

    async fn invoke(&self, context: &Context, trigger: Trigger) -> Result<Reply> {
        match trigger {
            Trigger::Events(announced) => {
                Ok(Reply::Handled(parking::deliver(self, context, announced).await))
            }
            Trigger::View(request) => Views::<P>::new(&context.ports).answer_view(request).await,
            Trigger::List(request) => Views::<P>::new(&context.ports).answer_list(request).await,
            trigger => Err(unfit(&self.name, &trigger)),
        }
    }

    fn rebuildable(&self) -> Option<&dyn Rebuildable> {
        Some(self)
    }

    fn consumer(&self) -> Option<&dyn Consumer> {
        Some(self)
    }
}

#[async_trait]
impl<P: Projection> Consumer for ProjectionFunction<P> {
    fn name(&self) -> &str {
        &self.name
    }

    fn place(&self) -> &str {
        &self.collection
    }

    fn hears(&self, category: &str) -> bool {
        self.subscription.hears(category)
    }

    /// What fails as a whole is tried once more event by event, so that the views show everything
    /// before the one that cannot be handled.
    async fn handle(&self, context: &Context, delivery: &mut Delivery<'_>) -> Result<()> {
        match self.handle_by(context, delivery, STRIDE_MAX).await {
            Err(error) if !error.is_transient() && !error.is_conflict() => {
                self.handle_by(context, delivery, 1).await
            }
            outcome => outcome,
        }
    }

    async fn standing(&self, context: &Context, stream: &StreamName) -> Result<Standing> {
        match P::route() {
            Route::OwnStream => {
                own_view::standing(context, &self.key(stream.id().as_str()), stream).await
            }
            Route::Keyed(_) => self.checkpoints(context).standing(stream).await,
        }
    }

    async fn step(&self, context: &Context, event: &EventId, step: Aside) -> Result<()> {
        match P::route() {
            Route::OwnStream => {
                let key = self.key(event.stream.id().as_str());
                own_view::step::<P>(context, &key, event, step).await
            }
            Route::Keyed(_) => self.checkpoints(context).step(event, step).await,
        }
    }
}

impl<P: Projection> ProjectionFunction<P> {
    async fn handle_by(
        &self,
        context: &Context,
        delivery: &mut Delivery<'_>,
        stride: usize,
    ) -> Result<()> {
        match P::route() {
            Route::OwnStream => self.handle_own(context, delivery, stride).await,
            Route::Keyed(keys) => self.handle_keyed(context, delivery, (stride, keys)).await,
        }
    }

    /// The view's own version is the checkpoint: one read and one write for the whole batch.
    async fn handle_own(
        &self,
        context: &Context,
        delivery: &mut Delivery<'_>,
        stride: usize,
    ) -> Result<()> {
        let (stream, announced) = (delivery.stream, delivery.announced);
        let key = self.key(stream.id().as_str());
        let mut overtaken = 0;
        while overtaken < ATTEMPTS_MAX {
            let document = one(&*context.ports.documents, &key).await?;
            let stored = document.as_ref().map(StoredView::read).transpose()?;
            let mut stored = stored.unwrap_or_default();
            let reached = stored.seen(stream).unwrap_or(Version::EMPTY);
            if delivery.waits(Standing { reached, is_waiting: stored.is_waiting() }) {
                return Ok(());
            }
            let mut doorbell = Doorbell::new(&*context.ports.events, stream, reached, announced);
            let due = self.decode(doorbell.next(stride).await?)?;
            if due.is_empty() {
                return Ok(());
            }
            let view = self.fold(&key.id, &mut stored, stream, &due)?;
            let write = stored.write::<P>(key.clone(), document.as_ref(), view.as_ref())?;
            let write = Write { expires: self.expires(context), ..write };
            match put(&*context.ports.documents, write).await {
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
        delivery: &mut Delivery<'_>,
        (stride, keys): (usize, Keys<P>),
    ) -> Result<()> {
        let (stream, announced) = (delivery.stream, delivery.announced);
        let checkpoints = self.checkpoints(context);
        let standing = checkpoints.standing(stream).await?;
        if delivery.waits(standing) {
            return Ok(());
        }
        let reached = standing.reached;
        let mut doorbell = Doorbell::new(&*context.ports.events, stream, reached, announced);
        loop {
            let due = self.decode(doorbell.next(stride).await?)?;
            let Some(last) = due.last().map(|event| event.version) else { return Ok(()) };
            let by_key: Vec<_> = by_key::<P>(due, keys)?.into_iter().collect();
            for batch in by_key.chunks(BATCH_DOCUMENTS_MAX) {
                self.apply(context, stream, last, batch.to_vec()).await?;
            }
            checkpoints.advance(stream, last).await?;
            delivery.reach(last);
        }
    }

    /// Applies the events of `stream` up to `last` to the views that they change, each once.
    async fn apply(
        &self,
        context: &Context,
        stream: &StreamName,
        last: Version,
        mut pending: Vec<(String, Changes<P>)>,
    ) -> Result<()> {
        for _ in 0..ATTEMPTS_MAX {
            let keys: Vec<_> = pending.iter().map(|(key, _)| self.key(key)).collect();
            let documents = context.ports.documents.get(&keys).await?;
            let (mut writes, mut written) = (vec![], vec![]);
            for (document, (name, events)) in documents.iter().zip(pending) {
                let document = (self.key(&name), document.as_ref());
                if let Some(write) = self.change(context, stream, last, document, &events).await? {
                    writes.push(write);
                    written.push((name, events));
                }
            }
            if writes.is_empty() {
                return Ok(());
            }
            pending = vec![];
            for (outcome, view) in
                context.ports.documents.write(&writes).await.into_iter().zip(written)
            {
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

    /// The write that applies those of `events` to one view which it has not seen; `None` if it has
    /// seen them all.
    async fn change(
        &self,
        context: &Context,
        stream: &StreamName,
        last: Version,
        (key, document): (DocumentKey, Option<&Document>),
        events: &[RecordedEvent<P::Input>],
    ) -> Result<Option<Write>> {
        let stored = document.map(StoredView::read).transpose()?;
        let mut stored = stored.unwrap_or_default();
        let mut seen = stored.seen(stream);
        if seen.is_none() && stored.has_forgotten() {
            // Read after the view: what the view had forgotten by then, the checkpoint has counted.
            seen = Some(self.checkpoints(context).get(stream).await?);
        }
        let due = events.iter().filter(|event| Some(event.version) > seen);
        let due: Vec<_> = due.cloned().collect();
        if due.is_empty() {
            return Ok(None);
        }
        let view = self.fold(&key.id, &mut stored, stream, &due)?;
        stored.see(stream, last);
        self.forget(context, &mut stored).await?;
        let write = stored.write::<P>(key, document, view.as_ref())?;
        Ok(Some(Write { expires: self.expires(context), ..write }))
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
        let checkpoints = self.checkpoints(context);
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

    fn checkpoints<'a>(&'a self, context: &'a Context) -> Checkpoints<'a> {
        let expires = self.expires(context);
        Checkpoints::new(&*context.ports.documents, &self.collection).expiring(expires)
    }

    /// When what is written now may be forgotten.
    fn expires(&self, context: &Context) -> Option<OffsetDateTime> {
        let now = context.ports.clock.now();
        self.lifetime.and_then(|lifetime| now.checked_add(lifetime.try_into().ok()?))
    }

    pub(super) fn key(&self, id: &str) -> DocumentKey {
        DocumentKey { collection: self.collection.clone(), id: id.to_owned() }
    }
}

/// What names the views that an event changes.
type Keys<P> = fn(&RecordedEvent<<P as Projection>::Input>) -> Vec<String>;

/// Events that change one view.
type Changes<P> = Vec<RecordedEvent<<P as Projection>::Input>>;

/// The views that `events` change, and by which of them each.
fn by_key<P: Projection>(
    events: Changes<P>,
    keys: Keys<P>,
) -> Result<BTreeMap<String, Changes<P>>> {
    let mut by_key: BTreeMap<String, Changes<P>> = BTreeMap::new();
    for event in events {
        let named = guarded(|| format!("the keys of {}", event.id()), || keys(&event))?;
        for key in BTreeSet::from_iter(named) {
            check_key(&key)?;
            by_key.entry(key).or_default().push(event.clone());
        }
    }
    Ok(by_key)
}

fn busy(key: &DocumentKey) -> Error {
    let DocumentKey { collection, id } = key;
    let message =
        format!("the view {id} of {collection} was written {ATTEMPTS_MAX} times meanwhile");
    Error::new(ErrorKind::Conflict, message)
}
