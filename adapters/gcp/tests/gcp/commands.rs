//! Commands by a topic and by a queue.

use std::sync::Arc;
use std::time::Duration;

use skyfold::ports::{Clock as _, QueuedCommand};
use skyfold::{Error, ErrorKind, Ports};
use skyfold_gcp::{Clients, Gcp, Names, Wire};
use skyfold_memory::VirtualClock;
use tonic::Status;

use crate::common::frames::refusal;
use crate::common::{IMMEDIATE, Line, Services, names};
use crate::errors::queued;
use crate::script::{Script, Turn};

/// Ports with a topic for what is to run at once, over `weather`, and what they reach.
fn ports(weather: Script) -> (Ports, Services, VirtualClock) {
    let clock = VirtualClock::new();
    let services = Services::new(clock.clone());
    let nowhere = Wire::to("http://127.0.0.1:9").unwrap();
    let line = Line::new(nowhere, services.clone()).in_weather(Arc::new(weather));
    let wire = Wire::new(line);
    let clients = Clients { firestore: wire.clone(), pubsub: wire.clone(), tasks: wire };
    let names = Names { immediate: Some(IMMEDIATE.into()), ..names("p") };
    let gcp = Gcp::new(clients, names).with_clock(Arc::new(clock.clone()));
    (gcp.ports(), services, clock)
}

/// Commands of which every second one is due in an hour.
fn batch(clock: &VirtualClock) -> Vec<QueuedCommand> {
    let mut batch = queued(40);
    for command in batch.iter_mut().step_by(2) {
        command.due = Some(clock.now() + Duration::from_secs(3_600));
    }
    batch
}

pub(crate) async fn what_is_to_run_at_once_goes_by_the_topic_and_what_is_due_later_by_the_queue() {
    let script = Script::new("Publish", []);
    let (ports, services, clock) = ports(script.clone());
    let batch = batch(&clock);
    assert!(ports.queue.send(&batch).await.iter().all(Result::is_ok));
    assert_eq!(script.count(), 1, "one request takes them all");
    let (later, now): (Vec<_>, Vec<_>) = batch.into_iter().partition(|c| c.due.is_some());
    assert_eq!(services.post.due(), now);
    clock.advance(Duration::from_secs(3_600));
    let mut delivered = services.post.due();
    delivered.sort_by_key(|command| later.iter().position(|c| c == command));
    assert_eq!(delivered, later);
    // What was due is to run at once.
    assert!(ports.queue.send(&later).await.iter().all(Result::is_ok));
    assert_eq!((script.count(), services.post.due()), (2, later));
}

pub(crate) async fn what_the_topic_refuses_has_failed_and_nothing_else() {
    let refused = Turn::Before(Ok(refusal(Status::unavailable("try again"))));
    let (ports, services, clock) = ports(Script::new("Publish", [refused]));
    let outcomes = ports.queue.send(&batch(&clock)).await;
    for (nth, outcome) in outcomes.iter().enumerate() {
        let kind = outcome.as_ref().err().map(Error::kind);
        assert_eq!(kind, (nth % 2 == 1).then_some(ErrorKind::Unavailable), "{nth}");
    }
    clock.advance(Duration::from_secs(3_600));
    assert_eq!(services.post.due().len(), 20);
}
