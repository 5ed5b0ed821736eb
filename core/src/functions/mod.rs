//! What runs: one function per decider, projection, saga and query. Each is a value without state.

mod command;
mod consumer;
mod history;
mod placement;
mod projector;
mod query;
mod relay;
mod saga;
mod streams;
mod view;

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use moka::sync::Cache;

pub(crate) use command::CommandFunction;
pub(crate) use projector::ProjectionFunction;
pub(crate) use query::QueryFunction;
pub use query::{ReadModels, ViewPage};
pub(crate) use relay::RelayFunction;
pub(crate) use saga::SagaFunction;

use crate::guard::guarded;
use crate::ports::Ports;
use crate::{
    Descriptor, Error, EventId, FoldedState, NewEvent, RecordedEvent, Reply, Result, StreamName,
    Trigger, Version,
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
    fn check(&self) -> Result<()>;

    /// Runs it.
    async fn invoke(&self, context: &Context, trigger: Trigger) -> Result<Reply>;

    /// Whether it has handled `event`; `None` if it hears no such thing.
    async fn has_handled(&self, context: &Context, event: &EventId) -> Result<Option<bool>>;

    /// `event` in its newest form; `None` if it records no events of its own.
    fn upcast(&self, _event: &NewEvent) -> Option<Result<NewEvent>> {
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
    /// The services.
    pub(crate) ports: Ports,
    /// The states of recent streams. A cache: a conflict shows that an entry is out of date.
    warm: Cache<StreamName, Warm>,
    /// How many stored states were damaged.
    damaged: Arc<AtomicU64>,
}

/// The state of a stream, and about how many bytes it takes.
#[derive(Clone)]
struct Warm {
    loaded: Arc<dyn Any + Send + Sync>,
    bytes: u32,
}

impl Context {
    pub(crate) fn new(app: &'static str, ports: Ports) -> Self {
        let weigh = |_: &StreamName, warm: &Warm| warm.bytes;
        let warm = Cache::builder().max_capacity(WARM_BYTES_MAX).weigher(weigh).build();
        Self { app, ports, warm, damaged: Arc::default() }
    }

    pub(crate) fn warm<T: Any + Send + Sync>(&self, stream: &StreamName) -> Option<Arc<T>> {
        self.warm.get(stream).and_then(|warm| warm.loaded.downcast().ok())
    }

    pub(crate) fn keep<T: Any + Send + Sync>(&self, stream: StreamName, loaded: T, bytes: usize) {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.warm.insert(stream, Warm { loaded: Arc::new(loaded), bytes });
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
