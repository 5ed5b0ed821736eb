//! A stream that waited goes on where it stopped, whoever else is at work and whatever crashes.

use futures::future::join_all;
use skyfold::{Announced, App, DeadLetter, Discard, ErrorKind, LetterEvent, LetterStatus};

use super::bank::{account, deposit, tag, trouble};
use super::world::{event, stream};
use super::{Bank, Case, World, cases};
use crate::domain::{
    Account, Calm, Command, Fragile, LaterAccount, LaterFragile, Mended, Nervous, Tags,
};
use crate::faults::{Crash, Gate, Request, tapped};

pub(super) const CASES: &[Case] = cases![
    a_retry_goes_through_the_stream_in_its_order_to_its_end,
    a_retry_that_meets_another_event_waits_there_and_keeps_its_history,
    a_discarded_event_is_left_out_for_its_consumer_alone,
    a_discarded_event_is_left_out_of_views_of_many_streams,
    a_discarded_event_is_not_heard_by_the_saga,
    a_crash_at_any_write_of_setting_aside_loses_nothing,
    a_crash_at_any_write_of_a_retry_loses_and_doubles_nothing,
    a_crash_at_any_write_of_a_discard_is_made_good_by_another,
    retries_at_once_handle_each_event_once,
    what_is_delivered_while_a_retry_is_held_up_is_not_lost,
    an_older_release_that_fails_late_does_not_stop_the_stream_again,
    what_is_delivered_with_an_event_that_another_process_handles_meanwhile_is_not_lost,
    what_waits_behind_an_event_that_another_process_handles_meanwhile_is_not_lost,
];

/// The versions that the view of account 1 is to show after `count` events but those `left_out`.
fn all_but(count: u64, left_out: &[u64]) -> Vec<u64> {
    (1..=count).filter(|version| !left_out.contains(version)).collect()
}

/// `before` deposits, a jinx and `after` deposits in account 1.
async fn jinxed(world: &World, before: usize, after: usize) -> Vec<Announced> {
    let bank = world.bank();
    for n in 0..before {
        bank.accept("1", &format!("before-{n}"), &deposit(1)).await;
    }
    bank.accept("1", "jinx", &Command::Jinx).await;
    for n in 0..after {
        bank.accept("1", &format!("after-{n}"), &deposit(1)).await;
    }
    world.news(&account("1")).await
}

fn mended(world: &World) -> Bank {
    let app = App::new("bank").decider::<Account>().projection::<Mended>();
    Bank::of(app, world.ports.clone())
}

/// Tries the stream of account 1 again, and returns its letter as it is then.
async fn retry(bank: &Bank, function: &str) -> DeadLetter {
    let letters = bank.runtime.dead_letters();
    let letter = letters.about(function, &account("1")).await.unwrap().expect("there is a letter");
    letters.retry(&letter.id).await.unwrap()
}

fn reason() -> Discard {
    Discard { reason: "it never happened".into(), by: Some("ada".into()), event: None }
}

async fn a_retry_goes_through_the_stream_in_its_order_to_its_end(world: World) {
    // More than one page of commits, most of which nobody announces any more.
    let news = jinxed(&world, 2, 130).await;
    let bank = world.bank();
    bank.handle("fragile", &news[..5]).await;
    bank.handle("fragile", &news[90..91]).await;
    assert_eq!(bank.view::<Fragile>("1").await.unwrap(), [1, 2]);
    let letter = retry(&mended(&world), "fragile").await;
    assert_eq!((letter.status, letter.history.len()), (LetterStatus::Resolved, 2));
    assert_eq!(bank.view::<Fragile>("1").await.unwrap(), all_but(133, &[]));
    // What passed meanwhile comes late, and changes nothing.
    bank.handle("fragile", &news[50..]).await;
    bank.handle("fragile", &news[..1]).await;
    assert_eq!(bank.view::<Fragile>("1").await.unwrap(), all_but(133, &[]));
    assert_eq!(retry(&bank, "fragile").await, letter, "there is nothing left to try");
}

