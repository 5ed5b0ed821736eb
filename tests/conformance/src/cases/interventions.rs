//! An operator goes on without what a transaction cannot do, or does something on its behalf.

use skyfold::ports::QueuedCommand;
use skyfold::{
    App, ByHand, CommandId, Deed, Effect, ErrorKind, EventId, LetterStatus, Payload, Ports,
    RecordedEvent, Reply, Result, Saga, SagaRecord, SendRequest, SkipRequest, Skipped, StreamId,
    Subscription, Trigger, Version,
};

use super::bank::{account, note};
use super::world::{event, id};
use super::{Bank, Case, Mailbox, World, cases};
use crate::domain::{Account, Event};
use crate::faults::{Crash, Gate, Request, tapped};

pub(super) const CASES: &[Case] = cases![
    a_command_sent_by_hand_runs_once_however_often_it_is_sent,
    a_command_sent_by_hand_without_a_number_is_a_further_one,
    a_crash_at_any_write_of_sending_by_hand_neither_loses_nor_doubles_it,
    of_two_operators_at_once_each_sends_what_it_says,
    what_cannot_be_sent_by_hand_is_refused_before_it_is_recorded,
    a_skipped_event_is_left_out_and_what_follows_is_heard,
    a_crash_at_any_write_of_skipping_an_event_is_made_good_by_another,
    an_event_is_either_heard_or_skipped,
    an_event_that_nobody_can_read_is_skipped,
    a_skipped_command_is_asked_for_no_more,
    a_skipped_timer_never_runs,
    what_cannot_be_skipped_is_told,
];

/// Hears the notes of an account, and asks for what they say: `ask TEXT` leaves a note on the
/// account `notes`, `timer TEXT` does so after a minute, and `panic` is too much for it, unless it
/// is of the later release that is patient.
struct Clerk<const IS_PATIENT: bool>;

impl<const IS_PATIENT: bool> Saga for Clerk<IS_PATIENT> {
    const NAME: &'static str = "clerk";
    type Input = Event;
    type State = u64;

    fn subscription() -> Subscription<Event> {
        Subscription::of::<Account>()
    }

    fn correlate(event: &RecordedEvent<Event>) -> Option<StreamId> {
        let is_noted = matches!(event.data, Event::Noted { .. });
        Some(event.stream.id()).filter(|account| is_noted && *account != id("notes"))
    }

    fn react(heard: &mut u64, event: &RecordedEvent<Event>) -> Vec<Effect> {
        *heard += 1;
        let Event::Noted { text } = &event.data else { return vec![] };
        let leave = |text: &str| Effect::send::<Account>(&id("notes"), note(text, 1));
        match text.split_once(' ') {
            Some(("ask", text)) => vec![leave(text)],
            Some(("timer", text)) => {
                vec![leave(text).after(std::time::Duration::from_secs(60)).named("timer")]
            }
            _ if text == "panic" && !IS_PATIENT => panic!("too much"),
            _ => vec![],
        }
    }

    fn has_ended(_: &u64) -> bool {
        false
    }
}

fn clerk(ports: Ports) -> Bank {
    Bank::of(App::new("bank").decider::<Account>().saga::<Clerk<false>>(), ports)
}

/// A bank whose account 1 has these notes, all of which were delivered.
async fn noted(world: &World, mailbox: &Mailbox, texts: &[&str]) -> Bank {
    let bank = clerk(mailbox.on(&world.ports));
    for (nth, text) in texts.iter().enumerate() {
        bank.accept("1", &format!("n{nth}"), &note(text, 1)).await;
    }
    bank.handle("clerk", &world.news(&account("1")).await).await;
    bank
}

fn send(text: &str, number: Option<u64>) -> SendRequest {
    SendRequest {
        number,
        category: "account".into(),
        stream: id("notes"),
        command: Payload::encode(&note(text, 1)).unwrap(),
        after_seconds: 0,
        reason: "it was forgotten".into(),
        by: Some("office".into()),
    }
}

fn skip(skip: Skipped) -> SkipRequest {
    SkipRequest { skip, reason: "it is of no use".into(), by: None }
}

