//! A view fed by many streams applies each event once, however long ago it saw the stream.

use std::collections::BTreeSet;

use futures::future::join_all;
use skyfold::limits::BATCH_DOCUMENTS_MAX;
use skyfold::{Announced, ErrorKind};

use super::bank::{account, receipt, tag};
use super::world::stream;
use super::{Bank, Case, World, cases};
use crate::domain::{Archive, ArchiveCommand, Tags};
use crate::faults::{Counted, Crash, Fault, Faulty, Gate, Request, tapped};

pub(super) const CASES: &[Case] = cases![
    a_view_is_fed_by_streams_of_several_categories,
    one_event_changes_as_many_views_as_it_names,
    a_crash_at_any_write_loses_and_doubles_nothing,
    a_lost_answer_at_any_write_doubles_nothing,
    a_redelivery_after_200_other_streams_changes_nothing,
    a_crash_before_the_checkpoint_is_made_good_after_200_other_streams,
    every_stream_crashes_before_its_checkpoint_once,
    a_process_that_was_held_up_while_200_streams_passed_doubles_nothing,
    two_processes_at_once_apply_each_event_once,
    a_view_remembers_a_bounded_number_of_streams,
    a_stream_is_heard_of_again_after_it_was_forgotten,
];

/// Puts the tag `x` on the account `name`, under the command id `id`.
async fn tagged(world: &World, name: &str, id: &str) -> Vec<Announced> {
    world.bank().accept(name, id, &tag(&["x"])).await;
    world.news(&account(name)).await
}

/// Delivers one event of each of `names`, which are streams of their own, to the view of `x`.
async fn pass_by(world: &World, bank: &Bank, names: impl Iterator<Item = u32>) {
    for n in names {
        let name = n.to_string();
        bank.accept(&name, "a", &tag(&["x"])).await;
        bank.handle("tags", &world.news(&account(&name)).await).await;
    }
}

/// Checks that the view of `x` shows exactly `events`, each once.
async fn shows(bank: &Bank, events: impl IntoIterator<Item = String>, what: &str) {
    let found = bank.view::<Tags>("x").await.unwrap_or_default().events;
    let distinct: BTreeSet<_> = found.iter().cloned().collect();
    assert_eq!(distinct.len(), found.len(), "doubled, {what}: {found:?}");
    assert_eq!(distinct, events.into_iter().collect(), "{what}");
}

fn of_accounts(names: impl Iterator<Item = u32>) -> impl Iterator<Item = String> {
    names.map(|n| format!("account-{n}@1"))
}

async fn a_view_is_fed_by_streams_of_several_categories(world: World) {
    let bank = world.bank();
    let news = tagged(&world, "1", "a").await;
    let keep = ArchiveCommand::Keep { text: "x".into() };
    receipt(bank.give::<Archive>("1", "a", &keep).await.unwrap());
    let of_archive = world.news(&stream("archive-1")).await;
    bank.handle("tags", &[news, of_archive].concat()).await;
    shows(&bank, ["account-1@1".to_owned(), "archive-1@1".to_owned()], "of one id").await;
}

async fn one_event_changes_as_many_views_as_it_names(world: World) {
    let bank = world.bank();
    // More than one batch of documents, and some of them twice.
    let tags: Vec<_> = (0..BATCH_DOCUMENTS_MAX + 50).map(|n| format!("tag {n}")).collect();
    let mut named: Vec<&str> = tags.iter().map(String::as_str).collect();
    named.extend(&tags[..10].iter().map(String::as_str).collect::<Vec<_>>());
    for id in ["a", "b"] {
        bank.accept("1", id, &tag(&named)).await;
    }
    bank.accept("1", "c", &tag(&[])).await;
    let news = world.news(&account("1")).await;
    bank.handle("tags", &news).await;
    bank.handle("tags", &news).await;
    for tag in &tags {
        let view = bank.view::<Tags>(tag).await.unwrap();
        assert_eq!(view.events, ["account-1@1", "account-1@2"], "{tag}");
    }
}

