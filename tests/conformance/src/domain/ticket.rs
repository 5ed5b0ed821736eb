use std::convert::Infallible;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use skyfold::{
    Category, Decider, Effect, Projection, RecordedEvent, Route, Saga, StreamId, Subscription,
    Upcasters,
};

/// A ticket, whose events were recorded by many releases: some have other fields by now, some
/// another name, and some are recorded no more.
#[derive(Debug)]
pub struct Ticket;

/// What can happen to a ticket, and what it is asked to record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum TicketEvent {
    /// It was issued.
    Issued {
        /// What it is for. Schema 1 had a `name`.
        title: String,
    },
    /// It has a price. It was called `Valued`, which counted in `euros` at first.
    Priced {
        /// How many cents.
        cents: u64,
        /// Of which currency. Schema 1 knew one.
        currency: String,
    },
    /// Something that is recorded no more: `Coloured`, or `Sized`.
    Retired,
}

impl TicketEvent {
    /// The event in a few words.
    fn words(&self) -> String {
        match self {
            Self::Issued { title } => format!("issued for {title}"),
            Self::Priced { cents, currency } => format!("priced {cents} {currency}"),
            Self::Retired => "retired".into(),
        }
    }
}

impl Decider for Ticket {
    const CATEGORY: Category = "ticket";
    type State = Vec<String>;
    type Command = TicketEvent;
    type Event = TicketEvent;
    type Error = Infallible;

    fn decide(_: &Vec<String>, event: TicketEvent) -> Result<Vec<TicketEvent>, Infallible> {
        Ok(vec![event])
    }

    fn evolve(state: &mut Vec<String>, event: &TicketEvent) {
        state.push(event.words());
    }

    fn upcasters() -> Upcasters {
        Upcasters::default()
            .then("Issued", |data| {
                // A name that is no text is what no release ever wrote: the step panics at it.
                json!({ "title": data["name"].as_str().expect("a name") })
            })
            .then("Valued", |data| json!({ "cents": data["euros"].as_u64().unwrap_or(0) * 100 }))
            .renamed("Valued", "Priced")
            .then("Priced", |data| json!({ "cents": data["cents"], "currency": "EUR" }))
            .renamed("Coloured", "Retired")
            .renamed("Sized", "Retired")
    }
}

/// What happened to each ticket.
#[derive(Debug)]
pub struct TicketStory;

impl Projection for TicketStory {
    const NAME: &'static str = "ticket-story";
    type Input = TicketEvent;
    type View = Vec<String>;

    fn subscription() -> Subscription<TicketEvent> {
        Subscription::of::<Ticket>()
    }

    fn project(
        _: &str,
        view: Option<Vec<String>>,
        event: &RecordedEvent<TicketEvent>,
    ) -> Option<Vec<String>> {
        let mut story = view.unwrap_or_default();
        story.push(event.data.words());
        Some(story)
    }
}

/// What happened to all tickets.
#[derive(Debug)]
pub struct AllTickets;

impl Projection for AllTickets {
    const NAME: &'static str = "all-tickets";
    type Input = TicketEvent;
    type View = Vec<String>;

    fn subscription() -> Subscription<TicketEvent> {
        Subscription::of::<Ticket>()
    }

    fn route() -> Route<TicketEvent> {
        Route::Keyed(|_| vec!["all".into()])
    }

    fn project(
        key: &str,
        view: Option<Vec<String>>,
        event: &RecordedEvent<TicketEvent>,
    ) -> Option<Vec<String>> {
        TicketStory::project(key, view, event)
    }
}

/// Remembers what happened to a ticket, and asks for nothing.
#[derive(Debug)]
pub struct TicketWatch;

impl Saga for TicketWatch {
    const NAME: &'static str = "ticketwatch";
    type Input = TicketEvent;
    type State = Vec<String>;

    fn subscription() -> Subscription<TicketEvent> {
        Subscription::of::<Ticket>()
    }

    fn correlate(event: &RecordedEvent<TicketEvent>) -> Option<StreamId> {
        Some(event.stream.id())
    }

    fn react(state: &mut Vec<String>, event: &RecordedEvent<TicketEvent>) -> Vec<Effect> {
        state.push(event.data.words());
        vec![]
    }

    fn has_ended(_: &Vec<String>) -> bool {
        true
    }
}