async fn a_retry_that_meets_another_event_waits_there_and_keeps_its_history(world: World) {
    let of = |id: &str, event| world.commit_of(id, vec![event]);
    let deposit = || event("Deposited", 2, r#"{"cents":1}"#);
    let commits = [
        of("a", deposit()),
        of("b", event("Frozen", 1, "null")),
        of("c", deposit()),
        of("d", event("Melted", 1, "null")),
        of("e", deposit()),
    ];
    world.fill(&account("1"), &commits).await;
    let news = world.news(&account("1")).await;
    let letter = world.bank().set_aside("fragile", &news).await.remove(0);
    assert_eq!(trouble(&letter), ("account-1@2".into(), "newer-release"));
    let app = App::new("bank").decider::<LaterAccount>().projection::<LaterFragile>();
    let later = Bank::of(app, world.ports.clone());
    let next = retry(&later, "fragile").await;
    assert_eq!(trouble(&next), ("account-1@4".into(), "newer-release"));
    assert_eq!((&next.id, next.attempts, next.history.len()), (&letter.id, 2, 2));
    assert_eq!(later.view::<LaterFragile>("1").await.unwrap(), [1, 2, 3]);
    let letters = later.runtime.dead_letters();
    let seen = Discard { event: letter.event().cloned(), ..reason() };
    let error = letters.discard(&letter.id, &seen).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "the operator has seen another event");
    let last = letters.discard(&letter.id, &reason()).await.unwrap();
    assert_eq!((last.status, last.history.len()), (LetterStatus::Discarded, 3));
    assert_eq!(later.view::<LaterFragile>("1").await.unwrap(), [1, 2, 3, 5]);
}

async fn a_discarded_event_is_left_out_for_its_consumer_alone(world: World) {
    let (news, bank) = (jinxed(&world, 1, 2).await, world.bank());
    let letter = bank.set_aside("fragile", &news).await.remove(0);
    let letter = bank.runtime.dead_letters().discard(&letter.id, &reason()).await.unwrap();
    let LetterEvent::Discarded { event, reason, by } = &letter.history[1].what else {
        panic!("{letter:?}")
    };
    assert_eq!(event.as_ref().unwrap().to_string(), "account-1@2");
    assert_eq!((reason.as_str(), by.as_deref()), ("it never happened", Some("ada")));
    assert_eq!(bank.view::<Fragile>("1").await.unwrap(), all_but(4, &[2]));
    bank.handle("fragile", &news).await;
    assert_eq!(bank.view::<Fragile>("1").await.unwrap(), all_but(4, &[2]));
    bank.handle("balances", &news).await;
    let shown = bank.view::<crate::domain::Balances>("1").await.unwrap();
    assert_eq!(shown.applied, all_but(4, &[]));
}

async fn a_discarded_event_is_left_out_of_views_of_many_streams(world: World) {
    let bank = world.bank();
    for (n, tags) in [&["x"][..], &["x", "jinx"], &["x"]].into_iter().enumerate() {
        bank.accept("1", &n.to_string(), &tag(tags)).await;
    }
    let news = world.news(&account("1")).await;
    let letter = bank.set_aside("tags", &news).await.remove(0);
    assert_eq!(trouble(&letter), ("account-1@2".into(), "corrupt"));
    let letter = bank.runtime.dead_letters().discard(&letter.id, &reason()).await.unwrap();
    assert_eq!(letter.status, LetterStatus::Discarded);
    bank.handle("tags", &news).await;
    let shown = bank.view::<Tags>("x").await.unwrap().events;
    assert_eq!(shown, ["account-1@1", "account-1@3"]);
}

