//! A release that cannot handle some events, as long as nobody mends it.

use std::marker::PhantomData;

use skyfold::adapter::Fnv;
use skyfold::{
    Effect, EventId, Listed, Projection, RecordedEvent, Route, Saga, Snapshots, StreamId,
    Subscription,
};

/// One event in so many is poison to a function.
const POISON_ONE_IN: u64 = 16;

/// What it says on poison.
pub(crate) const MISHAP: &str = "this release cannot take it";

/// `T` as long as nobody has mended it: each function has events of its own that it fails on.
#[derive(Debug)]
pub(crate) struct Fragile<T>(PhantomData<fn(T)>);

/// Whether the fragile release of `function` fails on `event`, always and everywhere.
pub(crate) fn is_poison(function: &str, event: &EventId) -> bool {
    let mut hash = Fnv::new();
    hash.write(function.as_bytes());
    hash.write(event.stream.as_str().as_bytes());
    hash.write(&event.version.0.to_le_bytes());
    (hash.finish() >> 32).is_multiple_of(POISON_ONE_IN)
}

/// Fails on poison, as a defect in the domain does, but without a word on the terminal.
fn take<I>(function: &str, event: &RecordedEvent<I>) {
    if is_poison(function, &event.id()) {
        std::panic::resume_unwind(Box::new(MISHAP));
    }
}

impl<P: Projection> Projection for Fragile<P> {
    const NAME: &'static str = P::NAME;
    const REVISION: u32 = P::REVISION;
    const LISTS: &'static [&'static str] = P::LISTS;
    type Input = P::Input;
    type View = P::View;

    fn subscription() -> Subscription<P::Input> {
        P::subscription()
    }

    fn route() -> Route<P::Input> {
        P::route()
    }

    fn project(
        key: &str,
        view: Option<P::View>,
        event: &RecordedEvent<P::Input>,
    ) -> Option<P::View> {
        take(P::NAME, event);
        P::project(key, view, event)
    }

    fn listed(key: &str, view: &P::View) -> Vec<Listed> {
        P::listed(key, view)
    }
}

impl<S: Saga> Saga for Fragile<S> {
    const NAME: &'static str = S::NAME;
    const SNAPSHOTS: Snapshots = S::SNAPSHOTS;
    type Input = S::Input;
    type State = S::State;

    fn subscription() -> Subscription<S::Input> {
        S::subscription()
    }

    /// Here, since `react` also reads what was heard before, and so was taken by another release.
    fn correlate(event: &RecordedEvent<S::Input>) -> Option<StreamId> {
        take(S::NAME, event);
        S::correlate(event)
    }

    fn react(state: &mut S::State, event: &RecordedEvent<S::Input>) -> Vec<Effect> {
        S::react(state, event)
    }

    fn has_ended(state: &S::State) -> bool {
        S::has_ended(state)
    }
}