fn skip_event(event: &str) -> SkipRequest {
    skip(Skipped::Event(event.parse().unwrap()))
}

fn skip_command(queued: &QueuedCommand) -> SkipRequest {
    skip(Skipped::Command(queued.request.id.clone()))
}

/// Runs all that was sent, as a queue does that sends everything twice.
async fn run(bank: &Bank, mailbox: &Mailbox) {
    for command in mailbox.commands() {
        for _ in 0..2 {
            bank.runtime.invoke("account", Trigger::Queued(command.clone())).await.unwrap();
        }
    }
}

/// What is noted on the account `notes`.
async fn notes(world: &World) -> Vec<String> {
    let text = |event: &RecordedEvent| {
        event.data.decode::<serde_json::Value>().unwrap()["text"].as_str().unwrap().to_owned()
    };
    world.events(&account("notes")).await.iter().map(text).collect()
}

async fn records(bank: &Bank) -> Vec<SagaRecord> {
    bank.runtime.sagas().records("clerk", &id("1"), Version::EMPTY).await.unwrap()
}

async fn by_hand(bank: &Bank) -> Vec<ByHand> {
    records(bank).await.into_iter().filter_map(|record| record.by_hand).collect()
}

fn kind<T: std::fmt::Debug>(outcome: Result<T>) -> ErrorKind {
    outcome.unwrap_err().kind()
}

async fn a_command_sent_by_hand_runs_once_however_often_it_is_sent(world: World) {
    let mailbox = Mailbox::default();
    let bank = noted(&world, &mailbox, &["begin"]).await;
    let first = bank.runtime.sagas().send("clerk", &id("1"), &send("a", Some(7))).await.unwrap();
    assert!(!first.is_repeated);
    assert_eq!(first.record.to_string(), "saga.clerk-1@2");
    let queued = mailbox.commands().remove(0);
    assert_eq!(Some(&queued.request.id), first.sent.as_ref());
    assert_eq!(queued.request.metadata.causation.as_deref(), Some("saga.clerk-1@2"));
    bank.clock.shift(time::Duration::DAY);
    let again = clerk(mailbox.on(&world.ports));
    let repeated = again.runtime.sagas().send("clerk", &id("1"), &send("a", Some(7))).await;
    let repeated = repeated.unwrap();
    assert!(repeated.is_repeated);
    assert_eq!((&repeated.record, &repeated.sent), (&first.record, &first.sent));
    assert_eq!(bank.runtime.sagas().retry("clerk", &id("1")).await.unwrap(), 2);
    assert_eq!(mailbox.commands(), [queued.clone(), queued.clone(), queued]);
    run(&bank, &mailbox).await;
    assert_eq!(notes(&world).await, ["a"]);
    let other = bank.runtime.sagas().send("clerk", &id("1"), &send("b", Some(7))).await;
    assert_eq!(kind(other), ErrorKind::Duplicate);
    let told = by_hand(&bank).await;
    assert_eq!((told.len(), &told[0].did), (1, &Deed::Sent(7)));
    assert_eq!((&*told[0].reason, told[0].by.as_deref()), ("it was forgotten", Some("office")));
}

async fn a_command_sent_by_hand_without_a_number_is_a_further_one(world: World) {
    let mailbox = Mailbox::default();
    let bank = noted(&world, &mailbox, &["begin"]).await;
    for number in [Some(4), None, None] {
        bank.runtime.sagas().send("clerk", &id("1"), &send("a", number)).await.unwrap();
    }
    let later = SendRequest { after_seconds: 60, ..send("a", None) };
    bank.runtime.sagas().send("clerk", &id("1"), &later).await.unwrap();
    let numbers: Vec<_> = by_hand(&bank).await.into_iter().map(|by_hand| by_hand.did).collect();
    assert_eq!(numbers, [4, 5, 6, 7].map(Deed::Sent));
    assert_eq!(
        mailbox.commands()[3].due,
        Some(records(&bank).await[4].time + time::Duration::MINUTE)
    );
    run(&bank, &mailbox).await;
    assert_eq!(notes(&world).await, ["a", "a", "a"]);
    // The transaction goes on as if nothing had happened.
    bank.accept("1", "more", &note("ask b", 1)).await;
    let restarted = clerk(mailbox.on(&world.ports));
    restarted.handle("clerk", &world.news(&account("1")).await).await;
    let shown = restarted.runtime.sagas().show("clerk", &id("1")).await.unwrap();
    assert_eq!((shown.version, shown.state.decode::<u64>().unwrap()), (Version(6), 2));
}

