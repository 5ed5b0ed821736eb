//! A replay delivers what was recorded once more, and changes what is missing alone.

use std::num::NonZeroU32;
use std::time::Duration;

use skyfold::ports::{DocumentKey, FeedQuery};
use skyfold::{Error, ErrorKind, Progress, Replay, ReplayStep, Replayed, Start, Version};

use super::bank::{account, note, open, tag};
use super::documents::key;
use super::world::{event, stream};
use super::{Bank, Case, World, cases};
use crate::domain::{Balances, TaggedBy, Tags};
use crate::faults::{Counted, Crash, Gate, Request, tapped};

pub(super) const CASES: &[Case] = cases![
    a_replay_builds_every_view,
    a_replay_over_live_views_changes_nothing,
    a_replay_heals_deleted_views,
    a_replay_goes_on_after_a_crash_at_any_write,
    a_replay_that_goes_on_reads_only_what_is_left,
    a_replay_tells_what_cannot_be_handled_and_goes_on,
    a_replay_of_a_saga_is_refused,
    a_replay_keeps_to_its_rate,
    a_replay_delivers_what_it_is_about_and_nothing_else,
    a_replay_of_what_is_not_heard_is_refused,
    a_replay_pauses_when_its_time_is_over_and_goes_on,
    of_two_replays_at_once_the_older_one_ends,
];

/// 30 accounts of 4 events each, nothing of which was delivered.
pub(super) async fn fill(world: &World) -> Bank {
    let bank = world.bank();
    for n in 0..30 {
        let name = n.to_string();
        bank.accept(&name, "a", &open("ada")).await;
        bank.accept(&name, "b", &note("x", 2)).await;
        bank.accept(&name, "c", &tag(&["all"])).await;
    }
    world
        .eventually("every commit", async || {
            (world.feed(&FeedQuery::default()).await.len() == 90).then_some(())
        })
        .await;
    bank
}

pub(super) async fn check_balances(bank: &Bank) {
    for n in 0..30 {
        let view = bank.view::<Balances>(&n.to_string()).await.expect("the view is there");
        assert_eq!(view.applied, [1, 2, 3, 4], "account {n}");
    }
}

pub(super) async fn check(bank: &Bank) {
    check_balances(bank).await;
    let mut tagged = bank.view::<Tags>("all").await.unwrap();
    tagged.events.sort();
    let mut events: Vec<_> = (0..30).map(|n| format!("account-{n}@4")).collect();
    events.sort();
    assert_eq!(tagged, TaggedBy { events });
}

pub(super) async fn replay(bank: &Bank, name: &str) -> u64 {
    replay_as(bank, name, &Replay::default()).await.unwrap().events
}

pub(super) async fn replay_as(bank: &Bank, name: &str, how: &Replay) -> Result<Replayed, Error> {
    bank.runtime.read_model(name).unwrap().replay(how, |_| {}).await
}

async fn a_replay_builds_every_view(world: World) {
    let bank = fill(&world).await;
    assert_eq!(replay(&bank, "balances").await, 120);
    assert_eq!(replay(&bank, "tags").await, 120);
    check(&bank).await;
}

async fn a_replay_over_live_views_changes_nothing(world: World) {
    let bank = fill(&world).await;
    for n in 0..30 {
        // Some are behind, by one event or two.
        let news = world.news(&account(&n.to_string())).await;
        bank.handle("balances", &news[..news.len() - n % 3]).await;
        bank.handle("tags", &news[..news.len() - n % 3]).await;
    }
    for _ in 0..2 {
        replay(&bank, "balances").await;
        replay(&bank, "tags").await;
        check(&bank).await;
    }
}

async fn a_replay_heals_deleted_views(world: World) {
    let bank = fill(&world).await;
    replay(&bank, "balances").await;
    replay(&bank, "tags").await;
    for n in (0..30).step_by(3) {
        let key = DocumentKey { collection: "balances.1".into(), ..key(&n.to_string()) };
        assert!(world.get(&key).await.is_some(), "the test knows where views are kept");
        world.delete(key).await;
    }
    assert_eq!(bank.view::<Balances>("3").await, None);
    replay(&bank, "balances").await;
    check(&bank).await;
}

