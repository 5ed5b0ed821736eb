//! A saga records what it asks for before it asks, and asks for that alone.

use skyfold::ports::QueuedCommand;
use skyfold::{
    App, AsOf, CommandRequest, Decider, Effect, ErrorKind, Metadata, RecordedEvent, Saga, StreamId,
    Subscription, Trigger,
};

use super::bank::{account, deposit, request};
use super::world::{id, stream};
use super::{Bank, Case, Mailbox, World, cases};
use crate::domain::{Account, Command, Event, Transfer};
use crate::faults::{Crash, Fault, Faulty, Gate, Request, tapped};

pub(super) const CASES: &[Case] = cases![
    a_saga_asks_for_what_follows_from_an_event,
    a_redelivery_asks_for_the_same_under_the_same_ids,
    a_later_release_asks_for_what_was_recorded,
    a_crash_before_it_asked_is_made_good,
    a_crash_at_any_write_changes_nothing_that_is_asked_for,
    a_lost_answer_at_any_write_changes_nothing_that_is_asked_for,
    of_two_processes_at_once_one_decides_what_is_asked_for,
    two_events_of_one_transaction_at_once_are_both_heard_whichever_is_first,
    an_event_without_a_transaction_is_passed_over,
    a_delay_is_counted_from_the_record,
    a_saga_tells_its_state,
];

/// An account with 5 cents, which sends 3 of them to account 2 by the transfer `t`.
async fn sent(world: &World) -> Vec<skyfold::Announced> {
    let bank = world.bank();
    bank.accept("1", "a", &deposit(5)).await;
    let send = Command::Send { transfer: id("t"), to: id("2"), cents: 3 };
    let metadata = Metadata { correlation: Some("business".into()), ..Metadata::default() };
    let request = CommandRequest { metadata, ..request::<Account>("1", "b", &send) };
    bank.runtime.invoke("account", Trigger::Command(request)).await.unwrap();
    world.news(&account("1")).await
}

/// What the transfer `t` asks for, once it was sent.
fn is_asked_for(commands: &[QueuedCommand]) {
    let [receive, expire] = commands else { panic!("it asks for two things: {commands:?}") };
    let command = |command: &QueuedCommand| command.request.command.decode::<Command>().unwrap();
    let (transfer, from) = (id("t"), id("1"));
    let received = Command::Receive { transfer: transfer.clone(), from: from.clone(), cents: 3 };
    assert_eq!(command(receive), received);
    assert_eq!(command(expire), Command::Expire { transfer, from });
    for QueuedCommand { category, request, .. } in commands {
        assert_eq!((category.as_str(), &request.stream), (Account::CATEGORY, &id("2")));
        assert_eq!(request.metadata.correlation.as_deref(), Some("business"));
        assert_eq!(request.metadata.causation.as_deref(), Some("account-1@2"));
        assert_eq!(request.expected, None);
    }
    assert_eq!(receive.due, None);
    assert!(expire.due.is_some());
    assert_ne!(receive.request.id, expire.request.id);
}

fn of_transfer() -> skyfold::StreamName {
    stream("saga.transfer-t")
}

async fn a_saga_asks_for_what_follows_from_an_event(world: World) {
    let mailbox = Mailbox::default();
    let news = sent(&world).await;
    Bank::new(mailbox.on(&world.ports)).handle("transfer", &news).await;
    is_asked_for(&mailbox.commands());
    assert_eq!(world.events(&of_transfer()).await.len(), 1);
}

async fn a_redelivery_asks_for_the_same_under_the_same_ids(world: World) {
    let news = sent(&world).await;
    let (first, late) = (Mailbox::default(), Mailbox::default());
    Bank::new(first.on(&world.ports)).handle("transfer", &news[..1]).await;
    // The record is made and the process crashes before its checkpoint; others take over later.
    let doomed = tapped(first.on(&world.ports), Crash::before(3));
    assert_eq!(Bank::new(doomed).deliver("transfer", &news).await.len(), 2);
    for shift in [0, 3600, -3600] {
        let bank = Bank::new(tapped(late.on(&world.ports), Crash::before(2)));
        bank.clock.shift(time::Duration::seconds(shift));
        assert!(!bank.deliver("transfer", &news[1..]).await.is_empty());
    }
    is_asked_for(&first.commands());
    let again = late.commands();
    assert_eq!(again.len(), 6);
    for commands in again.chunks(2) {
        assert_eq!(commands, first.commands());
    }
    assert_eq!(world.events(&of_transfer()).await.len(), 1);
}

/// A later release of the saga, which would ask for something else.
struct LaterTransfer;

impl Saga for LaterTransfer {
    const NAME: &'static str = "transfer";
    type Input = Event;
    type State = ();

    fn subscription() -> Subscription<Event> {
        Transfer::subscription()
    }

    fn correlate(event: &RecordedEvent<Event>) -> Option<StreamId> {
        Transfer::correlate(event)
    }

    fn react((): &mut (), _: &RecordedEvent<Event>) -> Vec<Effect> {
        vec![Effect::send::<Account>(&id("3"), deposit(1_000_000))]
    }

