//! The next version of an app that writes some of its events in a newer schema, which the version
//! before cannot read.

use std::marker::PhantomData;

use order::order::Order;
use order::payment::Payment;
use order::stock::Stock;
use serde_json::Value;
use skyfold::{
    Category, Decider, Effect, Listed, Payload, Projection, RecordedEvent, Route, Saga, Snapshots,
    StreamId, Subscription, Upcasters,
};

use crate::newer::{CHANGED, Newer, former_schema, newer};
use crate::next::Next;

/// `T` after a deployment that changed the schema of its events.
#[derive(Debug)]
pub(crate) struct Evolved<T>(PhantomData<fn(T)>);

impl<D: Decider> Decider for Evolved<D> {
    const CATEGORY: Category = D::CATEGORY;
    const SNAPSHOTS: Snapshots = D::SNAPSHOTS;
    type State = D::State;
    type Command = D::Command;
    type Event = Newer<D::Event>;
    type Error = D::Error;

    fn decide(state: &Self::State, command: D::Command) -> Result<Vec<Self::Event>, D::Error> {
        Ok(D::decide(state, command)?.into_iter().map(Newer).collect())
    }

    fn evolve(state: &mut Self::State, event: &Self::Event) {
        D::evolve(state, &event.0);
    }

    fn upcasters() -> Upcasters {
        CHANGED.into_iter().fold(D::upcasters(), |upcasters, name| upcasters.then(name, newer))
    }
}

/// What projections and sagas of the next version hear.
#[derive(Clone, Debug)]
pub(crate) enum Heard {
    Order(Newer<order::order::Event>),
    Stock(Newer<order::stock::Event>),
    Payment(Newer<order::payment::Event>),
}

impl Heard {
    /// The categories that `former` hears, in their newer form.
    fn subscription<I: 'static>(former: &Subscription<I>) -> Subscription<Self> {
        let hears = |category: &str| former.categories().any(|heard| heard == category);
        match (hears(Order::CATEGORY), hears(Stock::CATEGORY), hears(Payment::CATEGORY)) {
            (true, false, false) => Subscription::to::<Evolved<Next<Order>>>(Self::Order),
            (false, true, false) => Subscription::to::<Evolved<Next<Stock>>>(Self::Stock),
            _ => Subscription::to::<Evolved<Next<Order>>>(Self::Order)
                .and::<Evolved<Next<Stock>>>(Self::Stock)
                .and::<Evolved<Next<Payment>>>(Self::Payment),
        }
    }

    fn whole(&self) -> Value {
        let whole = match self {
            Self::Order(event) => serde_json::to_value(&event.0),
            Self::Stock(event) => serde_json::to_value(&event.0),
            Self::Payment(event) => serde_json::to_value(&event.0),
        };
        whole.expect("an event has a JSON form")
    }
}

/// What the version before would have made of `event`.
fn heard_as<I: 'static>(
    subscription: &Subscription<I>,
    event: &RecordedEvent<Heard>,
) -> RecordedEvent<I> {
    let (name, data) = match event.data.whole() {
        Value::Object(fields) => fields.into_iter().next().unwrap_or_default(),
        Value::String(name) => (name, Value::Null),
        _ => Default::default(),
    };
    let data = Payload::encode(&data).expect("JSON has a JSON form");
    let mut raw = event.clone().with_data(data);
    (raw.schema, raw.event_type) = (former_schema(&name), name);
    subscription.decode(raw).expect("it was read before")
}

impl<P: Projection> Projection for Evolved<P> {
    const NAME: &'static str = P::NAME;
    const REVISION: u32 = P::REVISION;
    const LISTS: &'static [&'static str] = P::LISTS;
    type Input = Heard;
    type View = P::View;

    fn subscription() -> Subscription<Heard> {
        Heard::subscription(&P::subscription())
    }

    fn route() -> Route<Heard> {
        match P::route() {
            Route::OwnStream => Route::OwnStream,
            Route::Keyed(_) => Route::Keyed(|event| match P::route() {
                Route::OwnStream => vec![],
                Route::Keyed(keys) => keys(&heard_as(&P::subscription(), event)),
            }),
        }
    }

    fn project(key: &str, view: Option<P::View>, event: &RecordedEvent<Heard>) -> Option<P::View> {
        P::project(key, view, &heard_as(&P::subscription(), event))
    }

    fn listed(key: &str, view: &P::View) -> Vec<Listed> {
        P::listed(key, view)
    }
}

impl<S: Saga> Saga for Evolved<S> {
    const NAME: &'static str = S::NAME;
    const SNAPSHOTS: Snapshots = S::SNAPSHOTS;
    type Input = Heard;
    type State = S::State;

    fn subscription() -> Subscription<Heard> {
        Heard::subscription(&S::subscription())
    }

    fn correlate(event: &RecordedEvent<Heard>) -> Option<StreamId> {
        S::correlate(&heard_as(&S::subscription(), event))
    }

    fn react(state: &mut Self::State, event: &RecordedEvent<Heard>) -> Vec<Effect> {
        S::react(state, &heard_as(&S::subscription(), event))
    }

    fn has_ended(state: &Self::State) -> bool {
        S::has_ended(state)
    }
}