async fn a_discarded_event_is_not_heard_by_the_saga(world: World) {
    let bank = world.bank();
    bank.accept("1", "a", &deposit(9)).await;
    let frozen = world.commit_of("b", vec![event("Frozen", 1, "null")]);
    let head = world.head(&account("1")).await;
    world.append(&head, &frozen).await.unwrap();
    let sent = r#"{"transfer":"t","to":"2","cents":1}"#;
    let commit = world.commit_of("c", vec![event("Sent", 1, sent)]);
    let head = world.head(&account("1")).await;
    world.append(&head, &commit).await.unwrap();
    let news = world.news(&account("1")).await;
    let letter = bank.set_aside("transfer", &news).await.remove(0);
    let of_transfer = stream("saga.transfer-t");
    assert!(world.events(&of_transfer).await.is_empty(), "it waits");
    let letter = bank.runtime.dead_letters().discard(&letter.id, &reason()).await.unwrap();
    assert_eq!(letter.status, LetterStatus::Discarded);
    assert_eq!(world.events(&of_transfer).await.len(), 1, "what follows was heard");
}

/// Two ways of keeping a place: in the view, and in a checkpoint.
const CONSUMERS: [&str; 2] = ["fragile", "tags"];

/// Events in account 1, one of which is poison to each of the consumers.
async fn poison_to_both(world: &World) -> Vec<Announced> {
    let bank = world.bank();
    for (n, tags) in [&["x"][..], &["x", "jinx"], &["x"]].into_iter().enumerate() {
        bank.accept("1", &n.to_string(), &tag(tags)).await;
    }
    bank.accept("1", "jinx", &Command::Jinx).await;
    world.news(&account("1")).await
}

async fn a_crash_at_any_write_of_setting_aside_loses_nothing(world: World) {
    for function in CONSUMERS {
        for at in 0.. {
            let mut happened = 0;
            for crash in Crash::around(at) {
                let world = world.another().await;
                let news = poison_to_both(&world).await;
                let doomed = Bank::new(tapped(world.ports.clone(), crash.clone()));
                doomed.deliver(function, &news).await;
                happened += usize::from(crash.has_happened());
                // What was not acknowledged comes again.
                let letters = world.bank().set_aside(function, &news).await;
                assert_eq!(letters.len(), 1, "{function} after {crash:?}");
                assert_eq!(trouble(&letters[0]).0, first_poison(function), "{crash:?}");
            }
            if happened == 0 {
                assert!(at >= 3, "views, the letter and the wait: {at} writes of {function}");
                break;
            }
        }
    }
}

/// The event that a consumer stops at.
fn first_poison(function: &str) -> String {
    format!("account-1@{}", if function == "tags" { 2 } else { 4 })
}

async fn a_crash_at_any_write_of_a_retry_loses_and_doubles_nothing(world: World) {
    for at in 0.. {
        let mut happened = 0;
        for crash in Crash::around(at) {
            let world = world.another().await;
            let news = jinxed(&world, 2, 3).await;
            world.bank().handle("fragile", &news).await;
            let app = App::new("bank").decider::<Account>().projection::<Mended>();
            let doomed = Bank::of(app, tapped(world.ports.clone(), crash.clone()));
            let letters = doomed.runtime.dead_letters();
            let letter = world.bank().letter("fragile", &account("1")).await.unwrap();
            let outcome = letters.retry(&letter.id).await;
            happened += usize::from(crash.has_happened());
            assert_eq!(outcome.is_err(), crash.has_happened(), "{crash:?}");
            // Beside another attempt, deliveries go on as well.
            let bank = mended(&world);
            bank.handle("fragile", &news[..2]).await;
            let letter = retry(&bank, "fragile").await;
            assert_eq!(letter.status, LetterStatus::Resolved, "{crash:?}");
            bank.handle("fragile", &news).await;
            assert_eq!(bank.view::<Mended>("1").await.unwrap(), all_but(6, &[]), "{crash:?}");
        }
        if happened == 0 {
            assert!(at >= 2, "the view and the letter are written: {at}");
            break;
        }
    }
}

