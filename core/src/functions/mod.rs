//! What runs: one function per decider, projection, saga and query. Each is a value without state.

mod command;
mod consumer;
pub(crate) mod history;
mod intervention;
mod own_view;
mod parking;
mod placement;
mod projector;
mod query;
mod rebuildable;
mod record;
mod relay;
mod saga;
mod streams;
mod timers;
pub(crate) mod view;
mod warm;

use std::any::Any;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use moka::sync::Cache;

pub(crate) use command::CommandFunction;
pub(crate) use consumer::by_stream;
pub(crate) use intervention::{Intervention, IsNew, Steered};
pub(crate) use own_view::too_early;
pub(crate) use parking::{Aside, Consumer, Standing, discard, give_up, retry};
pub(crate) use projector::ProjectionFunction;
pub(crate) use query::QueryFunction;
pub use query::{ReadModels, ViewPage};
pub(crate) use rebuildable::Rebuildable;
pub(crate) use record::{Record, send};
pub(crate) use relay::RelayFunction;
pub(crate) use saga::SagaFunction;
use warm::{Lifetime, Warm};

use crate::guard::guarded;
use crate::layers::with_sealing;
use crate::ports::Ports;
use crate::privacy::Vault;
use crate::revisions::Revisions;
use crate::{
    CommandRequest, Descriptor, Error, FoldedState, NewEvent, RecordedEvent, Reply, Result,
    StreamId, StreamName, Trigger, Version,
};

/// How often a function starts over when another writer was faster.
pub(crate) const ATTEMPTS_MAX: u32 = 8;

/// How many bytes of states a runtime keeps at hand between commands.
const WARM_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// Something that runs when triggered.
#[async_trait]
pub(crate) trait Function: Send + Sync {
    /// What it is.
    fn descriptor(&self) -> Descriptor;

    /// Checks what cannot be expressed in types.
    fn check(&self, descriptor: &Descriptor) -> Result<()>;

    /// Runs it.
    async fn invoke(&self, context: &Context, trigger: Trigger) -> Result<Reply>;

    /// Itself, as what events are delivered to; `None` if it hears none.
    fn consumer(&self) -> Option<&dyn Consumer> {
        None
    }

    /// Itself, as a saga that an operator steers; `None` if it is none.
    fn steered(&self) -> Option<&dyn Steered> {
        None
    }

    /// Checks that it can read the command of `request`; `None` if it takes no commands.
    fn takes(&self, _context: &Context, _request: &CommandRequest) -> Option<Result<()>> {
        None
    }

    /// `event` in its newest form; `None` if it records no events of its own.
    fn upcast(&self, _event: &NewEvent) -> Option<Result<NewEvent>> {
        None
    }

    /// Itself as a keeper of views; `None` if it keeps none.
    fn rebuildable(&self) -> Option<&dyn Rebuildable> {
        None
    }

    /// What its state comes to after `history`, as it is stored; `None` if it keeps none.
    fn state_after(&self, _history: &[RecordedEvent]) -> Option<Result<FoldedState>> {
        None
    }
}

/// What every function of one runtime shares.
#[derive(Clone)]
pub(crate) struct Context {
    /// The app's name.
    pub(crate) app: &'static str,
    /// The services: with retries, and with personal data in the clear.
    pub(crate) ports: Ports,
    /// What seals and opens personal data.
    pub(crate) vault: Arc<Vault>,
    /// The services as they are without that.
    sealed: Ports,
    /// The read models that are listed in several revisions.
    pub(crate) revisions: Arc<Revisions>,
    /// The states of recent streams. A cache: a conflict shows that an entry is out of date.
    warm: Cache<StreamName, Warm>,
    /// How many stored states were damaged.
    damaged: Arc<AtomicU64>,
}

impl Context {
    /// What the functions of `app` share that run on `ports`, which retry, where the app lists
    /// these read models in several `revisions`.
    pub(crate) fn new(app: &'static str, revisions: Arc<Revisions>, ports: Ports) -> Self {
        let weigh = |_: &StreamName, warm: &Warm| warm.bytes;
        let warm = Cache::builder().max_capacity(WARM_BYTES_MAX).weigher(weigh);
        let warm = warm.expire_after(Lifetime).build();
        let vault = Arc::new(Vault::new(&ports));
        let sealed = ports.clone();
        Self {
            app,
            ports: with_sealing(ports, &vault),
            vault,
            sealed,
            revisions,
            warm,
            damaged: Arc::default(),
        }
    }

    /// The same with nothing at hand.
    pub(crate) fn restarted(&self) -> Self {
        Self::new(self.app, self.revisions.clone(), self.sealed.clone())
    }

    /// The state of `stream` that is at hand, unless it holds data of a subject that is forgotten.
    pub(crate) async fn warm<T: Any + Send + Sync>(
        &self,
        stream: &StreamName,
    ) -> Result<Option<Arc<T>>> {
        let Some(Warm { loaded, subjects, .. }) = self.warm.get(stream) else { return Ok(None) };
        if !self.vault.forgotten(&subjects).await?.is_empty() {
            self.forget(stream);
            return Ok(None);
        }
        Ok(loaded.downcast().ok())
    }

    /// Keeps at hand what `stream` was `loaded` to, which takes about `bytes` and holds personal
    /// data of `subjects`.
    pub(crate) fn keep<T: Any + Send + Sync>(
        &self,
        stream: StreamName,
        loaded: T,
        bytes: usize,
        subjects: BTreeSet<StreamId>,
    ) {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let (loaded, subjects) = (Arc::new(loaded), Arc::new(subjects));
        self.warm.insert(stream, Warm { loaded, bytes, subjects });
    }

    /// Keeps no state at hand any more.
    pub(crate) fn forget_all(&self) {
        self.warm.invalidate_all();
    }

    pub(crate) fn forget(&self, stream: &StreamName) {
        self.warm.invalidate(stream);
    }

    /// Reports that the stored state of `stream` as of `version` is damaged, and is ignored.
    pub(crate) fn ignore_damaged(&self, stream: &StreamName, version: Version, why: &str) {
        self.damaged.fetch_add(1, Ordering::Relaxed);
        tracing::warn!(%stream, %version, why, "a stored state is damaged: folding the events");
    }

    /// How many stored states were damaged.
    pub(crate) fn damaged(&self) -> u64 {
        self.damaged.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("app", &self.app).field("ports", &self.ports).finish()
    }
}

/// The refusal of a trigger that `function` does not take.
fn unfit(function: &str, trigger: &Trigger) -> Error {
    Error::invalid(format!("the function {function} does not take a {}", trigger.name()))
}
