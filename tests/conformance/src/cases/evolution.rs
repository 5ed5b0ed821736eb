//! What earlier releases recorded is read alike by everything that reads, wherever it comes from.

use std::sync::Arc;

use skyfold::ports::FeedQuery;
use skyfold::{Announced, App, AsOf, ErrorKind, NewEvent, Ports, Version};

use super::bank::trouble;
use super::world::{by_reference, event, stream};
use super::{Bank, Case, World, cases};
use crate::domain::{AllTickets, Ticket, TicketEvent, TicketStory, TicketWatch};
use crate::faults::Altered;

pub(super) const CASES: &[Case] = cases![
    events_of_every_age_come_to_one_state,
    events_of_every_age_come_to_the_same_views,
    events_of_every_age_are_replayed_alike,
    a_saga_hears_events_of_every_age_alike,
    a_stored_state_is_continued_over_events_of_every_age,
    what_is_stored_stays_as_it_was_recorded,
    a_step_that_panics_is_an_error_that_names_the_event,
];

/// Events that five releases recorded, one after the other.
const RECORDED: [(&str, u32, &str); 8] = [
    ("Issued", 1, r#"{"name":"a concert"}"#),
    ("Coloured", 1, r#"{"colour":"red"}"#),
    ("Valued", 1, r#"{"euros":5}"#),
    ("Valued", 2, r#"{"cents":450}"#),
    ("Sized", 1, r#"[3,4]"#),
    ("Priced", 1, r#"{"cents":400}"#),
    ("Priced", 2, r#"{"cents":350,"currency":"GBP"}"#),
    ("Issued", 2, r#"{"title":"a play"}"#),
];

/// How this release tells them.
const TOLD: [&str; 8] = [
    "issued for a concert",
    "retired",
    "priced 500 EUR",
    "priced 450 EUR",
    "retired",
    "priced 400 EUR",
    "priced 350 GBP",
    "issued for a play",
];

fn recorded() -> Vec<NewEvent> {
    RECORDED.iter().map(|(event_type, schema, data)| event(event_type, *schema, data)).collect()
}

fn office(ports: &Ports) -> Bank {
    let app = App::new("office")
        .decider::<Ticket>()
        .projection::<TicketStory>()
        .projection::<AllTickets>()
        .saga::<TicketWatch>();
    Bank::of(app, ports.clone())
}

/// Records one event a commit in ticket 1. Returns what is announced of it.
async fn issue(world: &World) -> Vec<Announced> {
    let commits: Vec<_> = recorded()
        .into_iter()
        .enumerate()
        .map(|(nth, event)| world.commit_of(&nth.to_string(), vec![event]))
        .collect();
    world.fill(&stream("ticket-1"), &commits).await;
    world.news(&stream("ticket-1")).await
}

/// The ports without any state that was stored.
fn without_states(world: &World) -> Ports {
    let store = Altered::new(world.ports.events.clone()).stating(|_| None);
    Ports { events: Arc::new(store), ..world.ports.clone() }
}

fn reissue() -> TicketEvent {
    TicketEvent::Issued { title: "an opera".into() }
}

async fn state(office: &Bank, function: &str, at: AsOf) -> serde_json::Value {
    office.state(function, "1", at).await.unwrap().state.decode().unwrap()
}

async fn events_of_every_age_come_to_one_state(world: World) {
    issue(&world).await;
    let office = office(&world.ports);
    for version in 1..=8 {
        let told = state(&office, "ticket", AsOf::Version(Version(version as u64))).await;
        assert_eq!(told, serde_json::json!(TOLD[..version]));
    }
}

async fn events_of_every_age_come_to_the_same_views(world: World) {
    // One by one, all at once, by reference, and read from the store to fill a gap.
    for way in 0..4 {
        let world = world.another().await;
        let news = issue(&world).await;
        let references: Vec<_> = news.iter().map(by_reference).collect();
        let batches: Vec<&[Announced]> = match way {
            0 => news.chunks(1).collect(),
            1 => vec![&news],
            2 => vec![&references],
            _ => vec![&news[7..]],
        };
        let office = office(&world.ports);
        for batch in batches {
            office.handle("ticket-story", batch).await;
            office.handle("all-tickets", batch).await;
        }
        assert_eq!(office.view::<TicketStory>("1").await.unwrap(), TOLD, "in way {way}");
        assert_eq!(office.view::<AllTickets>("all").await.unwrap(), TOLD, "in way {way}");
    }
}

async fn events_of_every_age_are_replayed_alike(world: World) {
    issue(&world).await;
    let office = office(&world.ports);
    world
        .eventually("every commit", async || {
            (world.feed(&FeedQuery::default()).await.len() == RECORDED.len()).then_some(())
        })
        .await;
    for function in ["ticket-story", "all-tickets", "ticketwatch"] {
        office.runtime.redeliver(function, &FeedQuery::default()).await.unwrap();
    }
    assert_eq!(office.view::<TicketStory>("1").await.unwrap(), TOLD);
    assert_eq!(office.view::<AllTickets>("all").await.unwrap(), TOLD);
    let watched = state(&office, "ticketwatch", AsOf::Now).await;
    assert_eq!(watched["state"], serde_json::json!(TOLD));
}

async fn a_saga_hears_events_of_every_age_alike(world: World) {
    let news = issue(&world).await;
    office(&world.ports).handle("ticketwatch", &news[..4]).await;
    // The rest is heard by a process that must fold what was recorded of the first.
    let folding = office(&without_states(&world));
    folding.handle("ticketwatch", &news).await;
    let watched = state(&folding, "ticketwatch", AsOf::Now).await;
    assert_eq!(watched["state"], serde_json::json!(TOLD));
}

async fn a_stored_state_is_continued_over_events_of_every_age(world: World) {
    let ticket = stream("ticket-1");
    let cold = without_states(&world);
    for (nth, old) in recorded().into_iter().enumerate() {
        let head = world.head(&ticket).await;
        world.append(&head, &world.commit_of(&nth.to_string(), vec![old])).await.unwrap();
        // After each, a command by a process that may find a stored state, or by one that may not.
        let ports = if nth % 2 == 0 { &world.ports } else { &cold };
        let given = office(ports).give::<Ticket>("1", &format!("c{nth}"), &reissue()).await;
        given.unwrap();
    }
    let told: Vec<_> = TOLD.iter().flat_map(|told| [*told, "issued for an opera"]).collect();
    for ports in [&world.ports, &cold] {
        let state = state(&office(ports), "ticket", AsOf::Now).await;
        assert_eq!(state, serde_json::json!(told));
    }
}

async fn what_is_stored_stays_as_it_was_recorded(world: World) {
    let news = issue(&world).await;
    let office = office(&world.ports);
    for function in ["ticket-story", "all-tickets", "ticketwatch"] {
        office.handle(function, &news).await;
    }
    office.give::<Ticket>("1", "c", &reissue()).await.unwrap();
    let mut events = world.events(&stream("ticket-1")).await;
    let newest = events.pop().unwrap();
    assert_eq!((newest.event_type.as_str(), newest.schema), ("Issued", 2));
    for (event, (event_type, schema, data)) in events.iter().zip(RECORDED) {
        assert_eq!((event.event_type.as_str(), event.schema), (event_type, schema));
        assert_eq!(event.data.get(), data);
    }
}

async fn a_step_that_panics_is_an_error_that_names_the_event(world: World) {
    let office = office(&world.ports);
    let bad = event("Issued", 1, r#"{"name":7}"#);
    world.fill(&stream("ticket-bad"), &[world.commit_of("a", vec![bad])]).await;
    let good = issue(&world).await;
    let batch = [world.news(&stream("ticket-bad")).await, good].concat();
    for function in ["ticket-story", "all-tickets", "ticketwatch"] {
        let letters = office.set_aside(function, &batch).await;
        assert_eq!(letters.len(), 1, "{function}: {letters:?}");
        assert_eq!(trouble(&letters[0]), ("ticket-bad@1".into(), "corrupt"), "{function}");
        assert!(letters[0].error.contains("ticket-bad@1"), "{function}: {letters:?}");
    }
    let error = office.give::<Ticket>("bad", "b", &reissue()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    assert!(error.to_string().contains("ticket-bad@1"), "{error}");
    assert_eq!(world.events(&stream("ticket-bad")).await.len(), 1, "nothing is written");
    assert_eq!(office.view::<TicketStory>("1").await.unwrap(), TOLD, "others go on");
}