async fn a_crash_at_any_write_of_a_discard_is_made_good_by_another(world: World) {
    for at in 0.. {
        let mut happened = 0;
        for crash in Crash::around(at) {
            let world = world.another().await;
            let news = jinxed(&world, 2, 3).await;
            let letter = world.bank().set_aside("fragile", &news).await.remove(0);
            let doomed = Bank::new(tapped(world.ports.clone(), crash.clone()));
            let outcome = doomed.runtime.dead_letters().discard(&letter.id, &reason()).await;
            happened += usize::from(crash.has_happened());
            assert_eq!(outcome.is_err(), crash.has_happened(), "{crash:?}");
            let bank = world.bank();
            bank.handle("fragile", &news).await;
            let letters = bank.runtime.dead_letters();
            let letter = letters.discard(&letter.id, &reason()).await.unwrap();
            assert!(!letter.is_waiting(), "{crash:?}: {letter:?}");
            let is_discard = |what: &LetterEvent| matches!(what, LetterEvent::Discarded { .. });
            assert!(letter.history.iter().any(|entry| is_discard(&entry.what)), "{crash:?}");
            let shown = bank.view::<Fragile>("1").await.unwrap();
            assert_eq!(shown, all_but(6, &[3]), "{crash:?}");
        }
        if happened == 0 {
            assert!(at >= 4, "reason, step, view and letter are written: {at}");
            break;
        }
    }
}

async fn retries_at_once_handle_each_event_once(world: World) {
    for _ in 0..10 {
        let world = world.another().await;
        let news = jinxed(&world, 2, 20).await;
        let letter = world.bank().set_aside("fragile", &news).await.remove(0);
        let racers = (0..4).map(|racer| {
            let (bank, id, news) = (mended(&world), letter.id.clone(), news.clone());
            tokio::spawn(async move {
                if racer == 3 {
                    // A live delivery of everything beside them.
                    return bank.handle("fragile", &news).await;
                }
                let retried = bank.runtime.dead_letters().retry(&id).await;
                let lost = retried.as_ref().is_err_and(|e| e.kind() == ErrorKind::Conflict);
                assert!(lost || !retried.unwrap().is_waiting());
            })
        });
        for racer in join_all(racers).await {
            racer.unwrap();
        }
        let bank = mended(&world);
        assert_eq!(retry(&bank, "fragile").await.status, LetterStatus::Resolved);
        assert_eq!(bank.view::<Mended>("1").await.unwrap(), all_but(23, &[]));
    }
}

