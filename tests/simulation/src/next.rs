//! The next version of a decider or saga: the same rules over a state of another form.

use std::marker::PhantomData;

use serde::{Deserialize, Serialize};
use skyfold::{
    Category, Decider, Effect, RecordedEvent, Saga, Snapshots, StreamId, Subscription, Upcasters,
};

/// `T` after a deployment that changed the form of its state.
#[derive(Debug)]
pub(crate) struct Next<T>(PhantomData<fn(T)>);

/// The same state in another form, which the version before would take for the state of an empty
/// stream if it did not look at the number of the form.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct NextState<S> {
    #[serde(flatten, skip_deserializing)]
    decoy: S,
    next: S,
}

/// The states of the next version are known by another number, and large ones are kept often.
const fn next_format(snapshots: Snapshots) -> Snapshots {
    Snapshots { format: snapshots.format + 1, every: 2, ..snapshots }
}

impl<D: Decider> Decider for Next<D> {
    const CATEGORY: Category = D::CATEGORY;
    const SNAPSHOTS: Snapshots = next_format(D::SNAPSHOTS);
    type State = NextState<D::State>;
    type Command = D::Command;
    type Event = D::Event;
    type Error = D::Error;

    fn decide(state: &Self::State, command: D::Command) -> Result<Vec<D::Event>, D::Error> {
        D::decide(&state.next, command)
    }

    fn evolve(state: &mut Self::State, event: &D::Event) {
        D::evolve(&mut state.next, event);
    }

    fn upcasters() -> Upcasters {
        D::upcasters()
    }
}

impl<S: Saga> Saga for Next<S> {
    const NAME: &'static str = S::NAME;
    const SNAPSHOTS: Snapshots = next_format(S::SNAPSHOTS);
    type Input = S::Input;
    type State = NextState<S::State>;

    fn subscription() -> Subscription<S::Input> {
        S::subscription()
    }

    fn correlate(event: &RecordedEvent<S::Input>) -> Option<StreamId> {
        S::correlate(event)
    }

    fn react(state: &mut Self::State, event: &RecordedEvent<S::Input>) -> Vec<Effect> {
        S::react(&mut state.next, event)
    }

    fn has_ended(state: &Self::State) -> bool {
        S::has_ended(&state.next)
    }
}