async fn a_crash_at_any_write_loses_and_doubles_nothing(world: World) {
    // Three deliveries of two events each, which change two views each, and then the checkpoint.
    for at in 0..9 {
        for crash in Crash::around(at) {
            let world = world.another().await;
            for n in 0..6 {
                world.bank().accept("1", &n.to_string(), &tag(&["x", "y"])).await;
            }
            let news = world.news(&account("1")).await;
            let doomed = Bank::new(tapped(world.ports.clone(), crash.clone()));
            for batch in news.chunks(2) {
                doomed.deliver("tags", batch).await;
            }
            assert!(crash.has_happened(), "there is no write {at}");
            let bank = world.bank();
            for batch in news[2 * (at / 3)..].chunks(2) {
                bank.handle("tags", batch).await;
            }
            bank.handle("tags", &news).await;
            let expected: Vec<_> = (1..=6).map(|version| format!("account-1@{version}")).collect();
            for tag in ["x", "y"] {
                let events = bank.view::<Tags>(tag).await.unwrap().events;
                assert_eq!(events, expected, "{tag} after {crash:?}");
            }
        }
    }
}

fn is_write(request: &Request<'_>) -> bool {
    matches!(request, Request::Write(_))
}

async fn a_lost_answer_at_any_write_doubles_nothing(world: World) {
    for at in 0..4 {
        for fault in [Fault::Before(ErrorKind::Unavailable), Fault::After(ErrorKind::Unavailable)] {
            let world = world.another().await;
            let mut script = vec![None; at];
            script.push(Some(fault));
            let faulty = Faulty::new(is_write, script);
            let bank = Bank::new(tapped(world.ports.clone(), faulty.clone()));
            for n in 0..2 {
                let news = tagged(&world, "1", &n.to_string()).await;
                bank.handle("tags", &news[n..]).await;
            }
            assert_eq!(faulty.left(), 0);
            let expected = (1..=2).map(|version| format!("account-1@{version}"));
            shows(&bank, expected, &format!("{fault:?} at {at}")).await;
        }
    }
}

async fn a_redelivery_after_200_other_streams_changes_nothing(world: World) {
    let bank = world.bank();
    let news = tagged(&world, "0", "a").await;
    bank.handle("tags", &news).await;
    pass_by(&world, &bank, 1..220).await;
    bank.handle("tags", &news).await;
    world.bank().handle("tags", &news).await;
    shows(&bank, of_accounts(0..220), "after 219 others").await;
}

async fn a_crash_before_the_checkpoint_is_made_good_after_200_other_streams(world: World) {
    // Write 0 is the view, write 1 the checkpoint.
    for crash in [Crash::after(0), Crash::before(1), Crash::after(1)] {
        let world = world.another().await;
        let news = tagged(&world, "0", "a").await;
        let doomed = Bank::new(tapped(world.ports.clone(), crash.clone()));
        assert_eq!(doomed.deliver("tags", &news).await.len(), 1, "{crash:?}");
        let bank = world.bank();
        shows(&bank, of_accounts(0..1), "the view was written").await;
        pass_by(&world, &bank, 1..220).await;
        bank.handle("tags", &news).await;
        shows(&bank, of_accounts(0..220), &format!("{crash:?}")).await;
    }
}

async fn every_stream_crashes_before_its_checkpoint_once(world: World) {
    let bank = world.bank();
    let mut unacknowledged = vec![];
    for n in 0..210 {
        let news = tagged(&world, &n.to_string(), "a").await;
        let doomed = Bank::new(tapped(world.ports.clone(), Crash::before(1)));
        assert_eq!(doomed.deliver("tags", &news).await.len(), 1);
        unacknowledged.extend(news);
    }
    fastrand::Rng::with_seed(9).shuffle(&mut unacknowledged);
    for batch in unacknowledged.chunks(7) {
        bank.handle("tags", batch).await;
    }
    shows(&bank, of_accounts(0..210), "after 210 crashes").await;
    // Now that all of them are known to be handled, they may be forgotten.
    pass_by(&world, &bank, 210..215).await;
    bank.handle("tags", &unacknowledged).await;
    shows(&bank, of_accounts(0..215), "long after").await;
}

