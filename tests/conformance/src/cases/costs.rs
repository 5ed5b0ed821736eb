//! Nothing is read that nobody needs, and what fails is not asked for more often than helps.

use std::sync::Arc;

use skyfold::ports::{Guard, Write};
use skyfold::{CommandId, ErrorKind, Payload, Replay};
use time::Duration;

use super::bank::{account, deposit, open, trouble};
use super::replay::replay_as;
use super::{Bank, Case, World, cases};
use crate::domain::{Balances, Command};
use crate::faults::{Counted, Fault, Faulty, Request, tapped};

pub(super) const CASES: &[Case] = cases![
    of_a_gap_only_what_is_missing_is_read,
    an_old_id_is_looked_for_no_further_back_than_it_can_be,
    an_id_from_exactly_a_day_ahead_is_known_again,
    a_view_that_cannot_be_written_for_now_is_not_tried_event_by_event,
    a_view_that_others_write_all_the_time_is_tried_8_times,
    a_view_that_can_never_be_written_is_tried_once_for_all_and_once_for_the_first,
    a_view_that_cannot_be_read_is_set_aside,
    a_wait_that_cannot_be_noted_for_now_is_noted_at_the_next_delivery,
    what_cannot_be_looked_up_after_setting_aside_comes_again,
    a_replay_does_not_pass_what_waits_already,
];

/// More than is ever tried.
const MANY: usize = 1_000;

pub(super) fn always(kind: ErrorKind) -> impl Iterator<Item = Option<Fault>> {
    std::iter::repeat_n(Some(Fault::Before(kind)), MANY)
}

fn writes_balances(request: &Request<'_>) -> bool {
    matches!(request, Request::Write(write) if write.key.collection == "balances.1")
}

fn writes_fragile(request: &Request<'_>) -> bool {
    matches!(request, Request::Write(write) if write.key.collection == "fragile.1")
}

fn gets_fragile(request: &Request<'_>) -> bool {
    matches!(request, Request::Get(keys) if keys.iter().any(|key| key.collection == "fragile.1"))
}