    fn has_ended((): &()) -> bool {
        false
    }
}

fn later() -> App {
    App::new("bank").decider::<Account>().saga::<LaterTransfer>()
}

async fn a_later_release_asks_for_what_was_recorded(world: World) {
    let news = sent(&world).await;
    let mailbox = Mailbox::default();
    let doomed = tapped(mailbox.on(&world.ports), Crash::before(1));
    assert!(!Bank::new(doomed).deliver("transfer", &news).await.is_empty());
    assert_eq!(world.events(&of_transfer()).await.len(), 1, "it was recorded");
    assert_eq!(mailbox.commands(), [], "and not asked for");
    Bank::of(later(), mailbox.on(&world.ports)).handle("transfer", &news).await;
    is_asked_for(&mailbox.commands());
}

async fn a_crash_before_it_asked_is_made_good(world: World) {
    for crash in Crash::around(0) {
        let world = world.another().await;
        let (news, mailbox) = (sent(&world).await, Mailbox::default());
        let doomed = tapped(mailbox.on(&world.ports), crash.clone());
        assert!(!Bank::new(doomed).deliver("transfer", &news).await.is_empty());
        assert_eq!(mailbox.commands(), [], "nothing is asked for that was not recorded");
        Bank::new(mailbox.on(&world.ports)).handle("transfer", &news).await;
        is_asked_for(&mailbox.commands());
        assert_eq!(world.events(&of_transfer()).await.len(), 1);
    }
}

/// What was asked for, each under one id however often; what is due later comes last.
pub(super) fn distinct(mailbox: &Mailbox) -> Vec<QueuedCommand> {
    let mut commands: Vec<QueuedCommand> = vec![];
    for command in mailbox.commands() {
        match commands.iter().find(|known| known.request.id == command.request.id) {
            Some(known) => assert_eq!(*known, command, "one id is one command"),
            None => commands.push(command),
        }
    }
    commands.sort_by_key(|command| command.due);
    commands
}

async fn a_crash_at_any_write_changes_nothing_that_is_asked_for(world: World) {
    // The checkpoint of the first event, the record, two commands, the checkpoint of the second.
    for at in 0..5 {
        for crash in Crash::around(at) {
            let world = world.another().await;
            let (news, mailbox) = (sent(&world).await, Mailbox::default());
            let doomed = Bank::new(tapped(mailbox.on(&world.ports), crash.clone()));
            doomed.deliver("transfer", &news[..1]).await;
            doomed.deliver("transfer", &news[1..]).await;
            assert!(crash.has_happened(), "there is no write {at}");
            let bank = Bank::new(mailbox.on(&world.ports));
            bank.handle("transfer", &news).await;
            bank.handle("transfer", &news).await;
            is_asked_for(&distinct(&mailbox));
            assert_eq!(world.events(&of_transfer()).await.len(), 1, "{crash:?}");
        }
    }
}

async fn a_lost_answer_at_any_write_changes_nothing_that_is_asked_for(world: World) {
    // One that is tried again at once, and one that makes the delivery fail and come again.
    for kind in [ErrorKind::Unavailable, ErrorKind::Unexpected] {
        for (at, fault) in
            (0..5).flat_map(|at| [(at, Fault::Before(kind)), (at, Fault::After(kind))])
        {
            let world = world.another().await;
            let (news, mailbox) = (sent(&world).await, Mailbox::default());
            let mut script = vec![None; at];
            script.push(Some(fault));
            let faulty = Faulty::new(|request| request.is_write(), script);
            let bank = Bank::new(tapped(mailbox.on(&world.ports), faulty.clone()));
            for batch in [&news[..1], &news[1..]] {
                let failed = bank.deliver("transfer", batch).await;
                assert!(failed.is_empty() || kind == ErrorKind::Unexpected, "{failed:?}");
            }
            assert_eq!(faulty.left(), 0, "there is no write {at}");
            bank.handle("transfer", &news).await;
            is_asked_for(&distinct(&mailbox));
            assert_eq!(world.events(&of_transfer()).await.len(), 1, "{fault:?} at {at}");
        }
    }
}

async fn of_two_processes_at_once_one_decides_what_is_asked_for(world: World) {
    let (news, mailbox) = (sent(&world).await, Mailbox::default());
    // The slow one is of a later release, and has already decided.
    let gate = Gate::first(|request| matches!(request, Request::Append(..)));
    let slow = Bank::of(later(), tapped(mailbox.on(&world.ports), gate.clone()));
    let batch = news.clone();
    let held = tokio::spawn(async move { slow.deliver("transfer", &batch).await });
    gate.arrived().await;
    Bank::new(mailbox.on(&world.ports)).handle("transfer", &news).await;
    is_asked_for(&mailbox.commands());
    gate.release();
    assert!(held.await.unwrap().is_empty());
    assert_eq!(mailbox.commands().len(), 4, "the slow one asked once more");
    is_asked_for(&distinct(&mailbox));

    for _ in 0..10 {
        let world = world.another().await;
        let (news, mailbox) = (sent(&world).await, Mailbox::default());
        let racers = (0..4).map(|_| {
            let (bank, news) = (Bank::new(mailbox.on(&world.ports)), news.clone());
            tokio::spawn(async move { bank.handle("transfer", &news).await })
        });
        for racer in futures::future::join_all(racers).await {
            racer.unwrap();
        }
        is_asked_for(&distinct(&mailbox));
        assert_eq!(world.events(&of_transfer()).await.len(), 1);
    }
}

