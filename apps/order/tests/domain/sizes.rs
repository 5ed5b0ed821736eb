//! What is largest still fits into the limits that hold on every cloud.

use order::fulfilment::Fulfilment;
use order::heard::Heard;
use order::line::{
    COMMAND_LINES_MAX, DESCRIPTION_BYTES_MAX, LINE_QUANTITY_MAX, Line, LineKind, ORDER_LINES_MAX,
    PRODUCT_CHARS_MAX,
};
use order::order::{Command, Event, Order};
use order::recipient::{ADDRESS_BYTES_MAX, NAME_BYTES_MAX, Recipient};
use order::sale::{Basket, Part};
use order::views::OrderSummary;
use serde_json::Value;
use skyfold::limits::{
    COMMAND_BYTES_MAX, COMMIT_BYTES_MAX, DOCUMENT_BYTES_MAX, EVENT_BYTES_MAX, ID_CHARS_MAX,
};
use skyfold::{
    CommandId, Decider, Metadata, Payload, Personal, Projection, RecordedEvent, Saga, Version,
};
use time::OffsetDateTime;

use crate::say::{basket, because, id, money};

/// The longest order of the longest lines, each of another product.
fn longest() -> Vec<Line> {
    let line = |nth: usize| Line {
        product: id(&format!("{nth:0>PRODUCT_CHARS_MAX$}")),
        // A quotation mark takes two bytes as JSON.
        description: "\"".repeat(DESCRIPTION_BYTES_MAX),
        quantity: LINE_QUANTITY_MAX - 1,
        unit_price: money("0.9999"),
        kind: LineKind::Goods,
    };
    (0..ORDER_LINES_MAX).map(line).collect()
}

fn bytes<T: serde::Serialize>(value: &T) -> usize {
    Payload::encode(value).unwrap().bytes()
}

/// What happens when the longest order is placed.
fn placed() -> (<Order as Decider>::State, Vec<Event>) {
    let customer = Some(id(&"c".repeat(ID_CHARS_MAX)));
    let lines = longest();
    let (rest, parts) = lines.split_last_chunk::<COMMAND_LINES_MAX>().map(|(p, r)| (r, p)).unwrap();
    let mut commands: Vec<_> = parts
        .chunks(COMMAND_LINES_MAX)
        .map(|part| Command::AddLines(Part { lines: part.to_vec() }))
        .collect();
    let recipient = customer.clone().map(|customer| {
        let (name, address) = ("\"".repeat(NAME_BYTES_MAX), "\"".repeat(ADDRESS_BYTES_MAX));
        Personal::new(customer, Recipient { name, address })
    });
    commands.push(Command::Place(Basket { customer, recipient, ..basket(rest) }));
    let mut state = <Order as Decider>::State::default();
    let mut events = vec![];
    for command in commands {
        assert!(bytes(&command) <= COMMAND_BYTES_MAX);
        for event in Order::decide(&state, command).unwrap() {
            Order::evolve(&mut state, &event);
            events.push(event);
        }
    }
    (state, events)
}

/// An event as a saga records it.
fn recorded(stream: &str, data: &Event) -> RecordedEvent<Value> {
    RecordedEvent {
        stream: stream.parse().unwrap(),
        version: Version(1),
        event_type: "OrderPlacementFailed".into(),
        schema: 1,
        time: OffsetDateTime::UNIX_EPOCH,
        command: CommandId::new("x".repeat(ID_CHARS_MAX)).unwrap(),
        metadata: Metadata::default(),
        data: serde_json::to_value(data).unwrap(),
    }
}

#[test]
fn the_events_of_the_longest_order_fit() {
    let (state, mut events) = placed();
    events.extend(Order::decide(&state, Command::Cancel(because("late"))).unwrap());
    for event in events {
        assert!(bytes(&event) <= EVENT_BYTES_MAX, "{} bytes", bytes(&event));
    }
}

#[test]
fn the_view_of_the_longest_order_fits() {
    let (_, events) = placed();
    let mut view = None;
    for event in events {
        let id = "x".repeat(ID_CHARS_MAX);
        let event = recorded("order-1", &event).with_data(event);
        view = OrderSummary::project(&id, view, &event);
    }
    // Beside the view the document says which version it shows.
    let beside = 2 * 1024;
    let bytes = bytes(&view);
    assert!(bytes + beside <= DOCUMENT_BYTES_MAX, "{bytes} bytes");
}

#[test]
fn what_the_saga_of_the_longest_order_records_fits() {
    let (state, mut events) = placed();
    events.extend(Order::decide(&state, Command::Cancel(because("late"))).unwrap());
    let stream = format!("order-{}", "x".repeat(ID_CHARS_MAX));
    let mut state = <Fulfilment as Saga>::State::default();
    let mut react = |stream: &str, event: &Event, heard: Heard| {
        let event = recorded(stream, event);
        let asked = Fulfilment::react(&mut state, &event.clone().with_data(heard));
        let bytes = bytes(&event) + bytes(&asked) + "{heard:,asked:}".len() + 4;
        assert!(bytes <= COMMIT_BYTES_MAX, "{bytes} bytes");
        asked.len()
    };
    let mut asked = 0;
    for event in &events {
        asked += react(&stream, event, Heard::Order(event.clone()));
    }
    assert!(asked > 0, "it asks for something");
}
