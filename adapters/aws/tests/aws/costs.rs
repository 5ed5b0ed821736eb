use std::sync::Arc;
use std::time::Duration;

use conformance::Host as _;
use conformance::domain::{Account, Command};
use skyfold::{App, CommandId, CommandRequest, Payload, Reply, Runtime, StreamId, Trigger};
use skyfold_aws::Feed;

use crate::common::Place;
use crate::meter::{Meter, Reading};

/// Gives a command a second after the one before: an id that was not made later than those which
/// the stream has forgotten is looked up in its past.
async fn give(place: &Place, runtime: &Runtime, command: &Command) {
    place.pass(Duration::from_secs(1)).await.unwrap();
    let request = CommandRequest {
        stream: StreamId::new("1").unwrap(),
        id: CommandId::fresh(runtime.now()),
        command: Payload::encode(command).unwrap(),
        expected: None,
        metadata: Default::default(),
    };
    let reply = runtime.invoke("account", Trigger::Command(request)).await.unwrap();
    assert!(matches!(reply, Reply::Accepted(_)), "{reply:?}");
}

/// What one more command takes after `events` events: of a process that has not seen the stream,
/// and of one that has.
async fn readings(feed: Feed, events: usize) -> (Vec<Reading>, Vec<Reading>) {
    let meter = Meter::default();
    let weather = Arc::new(meter.clone());
    let place = Place::open_with(feed, |wire| wire.in_weather(weather)).await.unwrap();
    let app = App::new("bank").decider::<Account>();
    let runtime = app.bind(place.ports()).unwrap();
    let mut left = events;
    while left > 0 {
        let times = left.min(64);
        give(&place, &runtime, &Command::Note { text: "x".into(), times }).await;
        left -= times;
    }
    give(&place, &runtime, &Command::Deposit { cents: 7 }).await;
    meter.take();
    give(&place, &runtime.restarted(), &Command::Deposit { cents: 7 }).await;
    let cold = meter.take();
    give(&place, &runtime.restarted(), &Command::Deposit { cents: 7 }).await;
    let warm = runtime.restarted();
    give(&place, &warm, &Command::Deposit { cents: 7 }).await;
    meter.take();
    give(&place, &warm, &Command::Deposit { cents: 7 }).await;
    (cold, meter.take())
}

fn reading(operation: &str, table: f64, total: f64) -> Reading {
    Reading { operation: operation.into(), table, total }
}

#[tokio::test]
async fn a_command_takes_one_write_unit_and_cold_half_a_read_unit_whatever_the_length() {
    for events in [10, 100, 1_000, 10_000] {
        let (cold, warm) = readings(Feed::Scan, events).await;
        let put = reading("PutItem", 1.0, 1.0);
        assert_eq!(cold, [reading("Query", 0.5, 0.5), put.clone()], "cold after {events}");
        assert_eq!(warm, [put], "warm after {events}");
    }
}

#[tokio::test]
async fn the_index_of_the_feed_takes_one_write_unit_more() {
    let (cold, warm) = readings(Feed::Index, 100).await;
    let put = reading("PutItem", 1.0, 2.0);
    assert_eq!(cold, [reading("Query", 0.5, 0.5), put.clone()]);
    assert_eq!(warm, [put]);
}
