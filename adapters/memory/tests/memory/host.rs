//! What the local host does with work that fails, and how it runs live.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use skyfold::ports::QueuedCommand;
use skyfold::{
    App, CommandId, CommandRequest, DeadLetter, Error, ErrorKind, Payload, Runtime, Undone,
};
use skyfold_memory::{Memory, VirtualClock};

use crate::domain::{
    Account, Book, Carry, Counter, REMINDER, Totals, add, app, assert_consistent, id, send,
    superstitious_app,
};

/// How often something is looked at before it counts as never coming.
const LOOKS_MAX: u32 = 5_000;

/// Waits until `holds`, while everything else goes on.
async fn until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..LOOKS_MAX {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("never: {what}");
}

fn credit(nth: u32) -> QueuedCommand {
    credit_to("a", nth)
}

fn credit_to(account: &str, nth: u32) -> QueuedCommand {
    let command = Payload::encode(&Book::Credit { amount: 1 }).unwrap();
    let id_text = format!("credit-{nth}");
    let request = CommandRequest {
        stream: id(account),
        id: CommandId::new(id_text).unwrap(),
        command,
        expected: None,
        metadata: Default::default(),
    };
    QueuedCommand { category: "account".into(), request, due: None, timer: None }
}

async fn send_queued(runtime: &Runtime, command: QueuedCommand) {
    runtime.ports().queue.send(&[command]).await.pop().unwrap().unwrap();
}

/// How many events the stream `name` holds.
fn events(memory: &Memory, name: &str) -> usize {
    let dump = memory.dump().unwrap();
    dump.streams.iter().find(|stream| stream.stream == name).map_or(0, |s| s.events.len())
}

#[tokio::test]
async fn a_poison_event_is_set_aside_and_other_streams_go_on() {
    let memory = Memory::with_clock(VirtualClock::new());
    let runtime = superstitious_app().bind(memory.ports()).unwrap();
    for (nth, (counter, amount)) in [("bad", 13), ("good", 5), ("bad", 1)].into_iter().enumerate() {
        send(&runtime, add(nth as u64, counter, amount, "a")).await;
    }
    memory.settle(&runtime).await.unwrap();
    let letters = memory.dead_letters();
    // The second is the poison, and the third waits behind it.
    let [letter] = letters.as_slice() else { panic!("one for the stream: {letters:?}") };
    assert_eq!((letter.function.as_str(), letter.kind.as_str()), ("superstitious", "corrupt"));
    assert_eq!(letter.event().unwrap().to_string(), "counter-bad@2");
    assert!(letter.error.contains("one and 12 is 13"), "{letter:?}");
    let documents = memory.dump().unwrap().documents;
    let views = documents.iter().filter(|document| document.collection != DeadLetter::COLLECTION);
    let views = views.map(|view| (view.id.as_str(), view.body["view"].as_u64()));
    let views: Vec<_> = views.collect();
    assert_eq!(views, [("bad", Some(1)), ("good", Some(5))], "as far as the poison");
    let pending = memory.pending();
    assert!(pending.is_settled() && pending.dead_letters == 1, "{pending:?}");
}

