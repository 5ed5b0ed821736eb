use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use serde::{Deserialize, Serialize};

use crate::functions::projector::collection;
use crate::functions::view::{StoredView, check_key, list_index};
use crate::functions::{Context, Function, unfit};
use crate::limits::PAGE_ITEMS_MAX;
use crate::name::{Dash, check_name};
use crate::ports::{Clock, Document, DocumentKey, ListQuery, Order, Ports};
use crate::revisions::{self, Revisions};
use crate::stores::{Checkpoints, one};
use crate::{
    After, Answer, Data, Descriptor, Error, ErrorKind, EventId, Kind, ListRequest, Metadata,
    Payload, Projection, Reply, Result, Route, Trigger, Version, ViewRequest, manifest,
};

/// Answers one kind of question from read models alone.
pub(crate) struct QueryFunction<Q, A, F> {
    pub(crate) name: &'static str,
    pub(crate) answer: F,
    pub(crate) types: PhantomData<fn(Q) -> A>,
}

#[async_trait]
impl<Q, A, F, Fut> Function for QueryFunction<Q, A, F>
where
    Q: Data,
    A: Data,
    F: Fn(Q, ReadModels) -> Fut + Send + Sync,
    Fut: Future<Output = Result<A>> + Send,
{
    fn descriptor(&self) -> Descriptor {
        Descriptor {
            params: Some(manifest::schema::<Q>()),
            answer: Some(manifest::answer_schema::<A>()),
            ..Descriptor::new(self.name, Kind::Query)
        }
    }

    fn check(&self, _: &Descriptor) -> Result<()> {
        check_name("the query", self.name, Dash::Legal)
    }

    async fn invoke(&self, context: &Context, trigger: Trigger) -> Result<Reply> {
        let Trigger::Query(request) = trigger else { return Err(unfit(self.name, &trigger)) };
        let params: Q = serde_json::from_str(request.params.get()).map_err(|error| {
            let message = format!("not the parameters of {}", self.name);
            Error::new(ErrorKind::Invalid, message).with_source(error)
        })?;
        let mut patience = Patience::new(&context.ports, request.after.as_ref());
        let after = request.after.map(|after| after.event);
        loop {
            let is_behind = Arc::new(AtomicBool::new(false));
            let (ports, after) = (context.ports.clone(), after.clone());
            let revisions = context.revisions.clone();
            let read = ReadModels { ports, revisions, after, is_behind: is_behind.clone() };
            match (self.answer)(params.clone(), read).await {
                Err(_) if is_behind.load(Ordering::Relaxed) => {}
                Err(error) => return Err(error),
                Ok(answer) => {
                    let body = Payload::encode(&answer)?;
                    return Ok(Reply::Answer(plain(body)));
                }
            }
            if patience.has_ended().await {
                return Ok(Reply::Pending);
            }
        }
    }
}

/// An answer that is not one view.
fn plain(body: Payload) -> Answer {
    Answer { body, revision: None, last: None, metadata: Metadata::default() }
}

/// The wait for views to show an event: short pauses that become longer.
struct Patience<'a> {
    clock: &'a dyn Clock,
    pauses: ExponentialBackoff,
    left: Duration,
}

/// The longest pause before the views are looked at again.
const PAUSE_MAX: Duration = Duration::from_millis(250);

impl<'a> Patience<'a> {
    fn new(ports: &'a Ports, after: Option<&After>) -> Self {
        let pauses = ExponentialBuilder::new()
            .with_min_delay(Duration::from_millis(5))
            .with_max_delay(PAUSE_MAX)
            .without_max_times()
            .build();
        let left = after.map_or(Duration::ZERO, |after| after.wait);
        Self { clock: &*ports.clock, pauses, left }
    }

    /// Waits a little, unless the time is up.
    async fn has_ended(&mut self) -> bool {
        if self.left.is_zero() {
            return true;
        }
        let pause = self.pauses.next().unwrap_or(PAUSE_MAX).min(self.left);
        self.clock.sleep(pause).await;
        self.left -= pause;
        false
    }
}

/// Whether the views of `P` show `event`; `None` if they never will, since `P` does not hear it.
pub(crate) async fn shows<P: Projection>(ports: &Ports, event: &EventId) -> Result<Option<bool>> {
    let stream = &event.stream;
    if !P::subscription().hears(stream.category()) {
        return Ok(None);
    }
    let reached = match P::route() {
        Route::OwnStream => {
            let id = stream.id().as_str().to_owned();
            let key = DocumentKey { collection: collection::<P>(), id };
            let document = one(&*ports.documents, &key).await?;
            let stored = document.as_ref().map(StoredView::read).transpose()?;
            stored.and_then(|stored| stored.seen(stream)).unwrap_or(Version::EMPTY)
        }
        Route::Keyed(_) => {
            Checkpoints::new(&*ports.documents, &collection::<P>()).get(stream).await?
        }
    };
    Ok(Some(reached >= event.version))
}

/// A page of views.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ViewPage<V> {
    /// The views, in the order asked for.
    pub items: Vec<V>,
    /// Where to read on, if there is more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// The views of the app's projections, for a query to read.
#[derive(Clone, Debug)]
pub struct ReadModels {
    ports: Ports,
    revisions: Arc<Revisions>,
    /// What the answer must show.
    after: Option<EventId>,
    /// Set when a view that was read does not show it yet.
    is_behind: Arc<AtomicBool>,
}

