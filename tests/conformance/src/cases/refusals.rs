//! What a caller is told rests on a state that is certainly the newest, whatever was read first.

use std::sync::Arc;

use skyfold::ports::EventStore;
use skyfold::{CommandRequest, Ports, Reply, Trigger, Version};

use super::bank::{account, deposit, open, receipt, request, withdraw};
use super::{Bank, Case, World, cases};
use crate::domain::{Account, Archive, ArchiveCommand, Command};
use crate::faults::{Altered, Stale, Staleness};

pub(super) const CASES: &[Case] = cases![
    a_stale_read_does_not_make_a_wrong_refusal,
    a_stale_read_does_not_make_a_wrong_acceptance,
    a_stale_read_does_not_make_a_command_do_nothing,
    a_stale_read_does_not_hide_an_earlier_attempt,
    a_stale_read_does_not_mistake_the_expected_version,
    a_warm_state_does_not_make_a_wrong_refusal,
    a_warm_state_does_not_make_a_wrong_acceptance,
    reads_that_go_backwards_do_not_mix_two_states,
    a_snapshot_newer_than_a_stale_read_is_not_mixed_with_it,
    pages_of_any_size_lead_to_the_same_state,
];

/// A process whose eventual reads do not show the `hidden` newest commits.
fn behind(world: &World, hidden: usize) -> Bank {
    let events = Stale::new(world.ports.events.clone(), hidden, Staleness::Always);
    Bank::new(Ports { events, ..world.ports.clone() })
}

async fn a_stale_read_does_not_make_a_wrong_refusal(world: World) {
    let bank = world.bank();
    bank.accept("1", "a", &open("ada")).await;
    bank.accept("1", "b", &deposit(5)).await;
    for (hidden, id) in [(1, "c"), (2, "d"), (9, "e")] {
        behind(&world, hidden).accept("1", id, &withdraw(1)).await;
    }
    behind(&world, 2).refuse("1", "f", &withdraw(3)).await;
    behind(&world, 9).refuse("1", "g", &open("bob")).await;
}

async fn a_stale_read_does_not_make_a_wrong_acceptance(world: World) {
    let bank = world.bank();
    bank.accept("1", "a", &deposit(5)).await;
    bank.accept("1", "b", &withdraw(4)).await;
    for hidden in [1, 2] {
        behind(&world, hidden).refuse("1", "c", &withdraw(4)).await;
    }
    behind(&world, 1).accept("1", "d", &withdraw(1)).await;
    assert_eq!(world.events(&account("1")).await.len(), 3);
}

async fn a_stale_read_does_not_make_a_command_do_nothing(world: World) {
    let bank = world.bank();
    bank.accept("1", "a", &deposit(5)).await;
    bank.accept("1", "b", &withdraw(4)).await;
    let receipt = behind(&world, 1).accept("1", "c", &Command::TopUp { cents: 5 }).await;
    assert_eq!((receipt.version.0, receipt.events.len()), (3, 1));
    let nothing = behind(&world, 1).accept("1", "d", &Command::TopUp { cents: 5 }).await;
    assert_eq!((nothing.version.0, nothing.events.len()), (3, 0), "it tells the newest version");
}

async fn a_stale_read_does_not_hide_an_earlier_attempt(world: World) {
    let bank = world.bank();
    let first = bank.accept("1", "a", &deposit(5)).await;
    bank.accept("1", "b", &withdraw(5)).await;
    for hidden in [1, 2] {
        for (id, command, version) in [("a", deposit(5), 1), ("b", withdraw(5), 2)] {
            let again = behind(&world, hidden).accept("1", id, &command).await;
            assert_eq!((again.replayed, again.version.0), (true, version));
        }
    }
    assert_eq!(first.version.0, 1);
    assert_eq!(world.events(&account("1")).await.len(), 2);
}

async fn a_stale_read_does_not_mistake_the_expected_version(world: World) {
    let bank = world.bank();
    bank.accept("1", "a", &deposit(5)).await;
    bank.accept("1", "b", &deposit(5)).await;
    let give = async |id: &str, expected: u64| {
        let request = request::<Account>("1", id, &deposit(1));
        let expected = Some(Version(expected));
        let trigger = Trigger::Command(CommandRequest { expected, ..request });
        behind(&world, 1).runtime.invoke("account", trigger).await
    };
    let error = give("c", 1).await.unwrap_err();
    assert_eq!(error.kind(), skyfold::ErrorKind::Conflict, "what it saw is not the newest");
    receipt(give("d", 2).await.unwrap());
    assert_eq!(world.events(&account("1")).await.len(), 3);
}