async fn a_crash_at_any_write_of_sending_by_hand_neither_loses_nor_doubles_it(world: World) {
    for at in 0..2 {
        for crash in Crash::around(at) {
            let (world, mailbox) = (world.another().await, Mailbox::default());
            let bank = noted(&world, &mailbox, &["begin"]).await;
            let doomed = clerk(tapped(mailbox.on(&world.ports), crash.clone()));
            doomed.runtime.sagas().send("clerk", &id("1"), &send("a", Some(1))).await.unwrap_err();
            assert!(crash.has_happened());
            let again = bank.runtime.sagas().send("clerk", &id("1"), &send("a", Some(1))).await;
            again.unwrap();
            run(&bank, &mailbox).await;
            assert_eq!(notes(&world).await, ["a"], "{crash:?}");
            assert_eq!(by_hand(&bank).await.len(), 1, "{crash:?}");
        }
    }
}

async fn of_two_operators_at_once_each_sends_what_it_says(world: World) {
    let mailbox = Mailbox::default();
    let bank = noted(&world, &mailbox, &["begin"]).await;
    let gate = Gate::first(|request| matches!(request, Request::Append(..)));
    let slow = clerk(tapped(mailbox.on(&world.ports), gate.clone()));
    let held = tokio::spawn(async move {
        slow.runtime.sagas().send("clerk", &id("1"), &send("slow", None)).await
    });
    gate.arrived().await;
    bank.runtime.sagas().send("clerk", &id("1"), &send("fast", None)).await.unwrap();
    gate.release();
    assert_eq!(held.await.unwrap().unwrap().by_hand.did, Deed::Sent(2));
    run(&bank, &mailbox).await;
    assert_eq!(notes(&world).await, ["fast", "slow"]);
}