impl ReadModels {
    /// The view of `P` with this key.
    ///
    /// # Errors
    ///
    /// Those of the store, and one of no meaning to the query if the view does not yet show what
    /// the caller asked it to: pass it on.
    pub async fn get<P: Projection>(&self, key: impl AsRef<str>) -> Result<Option<P::View>> {
        self.check_shown::<P>().await?;
        let found = Views::<P>::new(&self.ports).get(key.as_ref()).await?;
        found.as_ref().and_then(|(stored, _)| stored.view()).map(Payload::decode).transpose()
    }

    /// A page of the views of `P` listed under `under` in `list`: `limit` of them, after the page
    /// that ended at `cursor`.
    ///
    /// # Errors
    ///
    /// As of [`get`](Self::get); [`Invalid`](ErrorKind::Invalid) for a cursor of another list.
    pub async fn list<P: Projection>(
        &self,
        list: &str,
        under: &str,
        order: Order,
        limit: usize,
        cursor: Option<String>,
    ) -> Result<ViewPage<P::View>> {
        self.check_shown::<P>().await?;
        let (list, under) = (list.to_owned(), under.to_owned());
        let request = ListRequest { list, under, order, limit, cursor, after: None };
        let page = Views::<P>::new(&self.ports).page(&request).await?;
        let items = page.items.iter().map(Payload::decode).collect::<Result<_>>()?;
        Ok(ViewPage { items, next: page.next })
    }

    /// Whether the views of `P` are the ones to read: always, unless the app lists several
    /// revisions of its name. Ask before reading, as long as it does, and read the revision whose
    /// turn it is.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn is_active<P: Projection>(&self) -> Result<bool> {
        let Some(listed) = self.revisions.of(P::NAME) else { return Ok(true) };
        let active = revisions::active(&*self.ports.documents, P::NAME, listed).await?;
        Ok(active == P::REVISION)
    }

    async fn check_shown<P: Projection>(&self) -> Result<()> {
        if !self.is_active::<P>().await? {
            let (name, revision) = (P::NAME, P::REVISION);
            let message = format!(
                "revision {revision} of {name} is not the active one: ask is_active before \
                 reading it"
            );
            return Err(Error::new(ErrorKind::Conflict, message));
        }
        let Some(event) = &self.after else { return Ok(()) };
        if shows::<P>(&self.ports, event).await? != Some(false) {
            return Ok(());
        }
        self.is_behind.store(true, Ordering::Relaxed);
        Err(Error::new(ErrorKind::Unavailable, format!("{} does not show {event} yet", P::NAME)))
    }
}

/// The views of one projection, as they are stored.
pub(crate) struct Views<'a, P> {
    ports: &'a Ports,
    projection: PhantomData<fn(P)>,
}

impl<'a, P: Projection> Views<'a, P> {
    pub(crate) fn new(ports: &'a Ports) -> Self {
        Self { ports, projection: PhantomData }
    }

    pub(crate) async fn answer_view(&self, request: ViewRequest) -> Result<Reply> {
        check_key(&request.key)?;
        if !self.are_shown(request.after.as_ref()).await? {
            return Ok(Reply::Pending);
        }
        let found = self.get(&request.key).await?;
        let answer = found.and_then(|(stored, document)| {
            let (body, revision) = (stored.view()?.clone(), Some(document.revision.0));
            let (last, metadata) = stored.last();
            Some(Answer { body, revision, last: last.cloned(), metadata: metadata.clone() })
        });
        answer.map(Reply::Answer).ok_or_else(|| {
            let message = format!("{} has no view {:?}", P::NAME, request.key);
            Error::new(ErrorKind::NotFound, message)
        })
    }

    pub(crate) async fn answer_list(&self, request: ListRequest) -> Result<Reply> {
        check_key(&request.under)?;
        if !self.are_shown(request.after.as_ref()).await? {
            return Ok(Reply::Pending);
        }
        let body = Payload::encode(&self.page(&request).await?)?;
        Ok(Reply::Answer(plain(body)))
    }

    /// Whether the views show what they must, if need be after a wait.
    async fn are_shown(&self, after: Option<&After>) -> Result<bool> {
        let Some(wanted) = after else { return Ok(true) };
        let mut patience = Patience::new(self.ports, after);
        loop {
            if shows::<P>(self.ports, &wanted.event).await? != Some(false) {
                return Ok(true);
            }
            if patience.has_ended().await {
                return Ok(false);
            }
        }
    }

    async fn get(&self, key: &str) -> Result<Option<(StoredView, Document)>> {
        let key = DocumentKey { collection: collection::<P>(), id: key.to_owned() };
        let Some(document) = one(&*self.ports.documents, &key).await? else { return Ok(None) };
        Ok(Some((StoredView::read(&document)?, document)))
    }

    async fn page(&self, request: &ListRequest) -> Result<ViewPage<Payload>> {
        if !(1..=PAGE_ITEMS_MAX).contains(&request.limit) {
            let message = format!("a page has 1 to {PAGE_ITEMS_MAX} items, not {}", request.limit);
            return Err(Error::invalid(message));
        }
        let query = ListQuery {
            collection: collection::<P>(),
            list: list_index::<P>(&request.list)?,
            under: request.under.clone(),
            order: request.order,
            limit: request.limit,
            cursor: request.cursor.clone(),
        };
        let page = self.ports.documents.list(&query).await?;
        let mut items = vec![];
        for document in &page.documents {
            items.extend(StoredView::read(document)?.view().cloned());
        }
        Ok(ViewPage { items, next: page.next })
    }
}
