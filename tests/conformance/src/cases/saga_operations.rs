//! An operator sees where each transaction of a saga is, and lets it ask again.

use std::time::Duration;

use skyfold::{ErrorKind, SagaInstance, SagaQuery, Version};

use super::bank::{account, deposit, open};
use super::world::id;
use super::{Bank, Case, Mailbox, World, cases};
use crate::domain::{Command, Transfer};
use crate::faults::{Gate, Request, tapped};

pub(super) const CASES: &[Case] = cases![
    a_transaction_is_listed_once_and_as_open_until_it_has_ended,
    a_transaction_that_goes_on_while_it_is_listed_is_listed,
    a_list_of_stuck_transactions_leaves_out_the_lively_ones,
    a_transaction_shows_what_it_heard_and_asked_for,
    a_transaction_whose_commands_were_lost_ends_after_a_retry,
    a_retry_asks_for_the_same_under_the_same_ids,
    what_is_unknown_is_told,
];

/// Sends 1 cent from account 1 by each of `transfers`; the saga hears of it, and what it asks for
/// is in the mailbox.
async fn sent(world: &World, mailbox: &Mailbox, transfers: &[&str]) -> Bank {
    let bank = Bank::new(mailbox.on(&world.ports));
    bank.accept("1", "open", &open("ada")).await;
    bank.accept("1", "fill", &deposit(100)).await;
    bank.accept("2", "open", &open("grace")).await;
    for transfer in transfers {
        let send = Command::Send { transfer: id(transfer), to: id("2"), cents: 1 };
        bank.accept("1", transfer, &send).await;
    }
    bank.handle("transfer", &world.news(&account("1")).await).await;
    bank
}

/// All transactions that `query` asks for, once the feed shows `count` of them, by id.
async fn listed(
    world: &World,
    bank: &Bank,
    query: &SagaQuery,
    count: usize,
) -> Vec<(String, bool, Version)> {
    world
        .eventually("the list", async || {
            let found = listed_at_once(bank, query).await;
            (found.len() == count).then_some(found)
        })
        .await
}

/// All transactions that `query` asks for and the feed shows now, by id.
async fn listed_at_once(bank: &Bank, query: &SagaQuery) -> Vec<(String, bool, Version)> {
    let (mut found, mut next): (Vec<SagaInstance>, Option<String>) = (vec![], None);
    loop {
        let sagas = bank.runtime.sagas();
        let page = sagas.list("transfer", query, next.as_deref()).await.unwrap();
        found.extend(page.items);
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    found.sort_by_key(|instance| instance.id.clone());
    found.into_iter().map(|i| (i.id.to_string(), i.has_ended, i.version)).collect()
}

fn all() -> SagaQuery {
    SagaQuery::default()
}

fn still_open() -> SagaQuery {
    SagaQuery { is_open: true, ..SagaQuery::default() }
}

async fn a_transaction_is_listed_once_and_as_open_until_it_has_ended(world: World) {
    let mailbox = Mailbox::default();
    let bank = sent(&world, &mailbox, &["a", "b"]).await;
    let waiting = |name: &str| (name.to_owned(), false, Version(1));
    let ended = |name: &str| (name.to_owned(), true, Version(3));
    assert_eq!(listed(&world, &bank, &still_open(), 2).await, [waiting("a"), waiting("b")]);
    mailbox.settle(&world, &bank, &["1", "2"]).await.unwrap();
    assert_eq!(listed(&world, &bank, &all(), 2).await, [ended("a"), ended("b")]);
    assert_eq!(listed(&world, &bank, &still_open(), 0).await, []);
}

async fn a_transaction_that_goes_on_while_it_is_listed_is_listed(world: World) {
    let mailbox = Mailbox::default();
    let bank = sent(&world, &mailbox, &["a"]).await;
    assert_eq!(listed(&world, &bank, &all(), 1).await.len(), 1);
    let gate = Gate::first(|request| match request {
        Request::Read(stream, ..) => stream.category() == "saga.transfer",
        _ => false,
    });
    let lister = Bank::new(tapped(world.ports.clone(), gate.clone()));
    let all = all();
    let go_on = async {
        gate.arrived().await;
        mailbox.settle(&world, &bank, &["1", "2"]).await.unwrap();
        gate.release();
    };
    let (found, ()) = futures::join!(listed_at_once(&lister, &all), go_on);
    assert_eq!(found, [("a".to_owned(), true, Version(3))]);
}

async fn a_list_of_stuck_transactions_leaves_out_the_lively_ones(world: World) {
    let mailbox = Mailbox::default();
    let bank = sent(&world, &mailbox, &["old"]).await;
    assert_eq!(listed(&world, &bank, &all(), 1).await.len(), 1);
    world.pass(Duration::from_secs(2)).await;
    let quiet_since = Some(bank.runtime.now());
    world.pass(Duration::from_millis(10)).await;
    let later = Command::Send { transfer: id("new"), to: id("2"), cents: 1 };
    bank.accept("1", "later", &later).await;
    bank.handle("transfer", &world.news(&account("1")).await).await;
    assert_eq!(listed(&world, &bank, &still_open(), 2).await.len(), 2);
    let stuck = SagaQuery { quiet_since, ..still_open() };
    assert_eq!(listed(&world, &bank, &stuck, 1).await, [("old".to_owned(), false, Version(1))]);
    let recent = SagaQuery { since: quiet_since, ..all() };
    assert_eq!(listed(&world, &bank, &recent, 1).await, [("new".to_owned(), false, Version(1))]);
}

async fn a_transaction_shows_what_it_heard_and_asked_for(world: World) {
    let mailbox = Mailbox::default();
    let bank = sent(&world, &mailbox, &["a"]).await;
    let sagas = bank.runtime.sagas();
    let instance = sagas.show("transfer", &id("a")).await.unwrap();
    assert_eq!((instance.has_ended, instance.version), (false, Version(1)));
    assert_eq!(instance.state.decode::<serde_json::Value>().unwrap()["heard"], 1);
    let records = sagas.records("transfer", &id("a"), Version::EMPTY).await.unwrap();
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].heard.as_ref().unwrap().to_string(), "account-1@3");
    assert_eq!(records[0].asked, mailbox.commands(), "as it was sent");
    assert!(sagas.records("transfer", &id("a"), Version(1)).await.unwrap().is_empty());
}