async fn what_is_delivered_while_a_retry_is_held_up_is_not_lost(world: World) {
    let is_write: fn(&Request<'_>) -> bool = |request| matches!(request, Request::Write(_));
    let (news, bank) = (jinxed(&world, 1, 1).await, world.bank());
    let letter = bank.set_aside("fragile", &news).await.remove(0);
    let gate = Gate::first(is_write);
    let app = App::new("bank").decider::<Account>().projection::<Mended>();
    let slow = Bank::of(app, tapped(world.ports.clone(), gate.clone()));
    let held = tokio::spawn(async move {
        let retried = slow.runtime.dead_letters().retry(&letter.id).await;
        retried.unwrap().status
    });
    gate.arrived().await;
    // It has looked at the end of the stream, and the stream still waits.
    bank.accept("1", "meanwhile", &deposit(1)).await;
    bank.handle("fragile", &world.news(&account("1")).await[3..]).await;
    gate.release();
    assert_eq!(held.await.unwrap(), LetterStatus::Resolved);
    assert_eq!(bank.view::<Fragile>("1").await.unwrap(), all_but(4, &[]));
}

async fn an_older_release_that_fails_late_does_not_stop_the_stream_again(world: World) {
    let is_write: fn(&Request<'_>) -> bool = |request| matches!(request, Request::Write(_));
    // Held up before it writes the letter, and before it has the stream wait.
    for nth in 0..2 {
        let world = world.another().await;
        let news = jinxed(&world, 1, 2).await;
        world.bank().handle("fragile", &news[..1]).await;
        let gate = Gate::nth(nth, is_write);
        let slow = Bank::new(tapped(world.ports.clone(), gate.clone()));
        let batch = news[1..].to_vec();
        let held = tokio::spawn(async move { slow.handle("fragile", &batch).await });
        gate.arrived().await;
        let bank = mended(&world);
        bank.handle("fragile", &news).await;
        gate.release();
        held.await.unwrap();
        assert_eq!(bank.letter("fragile", &account("1")).await, None, "held at {nth}");
        bank.accept("1", "more", &deposit(1)).await;
        bank.handle("fragile", &world.news(&account("1")).await).await;
        assert_eq!(bank.view::<Mended>("1").await.unwrap(), all_but(5, &[]), "held at {nth}");
    }
}

async fn what_is_delivered_with_an_event_that_another_process_handles_meanwhile_is_not_lost(
    world: World,
) {
    let is_write: fn(&Request<'_>) -> bool = |request| matches!(request, Request::Write(_));
    // Held up before it writes the letter, and before it has the stream wait.
    for nth in 0..2 {
        let world = world.another().await;
        let news = jinxed(&world, 1, 2).await;
        world.bank().handle("fragile", &news[..1]).await;
        let gate = Gate::nth(nth, is_write);
        let slow = Bank::new(tapped(world.ports.clone(), gate.clone()));
        let batch = news[1..].to_vec();
        let held = tokio::spawn(async move { slow.handle("fragile", &batch).await });
        gate.arrived().await;
        let bank = mended(&world);
        bank.handle("fragile", &news[..2]).await;
        gate.release();
        held.await.unwrap();
        assert_eq!(bank.letter("fragile", &account("1")).await, None, "held at {nth}");
        assert_eq!(bank.view::<Mended>("1").await.unwrap(), all_but(4, &[]), "held at {nth}");
    }
}

async fn what_waits_behind_an_event_that_another_process_handles_meanwhile_is_not_lost(
    world: World,
) {
    let is_write: fn(&Request<'_>) -> bool = |request| matches!(request, Request::Write(_));
    let is_get: fn(&Request<'_>) -> bool = |request| matches!(request, Request::Get(_));
    let app = || App::new("bank").decider::<Account>();
    let news = jinxed(&world, 1, 2).await;
    let bank = Bank::of(app().saga::<Calm>(), world.ports.clone());
    bank.handle("bookkeeping", &news[..1]).await;
    // The older release has failed, and not yet said so, when the newer one handles the event.
    let (fails, looks, writes) =
        (Gate::first(is_write), Gate::nth(3, is_get), Gate::first(is_write));
    let ports = tapped(tapped(world.ports.clone(), fails.clone()), looks.clone());
    let (older, batch) = (Bank::of(app().saga::<Nervous>(), ports), news[1..2].to_vec());
    let failing = tokio::spawn(async move { older.handle("bookkeeping", &batch).await });
    fails.arrived().await;
    let ports = tapped(world.ports.clone(), writes.clone());
    let (newer, batch) = (Bank::of(app().saga::<Calm>(), ports), news[1..2].to_vec());
    let handling = tokio::spawn(async move { newer.handle("bookkeeping", &batch).await });
    writes.arrived().await;
    // Now the stream waits, for nothing, and so does what is delivered.
    fails.release();
    looks.arrived().await;
    bank.handle("bookkeeping", &news[2..]).await;
    writes.release();
    handling.await.unwrap();
    looks.release();
    failing.await.unwrap();
    assert_eq!(bank.letter("bookkeeping", &account("1")).await, None);
    assert_eq!(world.events(&stream("saga.bookkeeping-1")).await.len(), 4);
}