#[tokio::test]
async fn a_queued_command_that_makes_no_sense_is_set_aside() {
    let memory = Memory::with_clock(VirtualClock::new());
    let runtime = app().bind(memory.ports()).unwrap();
    let mut command = credit(0);
    command.request.command = Payload::parse(r#"{"Steal":{}}"#).unwrap();
    send_queued(&runtime, command).await;
    send_queued(&runtime, QueuedCommand { category: "nobody".into(), ..credit(1) }).await;
    send_queued(&runtime, credit(2)).await;
    memory.settle(&runtime).await.unwrap();
    let letters = memory.dead_letters();
    let described = |letter: &DeadLetter| {
        let Undone::Command(queued) = &letter.undone else { panic!("a command: {letter:?}") };
        format!("{} {} {} {}", letter.function, letter.kind, queued.request.id, letter.stream)
    };
    let mut described: Vec<_> = letters.iter().map(described).collect();
    described.sort_unstable();
    let nobody = "nobody not-found credit-1 nobody-a";
    assert_eq!(described, ["account invalid credit-0 account-a", nobody]);
    assert_eq!(events(&memory, "account-a"), 1);
}

#[tokio::test]
async fn a_queued_command_that_is_refused_is_done() {
    let memory = Memory::with_clock(VirtualClock::new());
    let runtime = app().bind(memory.ports()).unwrap();
    let skyfold::Trigger::Command(request) = add(0, "c", 0, "a") else { unreachable!() };
    send_queued(
        &runtime,
        QueuedCommand { category: "counter".into(), request, due: None, timer: None },
    )
    .await;
    memory.settle(&runtime).await.unwrap();
    assert_eq!((memory.dead_letters(), events(&memory, "counter-c")), (vec![], 0));
}

/// An app whose accounts ask a service that fails `failures` times with `kind`.
fn app_with_edge(failures: u32, kind: ErrorKind) -> (App, Arc<AtomicU32>) {
    let asked = Arc::new(AtomicU32::new(0));
    let counter = asked.clone();
    let edge = move |command: Book, _| {
        let nth = counter.fetch_add(1, Ordering::SeqCst);
        async move {
            match nth < failures {
                true => Err(Error::new(kind, "the bank is closed")),
                false => Ok(command),
            }
        }
    };
    (App::new("counting").decider_with_edge::<Account, _>(edge), asked)
}

#[tokio::test]
async fn what_may_pass_is_tried_until_it_does() {
    for kind in [ErrorKind::Unavailable, ErrorKind::Throttled, ErrorKind::Unexpected] {
        let memory = Memory::with_clock(VirtualClock::new());
        let (app, asked) = app_with_edge(12, kind);
        let runtime = app.bind(memory.ports()).unwrap();
        send_queued(&runtime, credit(0)).await;
        memory.settle(&runtime).await.unwrap();
        assert_eq!((asked.load(Ordering::SeqCst), events(&memory, "account-a")), (13, 1));
        assert_eq!(memory.dead_letters(), []);
    }
}

#[tokio::test]
async fn settling_gives_up_with_the_reason_if_nothing_can_be_finished() {
    let memory = Memory::with_clock(VirtualClock::new());
    let (app, asked) = app_with_edge(u32::MAX, ErrorKind::Unavailable);
    let runtime = app.bind(memory.ports()).unwrap();
    send_queued(&runtime, credit(0)).await;
    let error = memory.settle(&runtime).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("the bank is closed"), "{error}");
    assert!(asked.load(Ordering::SeqCst) < 100, "it does not try for ever");
    assert_eq!((memory.pending().commands, memory.dead_letters()), (1, vec![]));
}

