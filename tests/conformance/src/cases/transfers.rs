//! Whole transactions end, one way or the other, and money is neither made nor lost.

use skyfold::{AsOf, Error};

use super::bank::{deposit, open};
use super::world::{id, stream};
use super::{Bank, Case, Mailbox, World, cases};
use crate::domain::{Balances, Command, State, Transfer};
use crate::faults::{Crash, tapped};

pub(super) const CASES: &[Case] = cases![
    #[needs(Bus, Queue)]
    a_transfer_arrives,
    #[needs(Bus, Queue, Delays)]
    a_transfer_to_nobody_comes_back,
    #[needs(Bus, Queue, Delays)]
    many_transfers_leave_as_much_money_as_there_was,
    a_transfer_arrives_after_a_crash_at_any_write,
    a_transfer_comes_back_after_a_crash_at_any_write,
];

/// Opens each account with 10 cents in it.
async fn fill(bank: &Bank, accounts: &[&str]) {
    for name in accounts {
        bank.accept(name, "open", &open(name)).await;
        bank.accept(name, "deposit", &deposit(10)).await;
    }
}

async fn send(bank: &Bank, transfer: &str, from: &str, to: &str, cents: u64) {
    let command = Command::Send { transfer: id(transfer), to: id(to), cents };
    bank.accept(from, transfer, &command).await;
}

/// What is in each account, and whether nothing is on its way.
async fn holds(bank: &Bank, accounts: &[&str]) -> (Vec<u64>, bool) {
    let (mut cents, mut is_settled) = (vec![], true);
    for name in accounts {
        let state = bank.state("account", name, AsOf::Now).await.unwrap();
        let state: State = state.state.decode().unwrap();
        cents.push(state.cents);
        is_settled &= state.sent.is_empty();
    }
    (cents, is_settled)
}

/// Whether the transfer has ended, and how many events it heard.
async fn ended(bank: &Bank, transfer: &str) -> (bool, u64) {
    let told = bank.state("transfer", transfer, AsOf::Now).await.unwrap();
    let state: serde_json::Value = told.state.decode().unwrap();
    (state["hasEnded"].as_bool().unwrap(), told.version.0)
}

async fn a_transfer_arrives(world: World) {
    let bank = world.bank();
    fill(&bank, &["1", "2"]).await;
    send(&bank, "t", "1", "2", 4).await;
    world.settle(&bank.runtime).await;
    assert_eq!(holds(&bank, &["1", "2"]).await, (vec![6, 14], true));
    assert_eq!(ended(&bank, "t").await, (true, 3));
    assert_eq!(bank.view::<Balances>("2").await.unwrap().cents, 14);
}

async fn a_transfer_to_nobody_comes_back(world: World) {
    let bank = world.bank();
    fill(&bank, &["1"]).await;
    send(&bank, "t", "1", "nobody", 4).await;
    world.settle(&bank.runtime).await;
    let (cents, is_settled) = holds(&bank, &["1"]).await;
    assert!(cents == [6] && !is_settled, "it waits for an answer: {cents:?}");
    world.pass(Transfer::PATIENCE).await;
    world.settle(&bank.runtime).await;
    assert_eq!(holds(&bank, &["1"]).await, (vec![10], true));
    assert_eq!(ended(&bank, "t").await, (true, 3));
}

async fn many_transfers_leave_as_much_money_as_there_was(world: World) {
    let bank = world.bank();
    let names: Vec<_> = (0..8).map(|n| n.to_string()).collect();
    let accounts: Vec<&str> = names.iter().map(String::as_str).collect();
    fill(&bank, &accounts).await;
    let mut random = fastrand::Rng::with_seed(21);
    let transfers: Vec<_> = (0..40).map(|n| format!("t{n}")).collect();
    let mut sent = vec![];
    for transfer in &transfers {
        let from = random.choice(&accounts).unwrap();
        let to = if random.u8(..4) == 0 { "nobody" } else { random.choice(&accounts).unwrap() };
        let command = Command::Send { transfer: id(transfer), to: id(to), cents: random.u64(1..4) };
        let reply = bank.send(from, transfer, &command).await.unwrap();
        if matches!(reply, skyfold::Reply::Accepted(_)) {
            sent.push(transfer);
        }
    }
    assert!(sent.len() > 20);
    world.settle(&bank.runtime).await;
    world.pass(Transfer::PATIENCE).await;
    world.settle(&bank.runtime).await;
    let (cents, is_settled) = holds(&bank, &accounts).await;
    assert_eq!((cents.iter().sum::<u64>(), is_settled), (80, true), "{cents:?}");
    for transfer in sent {
        assert_eq!(ended(&bank, transfer).await, (true, 3), "{transfer}");
    }
    let mut shown = 0;
    for name in accounts {
        shown += bank.view::<Balances>(name).await.unwrap().cents;
    }
    assert_eq!(shown, 80, "the views agree");
}

/// Sends 4 cents from account 1 to `to` and lets the transfer end, in processes of which each
/// crashes at a write further on than the one before it.
async fn crash_everywhere(world: &World, to: &str, expected: &[u64]) {
    let accounts = ["1", "2", "nobody"];
    for at in 0.. {
        let mut has_happened = false;
        for crash in Crash::around(at) {
            let world = world.another().await;
            fill(&world.bank(), &["1", "2"]).await;
            send(&world.bank(), "t", "1", to, 4).await;
            let mailbox = Mailbox::default();
            let ports = mailbox.on(&world.ports);
            let doomed = Bank::new(tapped(ports.clone(), crash.clone()));
            let _: Result<(), Error> = run(&world, &doomed, &mailbox, &accounts).await;
            has_happened |= crash.has_happened();
            run(&world, &Bank::new(ports), &mailbox, &accounts).await.unwrap();
            let what = format!("{crash:?}");
            assert_eq!(
                holds(&world.bank(), &["1", "2"]).await,
                (expected.to_vec(), true),
                "{what}"
            );
            assert_eq!(ended(&world.bank(), "t").await, (true, 3), "{what}");
            let records = world.events(&stream("saga.transfer-t")).await;
            assert_eq!(records.len(), 3, "each event was heard once, {what}");
        }
        if !has_happened {
            assert!(at > 8, "there are only {at} writes to crash at");
            return;
        }
    }
}

/// Lets everything happen that is due now, and then what is due later.
async fn run(
    world: &World,
    bank: &Bank,
    mailbox: &Mailbox,
    accounts: &[&str],
) -> Result<(), Error> {
    mailbox.settle(world, bank, accounts).await?;
    bank.clock.shift(time::Duration::try_from(Transfer::PATIENCE).expect("it is short"));
    mailbox.settle(world, bank, accounts).await
}

async fn a_transfer_arrives_after_a_crash_at_any_write(world: World) {
    crash_everywhere(&world, "2", &[6, 14]).await;
}

async fn a_transfer_comes_back_after_a_crash_at_any_write(world: World) {
    crash_everywhere(&world, "nobody", &[10, 10]).await;
}
