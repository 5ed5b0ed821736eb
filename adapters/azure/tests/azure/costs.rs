use std::time::Duration;

use conformance::Host as _;
use conformance::domain::{Account, Balances, Command};
use skyfold::ports::{Consistency, Range};
use skyfold::{
    App, Receipt, RecordedCommit, RecordedEvent, Reply, Result, Runtime, StreamName, Trigger,
    Version,
};
use tracing::instrument::WithSubscriber as _;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::common::Place;
use crate::meter::{Charge, Meter};

/// What the emulator charges at most for a command that is cold or warm, and for an event into a
/// view: as `docs/azure.md` counts them, in whole units.
const COLD_UNITS_MAX: f64 = 8.5;
const WARM_UNITS_MAX: f64 = 7.5;
const VIEW_UNITS_MAX: f64 = 11.5;

/// A place, and an app on it.
async fn bound(app: App) -> (Place, Runtime) {
    let place = Place::open().await.unwrap();
    let runtime = app.bind(place.ports()).unwrap();
    (place, runtime)
}

/// What `work` comes to, and what its requests were charged.
async fn metered<T>(work: impl Future<Output = T>) -> (T, Vec<Charge>) {
    let meter = Meter::default();
    let subscriber = tracing_subscriber::registry().with(meter.clone());
    let done = work.with_subscriber(subscriber).await;
    (done, meter.take())
}

/// Gives a command a second after the one before: an id that was not made later than those which
/// the stream has forgotten is looked up in its past.
async fn give(place: &Place, runtime: &Runtime, command: &Command) -> Receipt {
    place.pass(Duration::from_secs(1)).await.unwrap();
    place.give(runtime, command).await
}

/// The operations of `charges`, all of which have a charge: but on the emulator, what is not there.
fn operations(charges: &[Charge]) -> Vec<&str> {
    let is_charged = |charge: &Charge| charge.units > 0.0 || charge.status == 404;
    assert!(charges.iter().all(is_charged), "{charges:?}");
    charges.iter().map(|charge| charge.operation.as_str()).collect()
}

fn units(charges: &[Charge]) -> f64 {
    charges.iter().map(|charge| charge.units).sum()
}

pub(crate) async fn a_command_is_one_create_and_cold_one_query_whatever_the_length() {
    let mut costs: Vec<[f64; 2]> = vec![];
    for events in [10, 100, 1_000] {
        let (place, runtime) = bound(App::new("bank").decider::<Account>()).await;
        let mut left = events;
        while left > 0 {
            let times = left.min(64);
            give(&place, &runtime, &Command::Note { text: "x".into(), times }).await;
            left -= times;
        }
        let deposit = Command::Deposit { cents: 7 };
        give(&place, &runtime, &deposit).await;
        let (_, cold) = metered(give(&place, &runtime.restarted(), &deposit)).await;
        let warm_runtime = runtime.restarted();
        give(&place, &warm_runtime, &deposit).await;
        let (_, warm) = metered(give(&place, &warm_runtime, &deposit)).await;
        assert_eq!(operations(&cold), ["query_items", "create_item"], "cold after {events}");
        assert_eq!(operations(&warm), ["create_item"], "warm after {events}");
        println!("after {events} events: {:.2} units cold, {:.2} warm", units(&cold), units(&warm));
        costs.push([units(&cold), units(&warm)]);
    }
    for [cold, warm] in &costs {
        assert!(*cold <= COLD_UNITS_MAX && *warm <= WARM_UNITS_MAX, "{costs:?}");
        assert!((cold - costs[0][0]).abs() < 1.0 && (warm - costs[0][1]).abs() < 1.0, "{costs:?}");
    }
}

pub(crate) async fn an_event_into_a_view_is_one_read_and_one_write() {
    let app = App::new("bank").decider::<Account>().projection::<Balances>();
    let (place, runtime) = bound(app).await;
    let account: StreamName = "account-1".parse().unwrap();
    for write in ["create_item", "replace_item", "replace_item"] {
        let receipt = give(&place, &runtime, &Command::Deposit { cents: 7 }).await;
        let event = event(&place, &account, receipt.version).await.unwrap();
        let trigger = Trigger::Events(vec![skyfold::Announced::Event(event)]);
        let (reply, charges) = metered(runtime.invoke("balances", trigger)).await;
        assert!(matches!(reply.unwrap(), Reply::Handled(failed) if failed.is_empty()));
        assert_eq!(operations(&charges), ["read_item", write]);
        println!("an event into a view: {:.2} units", units(&charges));
        assert!(units(&charges) <= VIEW_UNITS_MAX, "{charges:?}");
    }
}

/// The event of `stream` that has `version`.
pub(crate) async fn event(
    place: &Place,
    stream: &StreamName,
    version: Version,
) -> Result<RecordedEvent> {
    let read = place.ports().events;
    let newest = read.read(stream, Range::NEWEST, 1, Consistency::Strong).await?;
    let mut events = newest.commits.iter().flat_map(RecordedCommit::events);
    Ok(events.find(|event| event.version == version).unwrap())
}
