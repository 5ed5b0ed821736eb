//! What the release recorded that knew `OrderPlaced` in version 1 is continued by this one: its
//! log, with the states in it, its views, and what it had set aside, as `tests/data/v1` holds them.

#![allow(clippy::unwrap_used, reason = "what is missing in a test fails it")]

mod upgraded;

use order::line::Returned;
use order::order::{Command, Order};
use order::payment::Payment;
use order::recipient::Recipient;
use order::sale::Basket;
use order::undoing::BroughtBack;
use serde_json::{Value, json};
use skyfold::{Decider, LetterStatus, Personal, Replay, StreamId};

use upgraded::{States, Upgraded, documents, log};

fn id(text: &str) -> StreamId {
    text.parse().unwrap()
}

/// The orders of the log.
const ORDERS: [&str; 6] = ["1000", "1001", "1002", "1003", "1004", "1005"];

#[test]
fn the_log_is_of_version_1_to_the_last_event() {
    let events: Vec<_> =
        log().into_iter().flat_map(|(_, commit)| commit.events().to_vec()).collect();
    assert!(events.iter().all(|event| event.schema == 1));
    let placed: Vec<_> = events.iter().filter(|event| event.event_type == "OrderPlaced").collect();
    assert_eq!(placed.len(), 5);
    assert!(placed.iter().all(|event| event.data.get().contains(r#""amount":"#)));
}

#[tokio::test]
async fn a_sale_of_version_1_is_read_with_its_bill() {
    let upgraded = Upgraded::new(States::Kept).await;
    let heard = upgraded.heard("fulfilment", "1000").await;
    assert!(heard.contains(r#""schema":1"#) && heard.contains(r#""amount":"96.10""#), "{heard}");
    let summary = upgraded.view("order-summary", "1000").await;
    assert_eq!((&summary["amount"], &summary["currency"]), (&json!("96.10"), &json!("GBP")));
    assert_eq!((&summary["takenBack"], &summary["status"]), (&json!("24.95"), &json!("returned")));
    assert_eq!(summary.get("recipient"), None, "nobody was named");
}

#[tokio::test]
async fn stored_states_of_version_1_are_those_that_its_events_come_to() {
    let (kept, dropped) = (Upgraded::new(States::Kept).await, Upgraded::new(States::Dropped).await);
    for function in [Order::CATEGORY, Payment::CATEGORY, "fulfilment"] {
        for order in ORDERS {
            let state = kept.state(function, order).await;
            assert_eq!(state, dropped.state(function, order).await, "{function} {order}");
        }
    }
    assert_eq!(kept.runtime.damaged_states(), 0, "they are taken, not ignored");
}

#[tokio::test]
async fn a_replay_of_version_1_comes_to_the_views_that_it_had() {
    let upgraded = Upgraded::with(States::Dropped, vec![]).await;
    let names = ["order-summary", "customer-orders", "sales-by-day", "sales-by-product"];
    for name in names {
        let model = upgraded.runtime.read_model(name).unwrap();
        let replayed = model.replay(&Replay::default(), |_| {}).await.unwrap();
        assert_eq!((replayed.unhandled, replayed.events > 0), (0, true), "{name}");
    }
    let mut compared = 0;
    for document in documents() {
        let Some((name, "1")) = document.collection.rsplit_once('.') else { continue };
        let view = &document.body["view"];
        // The last order was placed when the views were kept already, and adds to the sales.
        let is_whole = name == "order-summary" || name == "customer-orders";
        if names.contains(&name) && is_whole && !view.is_null() {
            assert_eq!(&upgraded.view(name, &document.id).await, view, "{name} {}", document.id);
            compared += 1;
        }
    }
    assert_eq!(compared, 8);
    let sales = upgraded.view("sales-by-product", "mug").await;
    assert_eq!(sales["amounts"], json!({ "GBP": "68.50" }), "{sales}");
}

#[tokio::test]
async fn what_version_1_left_undone_is_done() {
    let upgraded = Upgraded::new(States::Kept).await;
    let unheard = upgraded.view("order-summary", "1005").await;
    assert_eq!(unheard["status"], "confirmed", "the saga was driven by a sale of version 1");
    assert_eq!(unheard["amount"], "11.45");
    for command in [Command::Ship, Command::Deliver] {
        upgraded.give::<Order>("1003", command).await;
    }
    upgraded.settle().await;
    let payment = upgraded.state(Payment::CATEGORY, "1003").await;
    assert_eq!(payment["paid"], "captured", "its saga has gone on: {payment}");
    let lines = vec![Returned { product: id("kettle"), quantity: 1, unit_price: None }];
    let back = BroughtBack { lines, reason: "too small".into(), on: None };
    upgraded.give::<Order>("1003", Command::Return(back)).await;
    upgraded.settle().await;
    assert_eq!(upgraded.view("order-summary", "1003").await["takenBack"], "24.95");
    assert_eq!(upgraded.state(Payment::CATEGORY, "1003").await["left"], "19.85");
}

#[tokio::test]
async fn a_dead_letter_of_version_1_is_done_after_all() {
    let upgraded = Upgraded::new(States::Kept).await;
    let waiting = upgraded.runtime.dead_letters().list(&Default::default()).await.unwrap().items;
    let [letter] = &waiting[..] else { panic!("one letter waits: {waiting:?}") };
    assert_eq!(letter.stream.to_string(), "order-1003");
    let retried = upgraded.runtime.dead_letters().retry(&letter.id).await.unwrap();
    assert_eq!(retried.status, LetterStatus::Resolved, "{retried:?}");
    let shown = upgraded.view("customer-orders", "1003").await;
    assert_eq!((&shown["amount"], &shown["lines"]), (&json!("44.80"), &json!(3)), "{shown}");
    assert_eq!(shown["status"], "confirmed", "what came after it was waiting");
}

#[tokio::test]
async fn a_draft_of_version_1_is_placed_in_version_2() {
    let upgraded = Upgraded::new(States::Kept).await;
    let recipient = Recipient { name: "Ada".into(), address: "12 St James's Square".into() };
    let basket = Basket {
        customer: Some(id("ada")),
        recipient: Some(Personal::new(id("ada"), recipient)),
        currency: "GBP".parse().unwrap(),
        lines: vec![],
        on: None,
    };
    upgraded.give::<Order>("1004", Command::Place(basket)).await;
    upgraded.settle().await;
    let shown = upgraded.view("order-summary", "1004").await;
    assert_eq!((&shown["amount"], &shown["status"]), (&json!("27.80"), &json!("confirmed")));
    assert_eq!(shown["recipient"]["name"], "Ada", "{shown}");
    let newest = upgraded.newest("order-1004", "OrderPlaced").await;
    assert_eq!(newest.schema, 2);
    let data: Value = newest.data.decode().unwrap();
    assert_eq!(data["bill"], json!({ "amount": "27.80", "currency": "GBP" }));
}