async fn a_warm_state_does_not_make_a_wrong_refusal(world: World) {
    let (warm, other) = (world.bank(), world.bank());
    warm.accept("1", "a", &deposit(5)).await;
    warm.accept("1", "b", &withdraw(5)).await;
    other.accept("1", "c", &deposit(3)).await;
    warm.accept("1", "d", &withdraw(3)).await;
    other.accept("1", "e", &deposit(3)).await;
    let nothing = warm.accept("1", "f", &Command::TopUp { cents: 3 }).await;
    assert_eq!((nothing.version.0, nothing.events.len()), (5, 0));
}

async fn a_warm_state_does_not_make_a_wrong_acceptance(world: World) {
    let (warm, other) = (world.bank(), world.bank());
    warm.accept("1", "a", &deposit(5)).await;
    other.accept("1", "b", &withdraw(5)).await;
    warm.refuse("1", "c", &withdraw(5)).await;
    assert_eq!(world.events(&account("1")).await.len(), 2);
}

async fn reads_that_go_backwards_do_not_mix_two_states(world: World) {
    // Two replicas take turns: the newest commit is read from one, and what came before it from
    // the other, which does not have that much yet.
    for hidden in 1..6 {
        for commits in 1..12 {
            let world = world.another().await;
            let archive = &world.bank();
            for n in 0..commits {
                let keep = ArchiveCommand::Keep { text: n.to_string() };
                receipt(archive.give::<Archive>("1", &n.to_string(), &keep).await.unwrap());
            }
            let stale = Stale::new(without_states(&world), hidden, Staleness::EverySecond);
            let bank = Bank::new(Ports { events: stale, ..world.ports.clone() });
            let again = ArchiveCommand::Keep { text: (commits - 1).to_string() };
            let nothing = receipt(bank.give::<Archive>("1", "x", &again).await.unwrap());
            let count = world.events(&"archive-1".parse().unwrap()).await.len();
            assert_eq!(
                (nothing.events.len(), count),
                (0, commits),
                "the text was kept twice, {hidden} of {commits} hidden"
            );
        }
    }
}

/// The event store of `world`, whose commits carry no states.
fn without_states(world: &World) -> Arc<dyn EventStore> {
    Arc::new(Altered::new(world.ports.events.clone()).stating(|_| None))
}

async fn a_snapshot_newer_than_a_stale_read_is_not_mixed_with_it(world: World) {
    // Every state is a snapshot, since none fits into a commit.
    let pricing = skyfold::ports::Pricing { state_bytes_max: 0, ..world.ports.events.pricing() };
    let store: Arc<dyn EventStore> =
        Arc::new(Altered::new(world.ports.events.clone()).priced(pricing));
    for commits in 6..30 {
        let world = world.another().await;
        let store = Altered::new(world.ports.events.clone()).priced(store.pricing());
        let ports = Ports { events: Arc::new(store), ..world.ports.clone() };
        let bank = Bank::new(ports.clone());
        for n in 0..commits {
            let keep = ArchiveCommand::Keep { text: n.to_string() };
            receipt(bank.give::<Archive>("1", &n.to_string(), &keep).await.unwrap());
        }
        for (hidden, staleness) in [(1, Staleness::Always), (5, Staleness::EverySecond)] {
            let stale = Stale::new(ports.events.clone(), hidden, staleness);
            let bank = Bank::new(Ports { events: stale, ..ports.clone() });
            for n in 0..commits {
                let keep = ArchiveCommand::Keep { text: n.to_string() };
                let id = format!("again-{hidden}-{n}");
                let nothing = bank.give::<Archive>("1", &id, &keep).await.unwrap();
                assert!(
                    matches!(&nothing, Reply::Accepted(receipt) if receipt.events.is_empty()),
                    "{n} of {commits}: {nothing:?}"
                );
            }
        }
    }
}

async fn pages_of_any_size_lead_to_the_same_state(world: World) {
    let bank = world.bank();
    for n in 0..25 {
        let note = Command::Note { text: "x".into(), times: 1 + n % 3 };
        bank.accept("1", &n.to_string(), &note).await;
        bank.accept("1", &format!("key-{n}"), &deposit(1)).await;
    }
    for size in [1, 2, 3, 7, 49, 50, 51] {
        let store = Altered::new(without_states(&world)).paged(size);
        let bank = Bank::new(Ports { events: Arc::new(store), ..world.ports.clone() });
        bank.refuse("1", &format!("x-{size}"), &withdraw(26)).await;
        let again = bank.accept("1", "key-0", &deposit(1)).await;
        assert!(again.replayed, "found in pages of {size}");
        bank.handle("balances", &world.news(&account("1")).await[70..]).await;
        let state = bank.state("account", "1", skyfold::AsOf::Now).await.unwrap();
        assert_eq!(state.state.decode::<crate::domain::State>().unwrap().cents, 25);
    }
    let view = world.bank().view::<crate::domain::Balances>("1").await.unwrap();
    assert!(view.applied.iter().copied().eq(1..=view.applied.len() as u64));
}
