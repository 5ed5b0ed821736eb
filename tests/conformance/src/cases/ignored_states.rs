//! A stored state that is of another form, damaged or unreadable is as good as none.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::json;
use skyfold::{ErrorKind, Payload, StoredState, StreamName, Version};

use super::bank::{account, deposit, withdraw};
use super::snapshots::{BESIDE, BY_THE_KB, FLAT, fill, give, keep, knows, priced, stating};
use super::world::event;
use super::{Bank, Case, World, cases};
use crate::faults::{Fault, Faulty, Request, tapped};

pub(super) const CASES: &[Case] = cases![
    a_state_of_another_format_is_ignored,
    a_state_that_cannot_be_read_is_ignored,
    a_state_damaged_at_any_byte_is_ignored,
    a_snapshot_of_another_format_is_ignored,
    a_snapshot_that_the_store_cannot_read_is_ignored,
];

/// A bank at which a deposit of 5 cents was followed by one of 2 that carries `state`.
async fn with_state(world: &World, format: u32, state: &str) -> Bank {
    let state = Payload::parse(state).unwrap();
    let state = StoredState::new(&account("1"), Version(2), format, state);
    world.bank().accept("1", "a", &deposit(5)).await;
    let commit = world.commit_of("b", vec![event("Deposited", 2, r#"{"cents":2}"#)]);
    let head = world.head(&account("1")).await;
    world.append(&head, &commit.with_state(Some(state))).await.unwrap();
    world.bank()
}

/// Checks that there are 7 cents in the account, by what it accepts and refuses.
async fn holds_7_cents(world: &World, bank: &Bank, what: &str) {
    bank.refuse("1", "c", &withdraw(8)).await;
    let taken = bank.accept("1", "d", &withdraw(7)).await;
    assert_eq!(taken.version.0, 3, "{what}");
    bank.refuse("1", "e", &withdraw(1)).await;
    world.bank().refuse("1", "e", &withdraw(1)).await;
    world.bank().accept("1", "f", &deposit(0)).await;
}

/// A state that no events led to.
const WRONG: &str = r#"{"is_open":true,"cents":1000000,"sent":{},"over":{}}"#;

async fn a_state_of_another_format_is_ignored(world: World) {
    for format in [0, 2, u32::MAX] {
        let world = world.another().await;
        let bank = with_state(&world, format, WRONG).await;
        holds_7_cents(&world, &bank, &format!("format {format}")).await;
        assert_eq!(bank.runtime.damaged_states(), 0, "it is as it was stored");
    }
    // One of its own format is what spares the fold: else this case would show nothing.
    with_state(&world, 1, WRONG).await.accept("1", "c", &withdraw(1_000_000)).await;
}

async fn a_state_that_cannot_be_read_is_ignored(world: World) {
    for state in [
        "null",
        "[]",
        "{}",
        "1000000",
        "\"cents\"",
        r#"{"is_open":true,"cents":1000000}"#,
        r#"{"is_open":true,"cents":"1000000","sent":{},"over":{}}"#,
        r#"{"is_open":true,"cents":-1,"sent":{},"over":{}}"#,
        r#"{"is_open":true,"cents":1000000,"sent":{"a/b":1},"over":{}}"#,
        r#"{"is_open":true,"cents":1000000,"sent":{},"over":{"t":"Unknown"}}"#,
    ] {
        let world = world.another().await;
        let bank = with_state(&world, 1, state).await;
        holds_7_cents(&world, &bank, state).await;
    }
}

async fn a_snapshot_of_another_format_is_ignored(world: World) {
    for pricing in [FLAT, BY_THE_KB, BESIDE] {
        let world = world.another().await;
        let ports = priced(&world, pricing);
        fill(&Bank::new(ports.clone()), 40, 50).await;
        let empty = Payload::encode(&json!({ "texts": [] })).unwrap();
        let foreign = move |stream: &StreamName, version, state: StoredState| {
            Some(StoredState::new(stream, version, state.format + 1, empty.clone()))
        };
        knows(&stating(&ports, foreign), 40, 50).await;
        let garbled = |stream: &StreamName, version, state: StoredState| {
            let bytes = Payload::encode(&state.state.bytes()).unwrap();
            Some(StoredState::new(stream, version, state.format, bytes))
        };
        knows(&stating(&ports, garbled), 40, 50).await;
        knows(&ports, 40, 50).await;
    }
}

async fn a_state_damaged_at_any_byte_is_ignored(world: World) {
    // Nine commits with a state each, or a snapshot of eight of them.
    for (pricing, newest) in [(FLAT, 9), (BESIDE, 8)] {
        let world = world.another().await;
        let ports = priced(&world, pricing);
        fill(&Bank::new(ports.clone()), 9, 1).await;
        let mut parsed = 0;
        for nth in 0.. {
            let (length, offered) =
                (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
            let (see, offer) = (length.clone(), offered.clone());
            let damaged = stating(&ports, move |_, version, state| {
                if version != Version(newest) {
                    return Some(state);
                }
                let text = serde_json::to_string(&state).unwrap();
                see.store(text.len(), Ordering::Relaxed);
                let state = flipped(text, nth)?;
                offer.store(true, Ordering::Relaxed);
                Some(state)
            });
            let bank = Bank::new(damaged);
            let nothing = give(&bank, "again", &keep("5")).await;
            assert_eq!((nothing.version.0, nothing.events.len()), (9, 0), "byte {nth}");
            let offered = offered.load(Ordering::Relaxed);
            assert_eq!(bank.runtime.damaged_states() > 0, offered, "byte {nth} at {pricing:?}");
            parsed += u32::from(offered);
            if nth + 1 >= length.load(Ordering::Relaxed) {
                break;
            }
        }
        // What still parses is what would be believed.
        assert!(parsed > 20, "only {parsed} parsed at {pricing:?}");
    }
}

/// The state that `text` says once the lowest bit of its `nth` byte has turned over: a digit
/// becomes another.
fn flipped(text: String, nth: usize) -> Option<StoredState> {
    let mut bytes = text.into_bytes();
    *bytes.get_mut(nth)? ^= 1;
    serde_json::from_slice(&bytes).ok()
}

async fn a_snapshot_that_the_store_cannot_read_is_ignored(world: World) {
    let ports = priced(&world, BESIDE);
    fill(&Bank::new(ports.clone()), 20, 10).await;
    let is_snapshot = |request: &Request<'_>| matches!(request, Request::Snapshot(_));
    let corrupt = Faulty::new(is_snapshot, vec![Some(Fault::Before(ErrorKind::Corrupt)); 100]);
    knows(&tapped(ports, corrupt.clone()), 20, 10).await;
    assert!(corrupt.left() < 100, "no snapshot was asked for");
}