async fn a_replay_goes_on_after_a_crash_at_any_write(world: World) {
    fill(&world).await;
    let mut crashes = 0;
    for at in (0..).step_by(3) {
        let [before, after] = Crash::around(at);
        for crash in [before, after] {
            let doomed = Bank::new(tapped(world.ports.clone(), crash.clone()));
            for name in ["balances", "tags"] {
                let start = Start::Anew;
                let anew = Replay { start, ..Replay::default() };
                let outcome = replay_as(&doomed, name, &anew).await;
                assert_eq!(outcome.is_err(), crash.has_happened(), "{crash:?}: {outcome:?}");
            }
            if !crash.has_happened() {
                assert!(crashes > 40, "there were only {crashes} crashes");
                return;
            }
            crashes += 1;
            let bank = world.bank();
            replay(&bank, "balances").await;
            replay(&bank, "tags").await;
            check(&bank).await;
            for collection in ["balances.1", "tags.1", "checkpoints.tags.1"] {
                remove_all(&world, collection).await;
            }
        }
    }
}

/// Removes every document of `collection`.
pub(super) async fn remove_all(world: &World, collection: &str) {
    for document in super::document_scans::scanned(world, collection, 100).await {
        world.delete(DocumentKey { collection: collection.into(), id: document.id }).await;
    }
}

async fn a_replay_that_goes_on_reads_only_what_is_left(world: World) {
    fill(&world).await;
    let counted = Counted::new();
    let whole = Bank::new(tapped(world.ports.clone(), counted.clone()));
    replay(&whole, "balances").await;
    let counts = counted.take();
    let pages = counts["feed"].requests;
    assert!(pages > 1, "there is no page to stop at");
    // The last view is written; how far the replay is, and that it has ended, are not.
    let writes = counts["write"].items - 2;
    remove_all(&world, "balances.1").await;
    let crash = Crash::before(writes);
    let doomed = Bank::new(tapped(world.ports.clone(), crash.clone()));
    replay_as(&doomed, "balances", &Replay::default()).await.unwrap_err();
    assert!(crash.has_happened());
    let replayed = replay_as(&whole, "balances", &Replay::default()).await.unwrap();
    assert!(counted.take()["feed"].requests < pages, "it began anew");
    assert_eq!((replayed.events, replayed.unhandled), (120, 0));
    check_balances(&whole).await;
    // What has ended begins anew.
    let mut told: Vec<Progress> = vec![];
    let model = whole.runtime.read_model("balances").unwrap();
    model.replay(&Replay::default(), |progress| told.push(progress.clone())).await.unwrap();
    assert_eq!(counted.take()["feed"].requests, pages);
    assert!(told.is_sorted_by_key(|progress| progress.events), "{told:?}");
    assert!(told.iter().all(|progress| (0.0..=1.0).contains(&progress.fraction)), "{told:?}");
    let last = told.last().unwrap();
    assert_eq!((last.events, last.slices_done), (120, last.slices));
    assert!(last.fraction > 0.999);
}

async fn a_replay_tells_what_cannot_be_handled_and_goes_on(world: World) {
    let bank = fill(&world).await;
    let unreadable = world.commit_of("z", vec![event("Frozen", 1, "null")]);
    let fine = world.commit("y", &["fine"]);
    world.fill(&stream("account-unreadable"), &[unreadable, fine]).await;
    world
        .eventually("the commits", async || {
            (world.feed(&FeedQuery::default()).await.len() == 92).then_some(())
        })
        .await;
    let replayed = replay_as(&bank, "balances", &Replay::default()).await.unwrap();
    assert_eq!((replayed.events, replayed.unhandled), (122, 1), "its stream waits behind it");
    let example = &replayed.examples[0];
    assert_eq!(example.event.to_string(), "account-unreadable@1");
    assert!(!example.why.is_empty());
    check_balances(&bank).await;
    let error = bank.runtime.read_model("account").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "a decider keeps no views");
    let error = bank.runtime.read_model("nothing").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

async fn a_replay_of_a_saga_is_refused(world: World) {
    let bank = world.bank();
    let error = bank.runtime.read_model("transfer").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("is a saga"), "{error}");
}