async fn a_transaction_whose_commands_were_lost_ends_after_a_retry(world: World) {
    let lost = Mailbox::default();
    drop(sent(&world, &lost, &["a"]).await);
    let mailbox = Mailbox::default();
    let bank = Bank::new(mailbox.on(&world.ports));
    mailbox.settle(&world, &bank, &["1", "2"]).await.unwrap();
    assert_eq!(listed(&world, &bank, &still_open(), 1).await.len(), 1, "nobody asks again");
    assert_eq!(bank.runtime.sagas().retry("transfer", &id("a")).await.unwrap(), 1);
    mailbox.settle(&world, &bank, &["1", "2"]).await.unwrap();
    bank.clock.shift(time::Duration::try_from(Transfer::PATIENCE).unwrap());
    mailbox.settle(&world, &bank, &["1", "2"]).await.unwrap();
    assert_eq!(listed(&world, &bank, &all(), 1).await, [("a".to_owned(), true, Version(3))]);
}

async fn a_retry_asks_for_the_same_under_the_same_ids(world: World) {
    let mailbox = Mailbox::default();
    let bank = sent(&world, &mailbox, &["a"]).await;
    let first = mailbox.commands();
    mailbox.settle(&world, &bank, &["1", "2"]).await.unwrap();
    let events = world.events(&account("1")).await.len() + world.events(&account("2")).await.len();
    let again = Mailbox::default();
    let bank = Bank::new(again.on(&world.ports));
    assert_eq!(bank.runtime.sagas().retry("transfer", &id("a")).await.unwrap(), 3);
    assert_eq!(again.commands()[..first.len()], first);
    again.settle(&world, &bank, &["1", "2"]).await.unwrap();
    let after = world.events(&account("1")).await.len() + world.events(&account("2")).await.len();
    assert_eq!(after, events, "nothing takes effect twice");
}

async fn what_is_unknown_is_told(world: World) {
    let bank = world.bank();
    let sagas = bank.runtime.sagas();
    for unknown in ["nothing", "account", "balances"] {
        let error = sagas.list(unknown, &all(), None).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    }
    let error = sagas.retry("transfer", &id("nobody")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    for wrong in ["", "x:", "60000:", "0"] {
        let error = sagas.list("transfer", &all(), Some(wrong)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{wrong}: {error}");
    }
}
