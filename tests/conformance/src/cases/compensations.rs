//! What undoes a transaction may fail as well: it is tried again, seen to be stuck, and never lost.

use skyfold::ports::QueuedCommand;
use skyfold::{Error, ErrorKind, LetterStatus, Reply, SagaInstance, SagaQuery, StreamId, Trigger};

use super::bank::{account, deposit, open};
use super::world::id;
use super::{Bank, Case, Mailbox, World, cases};
use crate::domain::{Command, Transfer};
use crate::faults::{Fault, Faulty, Request, tapped};

pub(super) const CASES: &[Case] = cases![
    a_compensation_that_fails_for_a_while_is_made_in_the_end,
    a_compensation_that_fails_for_good_is_a_letter_and_its_transaction_stuck_until_it_is_run,
    a_compensation_that_is_refused_leaves_its_transaction_stuck_until_it_is_asked_again,
];

/// Account 1 has sent all of its 4 cents to nobody, and the transfer has expired: what undoes it is
/// the one command in the mailbox that was not run.
async fn expired(world: &World, mailbox: &Mailbox) -> Bank {
    let bank = Bank::new(mailbox.on(&world.ports));
    bank.accept("1", "open", &open("ada")).await;
    bank.accept("1", "fill", &deposit(4)).await;
    let send = Command::Send { transfer: id("t"), to: id("nobody"), cents: 4 };
    bank.accept("1", "send", &send).await;
    bank.handle("transfer", &world.news(&account("1")).await).await;
    bank.clock.shift(time::Duration::try_from(Transfer::PATIENCE).unwrap());
    for command in mailbox.commands() {
        bank.runtime.invoke("account", Trigger::Queued(command)).await.unwrap();
    }
    bank.handle("transfer", &world.news(&account("nobody")).await).await;
    bank
}

fn refund(mailbox: &Mailbox) -> QueuedCommand {
    mailbox.commands().pop().unwrap()
}

/// The transfers that have not ended.
async fn unfinished(world: &World, bank: &Bank) -> Vec<StreamId> {
    let query = SagaQuery { is_open: true, ..SagaQuery::default() };
    let all = SagaQuery::default();
    let list = async |query: &SagaQuery| {
        let (mut found, mut next): (Vec<SagaInstance>, Option<String>) = (vec![], None);
        loop {
            let page = bank.runtime.sagas().list("transfer", query, next.as_deref()).await.unwrap();
            found.extend(page.items);
            next = page.next;
            if next.is_none() {
                return found;
            }
        }
    };
    world.eventually("the transfer", async || (!list(&all).await.is_empty()).then_some(())).await;
    list(&query).await.into_iter().map(|instance| instance.id).collect()
}

/// That the transfer has ended and the money is back, once.
async fn is_undone(world: &World, bank: &Bank) {
    bank.handle("transfer", &world.news(&account("1")).await).await;
    assert!(bank.runtime.sagas().show("transfer", &id("t")).await.unwrap().has_ended);
    let refunds = world.events(&account("1")).await;
    let refunds = refunds.iter().filter(|event| event.event_type == "Refunded").count();
    assert_eq!(refunds, 1);
}

async fn run(bank: &Bank, command: &QueuedCommand) -> Result<Reply, Error> {
    bank.runtime.invoke("account", Trigger::Queued(command.clone())).await
}

async fn a_compensation_that_fails_for_a_while_is_made_in_the_end(world: World) {
    let mailbox = Mailbox::default();
    let bank = expired(&world, &mailbox).await;
    let refund = refund(&mailbox);
    // More often than anything is tried again at once, with answers lost as well.
    let faults = [Fault::Before(ErrorKind::Unavailable), Fault::After(ErrorKind::Unavailable)];
    let script: Vec<_> = (0..40).map(|nth| Some(faults[usize::from(nth == 39)])).collect();
    let faulty = Faulty::new(|request| matches!(request, Request::Append(..)), script);
    let failing = Bank::new(tapped(mailbox.on(&world.ports), faulty.clone()));
    failing.clock.shift(time::Duration::minutes(1));
    let mut failures = 0;
    while let Err(error) = run(&failing, &refund).await {
        assert_eq!(error.kind(), ErrorKind::Unavailable, "the queue brings it again");
        assert_eq!(unfinished(&world, &bank).await, [id("t")]);
        failures += 1;
    }
    assert!(failures > 2 && faulty.left() == 0, "{failures} failures");
    run(&bank, &refund).await.unwrap();
    is_undone(&world, &bank).await;
}

async fn a_compensation_that_fails_for_good_is_a_letter_and_its_transaction_stuck_until_it_is_run(
    world: World,
) {
    let mailbox = Mailbox::default();
    let bank = expired(&world, &mailbox).await;
    let refund = refund(&mailbox);
    let letters = bank.runtime.dead_letters();
    let gone = Error::new(ErrorKind::Unavailable, "it was tried too often");
    let letter = letters.give_up_command(&refund, &gone).await.unwrap();
    assert_eq!(unfinished(&world, &bank).await, [id("t")]);
    assert!(letters.show(&letter).await.unwrap().is_waiting());
    for _ in 0..2 {
        let run = letters.retry(&letter).await.unwrap();
        assert_eq!(run.status, LetterStatus::Resolved, "{run:?}");
    }
    // Whoever asks again as well does no harm.
    bank.runtime.sagas().retry("transfer", &id("t")).await.unwrap();
    for command in mailbox.commands() {
        run(&bank, &command).await.unwrap();
    }
    is_undone(&world, &bank).await;
    assert_eq!(unfinished(&world, &bank).await, []);
}

async fn a_compensation_that_is_refused_leaves_its_transaction_stuck_until_it_is_asked_again(
    world: World,
) {
    let mailbox = Mailbox::default();
    let bank = expired(&world, &mailbox).await;
    bank.accept("1", "close", &Command::Close).await;
    let refund = refund(&mailbox);
    for _ in 0..2 {
        assert!(matches!(run(&bank, &refund).await, Ok(Reply::Refused(_))));
    }
    bank.handle("transfer", &world.news(&account("1")).await).await;
    assert_eq!(unfinished(&world, &bank).await, [id("t")]);
    bank.accept("1", "reopen", &open("ada")).await;
    let again = Mailbox::default();
    let restarted = Bank::new(again.on(&world.ports));
    restarted.clock.shift(time::Duration::minutes(1));
    restarted.runtime.sagas().retry("transfer", &id("t")).await.unwrap();
    for command in again.commands() {
        run(&restarted, &command).await.unwrap();
    }
    is_undone(&world, &restarted).await;
    assert_eq!(unfinished(&world, &restarted).await, []);
}