async fn what_cannot_be_sent_by_hand_is_refused_before_it_is_recorded(world: World) {
    let mailbox = Mailbox::default();
    let bank = noted(&world, &mailbox, &["begin"]).await;
    let sagas = bank.runtime.sagas();
    let command =
        |text: &str| SendRequest { command: Payload::parse(text).unwrap(), ..send("", None) };
    let long = "x".repeat(201);
    for (request, expected) in [
        (command(r#"{"Nothing":{}}"#), ErrorKind::Invalid),
        (command("7"), ErrorKind::Invalid),
        (SendRequest { category: "clerk".into(), ..send("a", None) }, ErrorKind::NotFound),
        (SendRequest { category: "nothing".into(), ..send("a", None) }, ErrorKind::NotFound),
        (SendRequest { reason: String::new(), ..send("a", None) }, ErrorKind::Invalid),
        (SendRequest { reason: long.clone(), ..send("a", None) }, ErrorKind::Invalid),
        (SendRequest { by: Some(long), ..send("a", None) }, ErrorKind::Invalid),
        (send(&"x".repeat(300_000), None), ErrorKind::Oversized),
    ] {
        assert_eq!(kind(sagas.send("clerk", &id("1"), &request).await), expected, "{request:?}");
    }
    assert_eq!(kind(sagas.send("clerk", &id("9"), &send("a", None)).await), ErrorKind::NotFound);
    assert_eq!(kind(sagas.send("account", &id("1"), &send("a", None)).await), ErrorKind::NotFound);
    assert_eq!((mailbox.commands(), by_hand(&bank).await), (vec![], vec![]));
    assert!(world.events(&"saga.clerk-9".parse().unwrap()).await.is_empty());
}

async fn a_skipped_event_is_left_out_and_what_follows_is_heard(world: World) {
    let mailbox = Mailbox::default();
    let bank = noted(&world, &mailbox, &["begin", "panic", "ask a", "ask b"]).await;
    assert!(bank.letter("clerk", &account("1")).await.is_some());
    assert_eq!(mailbox.commands(), []);
    let skipped = bank.runtime.sagas().skip("clerk", &id("1"), &skip_event("account-1@2")).await;
    assert_eq!(skipped.unwrap().record.to_string(), "saga.clerk-1@2");
    run(&bank, &mailbox).await;
    assert_eq!(notes(&world).await, ["a", "b"]);
    let about = bank.runtime.dead_letters().about("clerk", &account("1")).await.unwrap().unwrap();
    assert_eq!(about.status, LetterStatus::Discarded);
    let told: Vec<_> = records(&bank).await.into_iter().map(|record| record.heard).collect();
    let heard = |text: &str| Some(text.parse::<EventId>().unwrap());
    let all = [heard("account-1@1"), None, heard("account-1@3"), heard("account-1@4")];
    assert_eq!(told, all);
    // Done again, and delivered again, nothing changes.
    let again = bank.runtime.sagas().skip("clerk", &id("1"), &skip_event("account-1@2")).await;
    assert!(again.unwrap().is_repeated);
    clerk(mailbox.on(&world.ports)).handle("clerk", &world.news(&account("1")).await).await;
    assert_eq!(records(&bank).await.len(), 4);
}

async fn a_crash_at_any_write_of_skipping_an_event_is_made_good_by_another(world: World) {
    for at in 0.. {
        let mut has_happened = false;
        for crash in Crash::around(at) {
            let (world, mailbox) = (world.another().await, Mailbox::default());
            let bank = noted(&world, &mailbox, &["panic", "ask a"]).await;
            let request = skip_event("account-1@1");
            let doomed = clerk(tapped(mailbox.on(&world.ports), crash.clone()));
            let _ = doomed.runtime.sagas().skip("clerk", &id("1"), &request).await;
            has_happened |= crash.has_happened();
            bank.runtime.sagas().skip("clerk", &id("1"), &request).await.unwrap();
            run(&bank, &mailbox).await;
            assert_eq!(notes(&world).await, ["a"], "{crash:?}");
            assert_eq!(records(&bank).await.len(), 2, "{crash:?}");
            assert!(bank.letter("clerk", &account("1")).await.is_none(), "{crash:?}");
        }
        if !has_happened {
            assert!(at > 3, "there are only {at} writes to crash at");
            return;
        }
    }
}

async fn an_event_is_either_heard_or_skipped(world: World) {
    let is_record = |request: &Request<'_>| matches!(request, Request::Append(..));
    let patient =
        |ports| Bank::of(App::new("bank").decider::<Account>().saga::<Clerk<true>>(), ports);
    for is_skipped_first in [true, false] {
        let (world, mailbox) = (world.another().await, Mailbox::default());
        let bank = noted(&world, &mailbox, &["panic"]).await;
        let letter = bank.letter("clerk", &account("1")).await.unwrap().id;
        let gate = Gate::first(is_record);
        let held = tapped(mailbox.on(&world.ports), gate.clone());
        if is_skipped_first {
            let slow = patient(held);
            let retry =
                tokio::spawn(async move { slow.runtime.dead_letters().retry(&letter).await });
            gate.arrived().await;
            bank.runtime.sagas().skip("clerk", &id("1"), &skip_event("account-1@1")).await.unwrap();
            gate.release();
            retry.await.unwrap().unwrap();
        } else {
            let slow = clerk(held);
            let skip = tokio::spawn(async move {
                slow.runtime.sagas().skip("clerk", &id("1"), &skip_event("account-1@1")).await
            });
            gate.arrived().await;
            patient(mailbox.on(&world.ports)).runtime.dead_letters().retry(&letter).await.unwrap();
            gate.release();
            assert_eq!(kind(skip.await.unwrap()), ErrorKind::Conflict);
        }
        let told = records(&bank).await;
        assert_eq!((told.len(), told[0].heard.is_none()), (1, is_skipped_first));
        assert!(bank.letter("clerk", &account("1")).await.is_none());
    }
}

async fn an_event_that_nobody_can_read_is_skipped(world: World) {
    let mailbox = Mailbox::default();
    let bank = noted(&world, &mailbox, &["begin"]).await;
    let unreadable = event("Noted", 1, r#"{"text":7}"#);
    world.fill(&account("2"), &[world.commit_of("x", vec![unreadable])]).await;
    bank.handle("clerk", &world.news(&account("2")).await).await;
    let request = skip_event("account-2@1");
    let unknown = bank.runtime.sagas().skip("clerk", &id("9"), &request).await;
    assert_eq!(kind(unknown), ErrorKind::NotFound, "nobody begins a transaction by mistake");
    bank.runtime.sagas().skip("clerk", &id("1"), &request).await.unwrap();
    assert!(bank.letter("clerk", &account("2")).await.is_none());
    assert_eq!(by_hand(&bank).await.len(), 1);
}

async fn a_skipped_command_is_asked_for_no_more(world: World) {
    let mailbox = Mailbox::default();
    let bank = noted(&world, &mailbox, &["ask a", "ask b", "ask c"]).await;
    let [a, b, c] = &mailbox.commands()[..] else { panic!("three are asked for") };
    let letters = bank.runtime.dead_letters();
    let error = skyfold::Error::new(ErrorKind::Corrupt, "it cannot be run");
    let letter = letters.give_up_command(b, &error).await.unwrap();
    for _ in 0..2 {
        bank.runtime.sagas().skip("clerk", &id("1"), &skip_command(b)).await.unwrap();
    }
    assert_eq!(letters.show(&letter).await.unwrap().status, LetterStatus::Discarded);
    let later = Mailbox::default();
    let restarted = clerk(later.on(&world.ports));
    assert_eq!(restarted.runtime.sagas().retry("clerk", &id("1")).await.unwrap(), 4);
    assert_eq!(later.commands(), [a.clone(), c.clone()]);
    run(&restarted, &later).await;
    assert_eq!(notes(&world).await, ["a", "c"]);
    let done = bank.runtime.sagas().skip("clerk", &id("1"), &skip_command(a)).await;
    assert_eq!(kind(done), ErrorKind::Conflict, "it has taken effect");
}

async fn a_skipped_timer_never_runs(world: World) {
    let mailbox = Mailbox::default();
    let bank = noted(&world, &mailbox, &["timer a"]).await;
    let timer = mailbox.commands().remove(0);
    bank.runtime.sagas().skip("clerk", &id("1"), &skip_command(&timer)).await.unwrap();
    bank.clock.shift(time::Duration::minutes(2));
    let reply = bank.runtime.invoke("account", Trigger::Queued(timer)).await.unwrap();
    assert!(matches!(reply, Reply::Cancelled), "{reply:?}");
    assert!(notes(&world).await.is_empty());
}

async fn what_cannot_be_skipped_is_told(world: World) {
    let mailbox = Mailbox::default();
    let bank = noted(&world, &mailbox, &["begin", "panic"]).await;
    bank.accept("2", "n", &note("panic", 1)).await;
    bank.handle("clerk", &world.news(&account("2")).await).await;
    let sagas = bank.runtime.sagas();
    let no_reason = SkipRequest { reason: " \n".into(), ..skip_event("account-1@2") };
    let unknown = skip(Skipped::Command(CommandId::new("x").unwrap()));
    for (request, expected) in [
        (skip_event("account-1@1"), ErrorKind::Conflict),
        (skip_event("account-1@3"), ErrorKind::NotFound),
        (skip_event("account-2@1"), ErrorKind::Invalid),
        (no_reason, ErrorKind::Invalid),
        (unknown, ErrorKind::NotFound),
    ] {
        let outcome = sagas.skip("clerk", &id("1"), &request).await;
        assert_eq!(kind(outcome), expected, "{request:?}");
    }
    assert_eq!((records(&bank).await.len(), by_hand(&bank).await), (1, vec![]));
    assert!(bank.letter("clerk", &account("1")).await.is_some());
}
