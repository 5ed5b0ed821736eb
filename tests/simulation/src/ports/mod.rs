//! The ports that an app is bound to: those of the memory adapter, behind a gate at which others
//! run and things go wrong. The bus, the queue and the clock are the simulation's own.

mod bus;
mod call;
mod clock;
mod documents;
mod events;
mod gate;
mod keys;

use std::sync::Arc;

use skyfold::ports::{Ports, Pricing};
use skyfold::{Error, Result};

use self::bus::Bus;
use self::clock::NodeClock;
use self::documents::Documents;
use self::events::Events;
use self::gate::Gate;
use self::keys::Keys;
use crate::world::World;

/// The ports of a process whose clock is wrong by `skew`, over those of `memory`.
pub(crate) fn ports(
    memory: &Ports,
    world: &World,
    skew: time::Duration,
    pricing: Pricing,
) -> Ports {
    let gate = Gate { world: world.clone() };
    let (store, feed) = (memory.events.clone(), memory.feed.clone());
    let events = Arc::new(Events { store, feed, pricing, gate: gate.clone() });
    let bus = Arc::new(Bus { skew, gate: gate.clone() });
    Ports {
        events: events.clone(),
        feed: events,
        documents: Arc::new(Documents { store: memory.documents.clone(), gate: gate.clone() }),
        publisher: bus.clone(),
        queue: bus,
        keys: Arc::new(Keys { store: memory.keys.clone(), gate: gate.clone() }),
        clock: Arc::new(NodeClock { skew, gate }),
    }
}

/// `error` for each of `count`.
fn all_failed<T>(error: &Error, count: usize) -> Vec<Result<T>> {
    let again = || {
        let again = Error::new(error.kind(), error.message());
        match error.retry_after() {
            Some(delay) => again.with_retry_after(delay),
            None => again,
        }
    };
    (0..count).map(|_| Err(again())).collect()
}