async fn a_process_that_was_held_up_while_200_streams_passed_doubles_nothing(world: World) {
    // Held before it reads the checkpoint, before it reads the view, before it writes the view and
    // before it writes the checkpoint.
    type Held = (usize, fn(&Request<'_>) -> bool);
    let is_get: fn(&Request<'_>) -> bool = |request| matches!(request, Request::Get(_));
    let places: [Held; 4] = [(0, is_get), (1, is_get), (0, is_write), (1, is_write)];
    for (nth, applies) in places {
        let world = world.another().await;
        let news = tagged(&world, "0", "a").await;
        let gate = Gate::nth(nth, applies);
        let slow = Bank::new(tapped(world.ports.clone(), gate.clone()));
        let batch = news.clone();
        let held = tokio::spawn(async move { slow.deliver("tags", &batch).await });
        gate.arrived().await;
        let quick = world.bank();
        quick.handle("tags", &news).await;
        pass_by(&world, &quick, 1..220).await;
        gate.release();
        held.await.unwrap();
        quick.handle("tags", &news).await;
        shows(&quick, of_accounts(0..220), &format!("held at {nth}")).await;
    }
}

async fn two_processes_at_once_apply_each_event_once(world: World) {
    for round in 0..10 {
        let world = world.another().await;
        let mut news = vec![];
        for n in 0..12 {
            world.bank().accept(&n.to_string(), "a", &tag(&["x"])).await;
            news.extend(world.news(&account(&n.to_string())).await);
        }
        let racers = (0..3).map(|racer| {
            let (bank, mut news) = (world.bank(), news.clone());
            tokio::spawn(async move {
                fastrand::Rng::with_seed(round * 10 + racer).shuffle(&mut news);
                for announced in &news {
                    // One that is overtaken too often comes again.
                    while !bank.deliver("tags", std::slice::from_ref(announced)).await.is_empty() {}
                }
            })
        });
        for racer in join_all(racers).await {
            racer.unwrap();
        }
        shows(&world.bank(), of_accounts(0..12), "after a race").await;
    }
}

async fn a_view_remembers_a_bounded_number_of_streams(world: World) {
    let bank = world.bank();
    let mut bytes = vec![];
    for n in 0..6_u32 {
        pass_by(&world, &bank, 100 * n..100 * (n + 1)).await;
        let key = skyfold::ports::DocumentKey { collection: "tags.1".into(), id: "x".into() };
        let document = world.get(&key).await.expect("the test knows where views are kept");
        let shown = bank.view::<Tags>("x").await.unwrap();
        let view = serde_json::to_string(&shown).unwrap().len();
        bytes.push(document.body.bytes() - view);
    }
    let (first, last) = (bytes[0], bytes[5]);
    assert!(last < first + first / 2, "what it remembers grows: {bytes:?}");
}

async fn a_stream_is_heard_of_again_after_it_was_forgotten(world: World) {
    let (bank, counted) = (world.bank(), Counted::new());
    let first = tagged(&world, "0", "a").await;
    bank.handle("tags", &first).await;
    pass_by(&world, &bank, 1..200).await;
    let all = tagged(&world, "0", "b").await;
    // With a crash between the view and the checkpoint, on what was forgotten before.
    let doomed = tapped(tapped(world.ports.clone(), Crash::before(1)), counted.clone());
    assert_eq!(Bank::new(doomed).deliver("tags", &all[1..]).await.len(), 1);
    assert!(counted.take()["get"].requests >= 2);
    pass_by(&world, &bank, 200..300).await;
    bank.handle("tags", &all[1..]).await;
    bank.handle("tags", &all).await;
    let expected = of_accounts(0..300).chain(["account-0@2".to_owned()]);
    shows(&bank, expected, "after it was forgotten").await;
}