async fn a_replay_keeps_to_its_rate(world: World) {
    let bank = fill(&world).await;
    let rate = NonZeroU32::new(10);
    let before = bank.runtime.now();
    replay_as(&bank, "balances", &Replay { rate, ..Replay::default() }).await.unwrap();
    let seconds = (bank.runtime.now() - before).as_seconds_f64();
    assert!((12.0..30.0).contains(&seconds), "120 events at 10 a second took {seconds} s");
    check_balances(&bank).await;
}

async fn a_replay_delivers_what_it_is_about_and_nothing_else(world: World) {
    let bank = fill(&world).await;
    let (categories, since) = (vec!["archive".to_owned()], Some(world.now()));
    let version = Some(Version(5));
    for nothing in [
        Replay { categories, ..Replay::default() },
        Replay { since: since.map(|now| now + time::Duration::HOUR), ..Replay::default() },
        Replay { version, ..Replay::default() },
    ] {
        assert_eq!(replay_as(&bank, "tags", &nothing).await.unwrap().events, 0, "{nothing:?}");
    }
    assert_eq!(bank.view::<Tags>("all").await, None);
    // A stream that reaches the version is handled from its beginning.
    bank.accept("7", "d", &tag(&["all"])).await;
    let replayed = world.eventually("the commit", async || {
        let replay = Replay { version, ..Replay::default() };
        let replayed = replay_as(&bank, "tags", &replay).await.unwrap();
        (replayed.events > 0).then_some(replayed)
    });
    assert_eq!(replayed.await.events, 1);
    let events = bank.view::<Tags>("all").await.unwrap().events;
    assert_eq!(events, ["account-7@4", "account-7@5"]);
}

async fn a_replay_of_what_is_not_heard_is_refused(world: World) {
    let bank = fill(&world).await;
    let categories = vec!["account".to_owned(), "saga.transfer".to_owned()];
    let wrong = Replay { categories, ..Replay::default() };
    let model = bank.runtime.read_model("balances").unwrap();
    let rehearsed = model.rehearse(&wrong, |_| {}).await.map(|_| ()).unwrap_err();
    let replayed = replay_as(&bank, "balances", &wrong).await.map(|_| ()).unwrap_err();
    for error in [rehearsed, replayed] {
        assert_eq!(error.kind(), ErrorKind::Invalid);
        let told = error.to_string();
        assert!(told.contains("balances hears no category \"saga.transfer\""), "{told}");
    }
    assert_eq!(bank.view::<Balances>("3").await, None);
}

async fn a_replay_pauses_when_its_time_is_over_and_goes_on(world: World) {
    let bank = fill(&world).await;
    let model = bank.runtime.read_model("balances").unwrap();
    let rate = NonZeroU32::new(1000);
    let mut replay = Replay { rate, start: Start::Anew, ..Replay::default() };
    let (mut pauses, mut events) = (0, 0);
    let replayed = loop {
        match model.replay_for(Duration::ZERO, &replay, |_| {}).await.unwrap() {
            ReplayStep::Ended(replayed) => break replayed,
            ReplayStep::Paused(pause) => {
                let delivered = pause.progress.events - events;
                let rest = pause.rest().as_secs_f64();
                assert!(rest <= delivered as f64 / 1000.0, "{pause:?}");
                assert!(delivered == 0 || rest > 0.0, "it is ahead of its rate: {pause:?}");
                events = pause.progress.events;
                pauses += 1;
            }
        }
        replay.start = Start::Resume;
    };
    assert!(pauses >= usize::from(world.ports.feed.slices()), "{pauses} pages");
    assert_eq!((events, replayed.events, replayed.unhandled), (120, 120, 0));
    check_balances(&bank).await;
}

async fn of_two_replays_at_once_the_older_one_ends(world: World) {
    fill(&world).await;
    let gate = Gate::nth(1, |request| matches!(request, Request::Feed(..)));
    let older = Bank::new(tapped(world.ports.clone(), gate.clone()));
    let older = tokio::spawn(async move {
        let outcome = replay_as(&older, "balances", &Replay::default()).await;
        outcome.map_err(|error| error.kind())
    });
    gate.arrived().await;
    let bank = world.bank();
    replay(&bank, "balances").await;
    gate.release();
    assert_eq!(older.await.unwrap(), Err(ErrorKind::Conflict));
    check_balances(&bank).await;
}
