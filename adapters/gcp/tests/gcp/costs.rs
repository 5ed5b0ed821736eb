use std::sync::Arc;
use std::time::Duration;

use conformance::Host as _;
use conformance::domain::{Account, Balances, Command};
use skyfold::{
    App, CommandId, CommandRequest, Payload, Receipt, Reply, Runtime, StreamId, StreamName, Trigger,
};

use crate::common::Place;
use crate::meter::{Bill, Meter};

/// A place, what its requests are billed as, and an app on it.
async fn metered(app: App) -> (Place, Meter, Runtime) {
    let meter = Meter::default();
    let weather = Arc::new(meter.clone());
    let place = Place::open_with(|line| line.in_weather(weather)).await.unwrap();
    let runtime = app.bind(place.ports()).unwrap();
    (place, meter, runtime)
}

/// Gives a command a second after the one before: an id that was not made later than those which
/// the stream has forgotten is looked up in its past.
async fn give(place: &Place, runtime: &Runtime, command: &Command) -> Receipt {
    place.pass(Duration::from_secs(1)).await.unwrap();
    let request = CommandRequest {
        stream: StreamId::new("1").unwrap(),
        id: CommandId::fresh(runtime.now()),
        command: Payload::encode(command).unwrap(),
        expected: None,
        metadata: Default::default(),
    };
    match runtime.invoke("account", Trigger::Command(request)).await.unwrap() {
        Reply::Accepted(receipt) => receipt,
        reply => panic!("{reply:?}"),
    }
}

/// What one more command is billed as: of a process that has not seen the stream, and of one that
/// has.
async fn bills(place: &Place, meter: &Meter, runtime: &Runtime) -> (Vec<Bill>, Vec<Bill>) {
    give(place, runtime, &Command::Deposit { cents: 7 }).await;
    meter.take();
    give(place, &runtime.restarted(), &Command::Deposit { cents: 7 }).await;
    let cold = meter.take();
    let warm = runtime.restarted();
    give(place, &warm, &Command::Deposit { cents: 7 }).await;
    meter.take();
    give(place, &warm, &Command::Deposit { cents: 7 }).await;
    (cold, meter.take())
}

fn bill(method: &str, reads: usize, writes: usize) -> Bill {
    Bill { method: method.into(), reads, writes, deletes: 0 }
}

pub(crate) async fn a_command_is_one_write_and_cold_one_read_whatever_the_length() {
    for events in [10, 100, 1_000, 10_000] {
        let (place, meter, runtime) = metered(App::new("bank").decider::<Account>()).await;
        let mut left = events;
        while left > 0 {
            let times = left.min(64);
            give(&place, &runtime, &Command::Note { text: "x".into(), times }).await;
            left -= times;
        }
        let (cold, warm) = bills(&place, &meter, &runtime).await;
        let commit = bill("Commit", 0, 1);
        assert_eq!(cold, [bill("RunQuery", 1, 0), commit.clone()], "cold after {events}");
        assert_eq!(warm, [commit], "warm after {events}");
    }
}

pub(crate) async fn a_large_state_costs_no_more_than_a_small_one() {
    let (place, meter, runtime) = metered(App::new("bank").decider::<Account>()).await;
    give(&place, &runtime, &Command::Deposit { cents: 1_000 }).await;
    // An account remembers what was sent and has not arrived: some 15,000 bytes of state.
    for nth in 0..115 {
        let transfer = StreamId::new(format!("{nth:0120}")).unwrap();
        let send = Command::Send { transfer, to: StreamId::new("2").unwrap(), cents: 1 };
        give(&place, &runtime, &send).await;
    }
    let (cold, warm) = bills(&place, &meter, &runtime).await;
    assert_eq!(cold, [bill("RunQuery", 1, 0), bill("Commit", 0, 1)]);
    assert_eq!(warm, [bill("Commit", 0, 1)]);
}

pub(crate) async fn an_event_into_a_view_is_one_read_and_one_write() {
    let app = App::new("bank").decider::<Account>().projection::<Balances>();
    let (place, meter, runtime) = metered(app).await;
    let account: StreamName = "account-1".parse().unwrap();
    for round in 0..3 {
        let receipt = give(&place, &runtime, &Command::Deposit { cents: 7 }).await;
        let announced = skyfold::Announced::Event(event(&place, &account, receipt.version).await);
        meter.take();
        let trigger = Trigger::Events(vec![announced]);
        let reply = runtime.invoke("balances", trigger).await.unwrap();
        assert!(matches!(&reply, Reply::Handled(failed) if failed.is_empty()), "{reply:?}");
        let expected = [bill("BatchGetDocuments", 1, 0), bill("BatchWrite", 0, 1)];
        assert_eq!(meter.take(), expected, "round {round}");
    }
}

/// The event of `stream` that has `version`.
async fn event(
    place: &Place,
    stream: &StreamName,
    version: skyfold::Version,
) -> skyfold::RecordedEvent {
    use skyfold::ports::{Consistency, Range};
    let read = place.ports().events;
    let newest = read.read(stream, Range::NEWEST, 1, Consistency::Strong).await.unwrap();
    let events = newest.commits.iter().flat_map(skyfold::RecordedCommit::events);
    events.into_iter().find(|event| event.version == version).unwrap()
}