async fn two_events_of_one_transaction_at_once_are_both_heard_whichever_is_first(world: World) {
    for is_sender_slow in [true, false] {
        let (world, mailbox) = (world.another().await, Mailbox::default());
        let sender = sent(&world).await;
        let bank = Bank::new(mailbox.on(&world.ports));
        bank.accept("2", "open", &super::bank::open("bob")).await;
        // It arrives by hand before the saga has heard that it was sent.
        let receive = Command::Receive { transfer: id("t"), from: id("1"), cents: 3 };
        bank.accept("2", "receive", &receive).await;
        let receiver = world.news(&account("2")).await;
        let (slow, fast) = if is_sender_slow { (sender, receiver) } else { (receiver, sender) };
        let gate = Gate::first(|request| matches!(request, Request::Append(..)));
        let process = Bank::new(tapped(mailbox.on(&world.ports), gate.clone()));
        let held = tokio::spawn(async move { process.deliver("transfer", &slow).await });
        gate.arrived().await;
        bank.handle("transfer", &fast).await;
        gate.release();
        assert!(held.await.unwrap().is_empty());
        assert_eq!(world.events(&of_transfer()).await.len(), 2);
        let names = |queued: &QueuedCommand| match queued.request.command.decode().unwrap() {
            Command::Receive { .. } => "receive",
            Command::Expire { .. } => "expire",
            Command::Settle { .. } => "settle",
            other => panic!("nobody asks for {other:?}"),
        };
        let mut asked: Vec<_> = distinct(&mailbox).iter().map(names).collect();
        asked.sort_unstable();
        assert_eq!(asked, ["expire", "receive", "settle"]);
        mailbox.settle(&world, &bank, &["1", "2"]).await.unwrap();
        let state = bank.state("transfer", "t", AsOf::Now).await.unwrap();
        let state: serde_json::Value = state.state.decode().unwrap();
        assert_eq!((&state["hasEnded"], &state["state"]["heard"]), (&true.into(), &3.into()));
    }
}

async fn an_event_without_a_transaction_is_passed_over(world: World) {
    let mailbox = Mailbox::default();
    let bank = Bank::new(mailbox.on(&world.ports));
    bank.accept("1", "a", &deposit(5)).await;
    bank.handle("transfer", &world.news(&account("1")).await).await;
    assert_eq!(mailbox.commands(), []);
    let health = world
        .eventually("the commit", async || {
            let health = bank.runtime.health().await.unwrap();
            (health.commits > 0).then_some(health)
        })
        .await;
    let of_transfer = health.consumers.iter().find(|lag| lag.consumer == "transfer");
    assert_eq!(of_transfer.unwrap().behind, 0, "and counts as handled");
}

async fn a_delay_is_counted_from_the_record(world: World) {
    let (news, mailbox) = (sent(&world).await, Mailbox::default());
    let bank = Bank::new(mailbox.on(&world.ports));
    bank.handle("transfer", &news).await;
    let recorded = world.events(&of_transfer()).await.remove(0).time;
    assert_eq!(mailbox.commands()[1].due, Some(recorded + Transfer::PATIENCE));
    // Also where the clock of the process is behind what the transaction has seen.
    let send = Command::Send { transfer: id("t"), to: id("2"), cents: 1 };
    bank.accept("1", "c", &send).await;
    let news = world.news(&account("1")).await;
    let slow = Bank::new(mailbox.on(&world.ports));
    slow.clock.shift(time::Duration::hours(-1));
    slow.handle("transfer", &news).await;
    let recorded = world.events(&of_transfer()).await.remove(1).time;
    assert_eq!(mailbox.commands()[3].due, Some(recorded + Transfer::PATIENCE));
}

async fn a_saga_tells_its_state(world: World) {
    let (news, mailbox) = (sent(&world).await, Mailbox::default());
    let bank = Bank::new(mailbox.on(&world.ports));
    bank.accept("2", "open", &super::bank::open("bob")).await;
    bank.handle("transfer", &news).await;
    let told = async || {
        let told = bank.state("transfer", "t", AsOf::Now).await.unwrap();
        (told.version.0, told.state.decode::<serde_json::Value>().unwrap())
    };
    let (version, state) = told().await;
    assert_eq!((version, &state["hasEnded"]), (1, &serde_json::json!(false)));
    mailbox.settle(&world, &bank, &["1", "2"]).await.unwrap();
    let (version, state) = told().await;
    assert_eq!((version, &state["hasEnded"]), (3, &serde_json::json!(true)));
    assert_eq!(state["state"]["heard"], 3);
}