/// A bank whose requests that `applies` picks fail by `script`.
pub(super) fn failing(
    world: &World,
    applies: fn(&Request<'_>) -> bool,
    script: impl IntoIterator<Item = Option<Fault>>,
) -> (Bank, Arc<Faulty>) {
    let faulty = Faulty::new(applies, script);
    (Bank::new(tapped(world.ports.clone(), faulty.clone())), faulty)
}

async fn of_a_gap_only_what_is_missing_is_read(world: World) {
    let counted = Counted::new();
    let bank = Bank::new(tapped(world.ports.clone(), counted.clone()));
    for n in 0..4 {
        bank.accept("1", &n.to_string(), &deposit(1)).await;
    }
    let news = world.news(&account("1")).await;
    for (delivery, reads) in [(&news[..2], None), (&news[3..], Some(1))] {
        counted.take();
        bank.handle("balances", delivery).await;
        let read = counted.take().get("read").map(|count| count.requests);
        assert_eq!(read, reads, "what is delivered in order is not read");
    }
    assert_eq!(bank.view::<Balances>("1").await.unwrap().applied, [1, 2, 3, 4]);
}

async fn an_old_id_is_looked_for_no_further_back_than_it_can_be(world: World) {
    let counted = Counted::new();
    let bank = Bank::new(tapped(world.ports.clone(), counted.clone()));
    let start = bank.runtime.now();
    let two_days_on = CommandId::derived(start + 2 * Duration::DAY, &["late"]);
    for days in [0, 3] {
        for n in 0..150 {
            let made = start + days * Duration::DAY + n * Duration::MILLISECOND;
            bank.accept("1", CommandId::derived(made, &["x"]).as_str(), &deposit(1)).await;
        }
        bank.clock.shift(3 * Duration::DAY);
    }
    counted.take();
    bank.accept("1", two_days_on.as_str(), &deposit(1)).await;
    // One page of the last 150 commits, and one that reaches those too old to be meant.
    assert_eq!(counted.take()["read"].requests, 2);
}

async fn an_id_from_exactly_a_day_ahead_is_known_again(world: World) {
    let bank = world.bank();
    let start = bank.runtime.now();
    let ahead = CommandId::derived(start + Duration::DAY, &["ahead"]);
    let first = bank.accept("1", ahead.as_str(), &deposit(5)).await;
    bank.accept("1", "b", &deposit(1)).await;
    bank.clock.shift(3 * Duration::DAY);
    for n in 0..100 {
        let made = start + 3 * Duration::DAY + n * Duration::MILLISECOND;
        bank.accept("1", CommandId::derived(made, &["x"]).as_str(), &deposit(1)).await;
    }
    let again = bank.accept("1", ahead.as_str(), &deposit(5)).await;
    assert_eq!((again.replayed, again.version), (true, first.version));
}

/// How often the view of an account is written until a delivery of `count` events is given up, all
/// of whose writes fail with `kind`; and the kind it is given up with.
async fn writes_in_vain(world: &World, count: u32, kind: ErrorKind) -> (usize, ErrorKind) {
    let world = world.another().await;
    for n in 0..count {
        world.bank().accept("1", &n.to_string(), &deposit(1)).await;
    }
    let (bank, faulty) = failing(&world, writes_balances, always(kind));
    let failed = bank.deliver("balances", &world.news(&account("1")).await).await;
    assert_eq!(failed.len(), count as usize, "all of it comes again");
    (MANY - faulty.left(), failed[0].error.kind())
}

async fn a_view_that_cannot_be_written_for_now_is_not_tried_event_by_event(world: World) {
    for kind in [ErrorKind::Unavailable, ErrorKind::Throttled] {
        let one = writes_in_vain(&world, 1, kind).await;
        assert_eq!(writes_in_vain(&world, 3, kind).await, one);
        assert_eq!(one.1, kind);
    }
}

async fn a_view_that_others_write_all_the_time_is_tried_8_times(world: World) {
    for count in [1, 3] {
        let tried = writes_in_vain(&world, count, ErrorKind::Conflict).await;
        assert_eq!(tried, (8, ErrorKind::Conflict));
    }
}

async fn a_view_that_can_never_be_written_is_tried_once_for_all_and_once_for_the_first(
    world: World,
) {
    for n in 0..3 {
        world.bank().accept("1", &n.to_string(), &deposit(1)).await;
    }
    let news = world.news(&account("1")).await;
    let (bank, faulty) = failing(&world, writes_balances, always(ErrorKind::Denied));
    let letters = bank.set_aside("balances", &news).await;
    assert_eq!(trouble(&letters[0]), ("account-1@1".into(), "denied"));
    // And once in vain to note that the stream waits.
    assert_eq!(MANY - faulty.left(), 3);
}

async fn a_view_that_cannot_be_read_is_set_aside(world: World) {
    let bank = world.bank();
    bank.accept("1", "a", &open("ada")).await;
    bank.accept("1", "b", &deposit(1)).await;
    let news = world.news(&account("1")).await;
    bank.handle("balances", &news[..1]).await;
    let key = skyfold::ports::DocumentKey { collection: "balances.1".into(), id: "1".into() };
    let body = Some(Payload::parse("7").unwrap());
    let garbage = Write { key, body, listings: vec![], guard: Guard::None, expires: None };
    world.write(garbage).await.unwrap();
    let letters = bank.set_aside("balances", &news[1..]).await;
    assert_eq!(letters.len(), 1, "it is acknowledged, and there is a letter");
    assert_eq!(letters[0].kind, "corrupt");
}

/// A deposit and what the projection `fragile` cannot handle, in account 1.
async fn jinxed(world: &World) -> Vec<skyfold::Announced> {
    world.bank().accept("1", "a", &deposit(1)).await;
    world.bank().accept("1", "b", &Command::Jinx).await;
    world.news(&account("1")).await
}

async fn a_wait_that_cannot_be_noted_for_now_is_noted_at_the_next_delivery(world: World) {
    let news = jinxed(&world).await;
    world.bank().handle("fragile", &news[..1]).await;
    let (bank, faulty) = failing(&world, writes_fragile, always(ErrorKind::Unavailable));
    assert_eq!(bank.deliver("fragile", &news[1..]).await.len(), 1, "it comes again");
    // As often as any one write that fails.
    let one = writes_in_vain(&world, 1, ErrorKind::Unavailable).await.0;
    assert_eq!(MANY - faulty.left(), one);
    let letter = world.bank().set_aside("fragile", &news[1..]).await.remove(0);
    assert_eq!(letter.attempts, 2);
    let waits = world.bank().set_aside("fragile", &news[1..]).await.remove(0);
    assert_eq!(waits.attempts, 2, "nobody tries what has to wait");
}

async fn what_cannot_be_looked_up_after_setting_aside_comes_again(world: World) {
    let news = jinxed(&world).await;
    let passing = || std::iter::repeat_n(None, MANY);
    let (bank, faulty) = failing(&world, gets_fragile, passing());
    bank.set_aside("fragile", &news).await;
    let gets = MANY - faulty.left();

    let world = world.another().await;
    let news = jinxed(&world).await;
    let but_the_last = passing().take(gets - 1).chain(always(ErrorKind::Unavailable));
    let (bank, _) = failing(&world, gets_fragile, but_the_last);
    assert_eq!(bank.deliver("fragile", &news).await.len(), 2);
}

async fn a_replay_does_not_pass_what_waits_already(world: World) {
    let news = jinxed(&world).await;
    world.bank().accept("1", "c", &deposit(1)).await;
    world.bank().set_aside("fragile", &news).await;
    world
        .eventually("every commit", async || {
            (world.feed(&Default::default()).await.len() == 3).then_some(())
        })
        .await;
    let replayed = replay_as(&world.bank(), "fragile", &Replay::default()).await.unwrap();
    assert_eq!((replayed.events, replayed.unhandled), (3, 1));
    let example = &replayed.examples[0];
    assert_eq!(example.event.stream, account("1"));
    assert!(example.why.contains("waits behind a dead letter"), "{}", example.why);
}
