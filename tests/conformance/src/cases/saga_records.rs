//! What a saga heard is recorded whole, read by what is known of it now, and asked for whole.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use skyfold::ports::QueuedCommand;
use skyfold::{App, Effect, Ports, RecordedEvent, Saga, StreamId, Subscription};

use super::bank::{account, note, trouble};
use super::sagas::distinct;
use super::world::{event, id};
use super::{Bank, Case, Mailbox, World, cases};
use crate::domain::{Account, Command, Event};
use crate::faults::Altered;

pub(super) const CASES: &[Case] = cases![
    a_saga_asks_for_more_than_one_batch,
    a_record_that_does_not_fit_stops_its_stream,
    old_events_are_upcast_before_they_are_heard,
];

/// Counts an account's deposits, and notes each time how many cents there were.
struct Thrift;

#[derive(Clone, Default, Serialize, Deserialize)]
struct Saved {
    cents: u64,
}

impl Saga for Thrift {
    const NAME: &'static str = "thrift";
    type Input = Event;
    type State = Saved;

    fn subscription() -> Subscription<Event> {
        Subscription::of::<Account>()
    }

    fn correlate(event: &RecordedEvent<Event>) -> Option<StreamId> {
        matches!(event.data, Event::Deposited { .. } | Event::Noted { .. })
            .then(|| event.stream.id())
    }

    fn react(state: &mut Saved, event: &RecordedEvent<Event>) -> Vec<Effect> {
        let send = |text: String| Effect::send::<Account>(&id("notes"), note(&text, 1));
        match &event.data {
            Event::Deposited { cents } => {
                state.cents += cents;
                vec![send(state.cents.to_string())]
            }
            // Echoes the text twice, or asks for as many commands as it says.
            Event::Noted { text } => match text.parse() {
                Ok(count) => (0..count).map(|n: u32| send(n.to_string())).collect(),
                Err(_) => vec![send(text.clone()), send(text.clone())],
            },
            _ => vec![],
        }
    }

    fn has_ended(state: &Saved) -> bool {
        state.cents >= 1000
    }
}

fn thrifty(ports: &Ports, mailbox: &Mailbox) -> Bank {
    let app = App::new("bank").decider::<Account>().saga::<Thrift>();
    Bank::of(app, mailbox.on(ports))
}

fn texts(mailbox: &Mailbox) -> Vec<String> {
    let text = |command: QueuedCommand| match command.request.command.decode().unwrap() {
        Command::Note { text, .. } => text,
        other => panic!("it asks for notes, not {other:?}"),
    };
    mailbox.commands().into_iter().map(text).collect()
}

async fn a_saga_asks_for_more_than_one_batch(world: World) {
    let mailbox = Mailbox::default();
    let bank = thrifty(&world.ports, &mailbox);
    bank.accept("1", "a", &note("250", 1)).await;
    bank.handle("thrift", &world.news(&account("1")).await).await;
    assert_eq!(texts(&mailbox), (0..250).map(|n| n.to_string()).collect::<Vec<_>>());
    assert_eq!(distinct(&mailbox).len(), 250, "under as many ids");
}

async fn a_record_that_does_not_fit_stops_its_stream(world: World) {
    let mailbox = Mailbox::default();
    let bank = thrifty(&world.ports, &mailbox);
    bank.accept("1", "a", &note(&"x".repeat(60_000), 1)).await;
    bank.accept("1", "b", &note(&"x".repeat(100_000), 1)).await;
    let news = world.news(&account("1")).await;
    bank.handle("thrift", &news[..1]).await;
    assert_eq!(mailbox.commands().len(), 2);
    let letters = bank.set_aside("thrift", &news[1..]).await;
    let letters: Vec<_> = letters.iter().map(trouble).collect();
    assert_eq!(letters, [("account-1@2".into(), "too-large")]);
    assert_eq!(mailbox.commands().len(), 2, "nothing is asked for");
}

async fn old_events_are_upcast_before_they_are_heard(world: World) {
    let events = vec![
        event("Deposited", 1, r#"{"euros":5}"#),
        event("Deposited", 2, r#"{"cents":7}"#),
        event("Deposited", 1, r#"{"euros":1}"#),
    ];
    world.fill(&account("1"), &[world.commit_of("a", events)]).await;
    let news = world.news(&account("1")).await;
    let mailbox = Mailbox::default();
    thrifty(&world.ports, &mailbox).handle("thrift", &news[..1]).await;
    // The rest is heard by a process that must fold what was recorded.
    let store = Altered::new(world.ports.events.clone()).stating(|_| None);
    let folding = Ports { events: Arc::new(store), ..world.ports.clone() };
    thrifty(&folding, &mailbox).handle("thrift", &news).await;
    assert_eq!(texts(&mailbox), ["500", "507", "607"]);
}