#[tokio::test]
async fn time_is_only_let_pass_as_far_as_asked() {
    let memory = Memory::with_clock(VirtualClock::new());
    let runtime = app().bind(memory.ports()).unwrap();
    send(&runtime, add(0, "c", 1, "a")).await;
    memory.settle_through_time(&runtime, REMINDER - Duration::from_secs(1)).await.unwrap();
    assert_eq!((events(&memory, "account-a"), runtime.now()), (1, VirtualClock::START));
    memory.settle_through_time(&runtime, REMINDER).await.unwrap();
    assert_eq!(events(&memory, "account-a"), 2);
    assert_eq!(runtime.now(), VirtualClock::START + REMINDER);

    let error = Memory::new().settle_through_time(&runtime, REMINDER).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_live_host_does_what_comes_and_what_becomes_due() {
    let clock = VirtualClock::new();
    let memory = Memory::with_clock(clock.clone());
    let runtime = app().bind(memory.ports()).unwrap();
    let host = tokio::spawn(memory.run(runtime.clone()));
    for nth in 0..30 {
        send(&runtime, add(nth, &format!("c{}", nth % 3), 2, "a")).await;
    }
    until("everything is credited", || events(&memory, "account-a") == 60).await;
    until("it is settled", || memory.pending().is_settled()).await;
    assert_eq!(memory.pending().delayed, 60);
    clock.advance(REMINDER);
    until("everyone is reminded", || events(&memory, "account-a") == 120).await;
    until("it is settled", || memory.pending().is_settled()).await;
    assert_consistent(&memory.dump().unwrap());
    host.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_live_host_tries_again_after_a_while_and_survives_a_panic() {
    let memory = Memory::new();
    let asked = Arc::new(AtomicU32::new(0));
    let counter = asked.clone();
    let edge = move |command: Book, _| {
        let nth = counter.fetch_add(1, Ordering::SeqCst);
        async move {
            assert_ne!(nth, 0, "the bank has collapsed");
            match nth {
                1 => Err(Error::new(ErrorKind::Unavailable, "the bank is closed")),
                _ => Ok(command),
            }
        }
    };
    let app = App::new("counting").decider_with_edge::<Account, _>(edge);
    let runtime = app.bind(memory.ports()).unwrap();
    let host = tokio::spawn(memory.run(runtime.clone()));
    let before = std::time::Instant::now();
    send_queued(&runtime, credit(0)).await;
    until("it is credited", || events(&memory, "account-a") == 1).await;
    assert!(before.elapsed() >= Duration::from_millis(300), "100 ms, and then 200");
    assert_eq!(asked.load(Ordering::SeqCst), 3);
    assert!(!host.is_finished());
    host.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_command_keeps_no_other_waiting() {
    let memory = Memory::new();
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let closed = gate.clone();
    let edge = move |command: Book, context: skyfold::Edge| {
        let closed = closed.clone();
        async move {
            if context.id.as_str() == "credit-0" {
                let _open = closed.acquire().await;
            }
            Ok(command)
        }
    };
    let app = App::new("counting").decider_with_edge::<Account, _>(edge);
    let runtime = app.bind(memory.ports()).unwrap();
    let host = tokio::spawn(memory.run(runtime.clone()));
    for (nth, account) in (0..).zip(["a", "b", "c", "a"]) {
        send_queued(&runtime, credit_to(account, nth)).await;
    }
    let credited = |account: &str| events(&memory, &format!("account-{account}"));
    until("the others are credited", || credited("b") + credited("c") == 2).await;
    until("they are done", || memory.pending().working == 1).await;
    let waiting = memory.pending().commands;
    assert_eq!(waiting, 1, "the other command of its own stream would only conflict");
    gate.add_permits(1);
    until("so is the slow one, and what waited", || credited("a") == 2).await;
    host.abort();
}

#[tokio::test]
async fn what_a_host_drops_comes_again_to_the_next() {
    let memory = Memory::new();
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let closed = gate.clone();
    let edge = move |command: Book, _| {
        let closed = closed.clone();
        async move {
            let _open = closed.acquire().await;
            Ok(command)
        }
    };
    let app = App::new("counting").decider_with_edge::<Account, _>(edge);
    let runtime = app.bind(memory.ports()).unwrap();
    send_queued(&runtime, credit(0)).await;
    let host = tokio::spawn(memory.run(runtime.clone()));
    until("it is at work", || memory.pending().working == 1).await;
    host.abort();
    until("it was given back", || memory.pending().commands == 1).await;
    gate.add_permits(1);
    memory.settle(&runtime).await.unwrap();
    assert_eq!(events(&memory, "account-a"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settling_beside_a_live_host_ends_when_all_is_done() {
    let memory = Memory::new();
    let app = App::new("counting")
        .decider::<Counter>()
        .decider_with_edge::<Account, _>(async |command: Book, _| {
            tokio::time::sleep(Duration::from_millis(1)).await;
            Ok(command)
        })
        .saga::<Carry>()
        .projection::<Totals>();
    let runtime = app.bind(memory.ports()).unwrap();
    let host = tokio::spawn(memory.run(runtime.clone()));
    for nth in 0..50 {
        send(&runtime, add(nth, &format!("c{}", nth % 3), 2, &format!("a{nth}"))).await;
        if nth % 10 == 9 {
            memory.settle(&runtime).await.unwrap();
            assert_eq!(events(&memory, &format!("account-a{nth}")), 2);
        }
    }
    host.abort();
}
