//! Views are compared with a fresh fold of the log, and put right where they have drifted.

use std::collections::BTreeSet;

use skyfold::ports::{DocumentKey, FeedQuery, Guard, Write};
use skyfold::{DriftKind, OnDrift, Payload, Runtime, Verified, Verify};

use super::bank::{account, note, tag};
use super::document_scans::scanned;
use super::replay::{check, fill, remove_all, replay};
use super::{Bank, Case, World, cases};
use crate::domain::{self, Balances, TagCounts, Tags};
use crate::faults::{Counted, Crash, Gate, Request, tapped};

pub(super) const CASES: &[Case] = cases![
    views_that_are_right_do_not_drift,
    each_kind_of_drift_is_found_and_nothing_else,
    each_kind_of_drift_is_put_right,
    a_view_of_many_streams_is_put_right_after_it_was_deleted_or_edited,
    deleted_checkpoints_double_nothing,
    a_view_that_is_late_has_not_drifted,
    live_traffic_is_no_drift,
    a_repair_under_live_traffic_loses_and_doubles_nothing,
    an_event_between_a_fresh_view_and_its_writing_is_not_lost,
    a_crash_at_any_write_of_a_repair_leaves_it_to_the_next,
    what_nobody_can_read_again_is_told,
];

/// A runtime by the clock of the ports themselves, so that a wait is one for the store as well.
fn in_time(world: &World) -> Runtime {
    domain::app().bind(world.ports.clone()).unwrap()
}

async fn verify(runtime: &Runtime, name: &str, on_drift: OnDrift) -> Verified {
    let verify = Verify { on_drift, ..Verify::default() };
    runtime.read_model(name).unwrap().verify(&verify, |_| {}).await.unwrap()
}

/// What a report says of drift: each key and how it has drifted.
fn drifted(verified: &Verified) -> Vec<(&str, DriftKind)> {
    assert_eq!(verified.drifted, verified.drifts.len() as u64);
    verified.drifts.iter().map(|drift| (drift.key.as_str(), drift.kind)).collect()
}

async fn built(world: &World) -> Bank {
    let bank = fill(world).await;
    replay(&bank, "balances").await;
    replay(&bank, "tags").await;
    bank
}

fn key(collection: &str, id: &str) -> DocumentKey {
    DocumentKey { collection: collection.into(), id: id.into() }
}

/// Writes `text` with `change` made to it in the place of the document, in no list.
async fn edit(world: &World, key: &DocumentKey, change: (&str, &str)) {
    let text = world.get(key).await.expect("the test knows where views are kept").body;
    let text = text.get().replacen(change.0, change.1, 1);
    write(world, key, &text).await;
}

async fn write(world: &World, key: &DocumentKey, text: &str) {
    let (key, body) = (key.clone(), Some(Payload::parse(text).unwrap()));
    let guard = Guard::None;
    world.write(Write { key, body, listings: vec![], guard, expires: None }).await.unwrap();
}

/// One view is missing, one is too many, one shows something else, one cannot be read, and one is
/// in no list.
async fn damage(world: &World) {
    world.delete(key("balances.1", "3")).await;
    edit(world, &key("balances.1", "4"), ("\"owner\":\"ada\"", "\"owner\":\"eve\"")).await;
    write(world, &key("balances.1", "5"), r#"{"view":1}"#).await;
    let view = r#"{"owner":"ada","cents":1,"applied":[1]}"#;
    let seen = r#"[["account-none",1]]"#;
    let extra = format!(r#"{{"view":{view},"seen":{seen},"metadata":{{}}}}"#);
    write(world, &key("balances.1", "none"), &extra).await;
    edit(world, &key("balances.1", "6"), ("", "")).await;
}

async fn views_that_are_right_do_not_drift(world: World) {
    let bank = built(&world).await;
    for (name, views) in [("balances", 30), ("tags", 1), ("balances", 30)] {
        let verified = verify(&bank.runtime, name, OnDrift::Report).await;
        assert_eq!(drifted(&verified), [], "{name}");
        assert_eq!((verified.events, verified.views), (120, views), "{name}");
        assert!(verified.is_sound() && verified.behind + verified.changing == 0);
    }
    for collection in ["verify.balances.1.1", "verify.tags.1.1", "verify.balances.1.2"] {
        for collection in [collection.to_owned(), format!("checkpoints.{collection}")] {
            assert!(scanned(&world, &collection, 100).await.is_empty(), "{collection} is left");
        }
    }
}

async fn each_kind_of_drift_is_found_and_nothing_else(world: World) {
    let bank = built(&world).await;
    damage(&world).await;
    // What was recorded lately may be on its way.
    bank.clock.shift(time::Duration::minutes(2));
    let verified = verify(&bank.runtime, "balances", OnDrift::Report).await;
    let expected = [
        ("3", DriftKind::Missing),
        ("4", DriftKind::Different),
        ("5", DriftKind::Unreadable),
        ("6", DriftKind::Listing),
        ("none", DriftKind::Extra),
    ];
    let found: BTreeSet<_> = drifted(&verified).into_iter().map(|(k, d)| (k, d as u8)).collect();
    let expected: BTreeSet<_> = expected.into_iter().map(|(k, d)| (k, d as u8)).collect();
    assert_eq!(found, expected, "{verified:?}");
    assert!(!verified.is_sound());
    let edited = verified.drifts.iter().find(|drift| drift.key == "4").unwrap();
    let difference = &edited.differences[0];
    assert_eq!(difference.pointer, "/owner");
    assert_eq!(difference.shown.as_deref(), Some("\"eve\""));
    assert_eq!(difference.expected.as_deref(), Some("\"ada\""));
    assert_eq!(bank.view::<Balances>("3").await, None, "a comparison changes nothing");
}

async fn each_kind_of_drift_is_put_right(world: World) {
    let bank = built(&world).await;
    damage(&world).await;
    bank.clock.shift(time::Duration::minutes(2));
    let verified = verify(&bank.runtime, "balances", OnDrift::Repair).await;
    // The deleted one has heard all of its stream once more by then.
    assert_eq!((verified.drifted, verified.repaired), (4, 4), "{verified:?}");
    assert_eq!(verified.unhandled, []);
    assert!(verified.is_sound() && verified.drifts.iter().all(|drift| drift.is_repaired));
    check(&bank).await;
    assert_eq!(bank.view::<Balances>("none").await, None);
    let ids: BTreeSet<_> = super::document_lists::ids_of(&world, "balances.1", 0, "ada").await;
    assert_eq!(ids.len(), 30, "each is in its list: {ids:?}");
    // They go on as if nothing had been.
    for name in ["3", "4", "5", "6"] {
        bank.accept(name, "live", &note("x", 1)).await;
        let news = world.news(&account(name)).await;
        bank.handle("balances", &news).await;
        bank.handle("balances", &news[3..]).await;
        let applied = bank.view::<Balances>(name).await.unwrap().applied;
        assert_eq!(applied, [1, 2, 3, 4, 5], "account {name}");
    }
    let verified = verify(&bank.runtime, "balances", OnDrift::Report).await;
    assert_eq!(drifted(&verified), []);
}

async fn a_view_of_many_streams_is_put_right_after_it_was_deleted_or_edited(world: World) {
    for how in ["deleted", "edited", "unreadable"] {
        let world = world.another().await;
        let bank = built(&world).await;
        let view = key("tags.1", "all");
        match how {
            "deleted" => world.delete(view).await,
            "edited" => edit(&world, &view, ("account-7@4", "account-8@4")).await,
            _ => write(&world, &view, "[]").await,
        }
        replay(&bank, "tags").await;
        let verified = verify(&bank.runtime, "tags", OnDrift::Report).await;
        assert_eq!(drifted(&verified).len(), 1, "{how}: a replay does not see it");
        let verified = verify(&bank.runtime, "tags", OnDrift::Repair).await;
        assert_eq!((verified.drifted, verified.repaired), (1, 1), "{how}");
        check(&bank).await;
        // All that was heard before comes again, and something new.
        bank.accept("7", "live", &tag(&["all"])).await;
        for n in 0..30 {
            bank.handle("tags", &world.news(&account(&n.to_string())).await).await;
        }
        let events = bank.view::<Tags>("all").await.unwrap().events;
        let distinct: BTreeSet<_> = events.iter().collect();
        assert_eq!((events.len(), distinct.len()), (31, 31), "{how}: {events:?}");
    }
}

async fn deleted_checkpoints_double_nothing(world: World) {
    let bank = built(&world).await;
    remove_all(&world, "checkpoints.tags.1").await;
    replay(&bank, "tags").await;
    check(&bank).await;
}

async fn a_view_that_is_late_has_not_drifted(world: World) {
    let bank = built(&world).await;
    bank.accept("7", "late", &tag(&["all"])).await;
    world
        .eventually("the commit", async || {
            (world.feed(&FeedQuery::default()).await.len() == 91).then_some(())
        })
        .await;
    for name in ["balances", "tags"] {
        let verified = verify(&in_time(&world), name, OnDrift::Report).await;
        assert_eq!((drifted(&verified), verified.behind), (vec![], 1), "{name}");
    }
    // What was not delivered within a minute to a view of its own stream will not come by itself.
    bank.clock.shift(time::Duration::minutes(2));
    let verified = verify(&bank.runtime, "balances", OnDrift::Report).await;
    assert_eq!(drifted(&verified), [("7", DriftKind::Different)]);
    verify(&bank.runtime, "tags", OnDrift::Repair).await;
    assert_eq!(bank.view::<Tags>("all").await.unwrap().events.len(), 31, "a repair delivers it");
}

/// Tags accounts, one after the other, and delivers each event some events later, twice.
async fn traffic(world: &World, accounts: std::ops::Range<usize>) -> usize {
    let bank = world.bank();
    let mut waiting = vec![];
    for n in accounts.clone() {
        let name = format!("live-{n}");
        bank.accept(&name, "a", &tag(&["all"])).await;
        waiting.push(name);
        tokio::task::yield_now().await;
        if waiting.len() > 3 {
            let news = world.news(&account(&waiting.remove(0))).await;
            bank.handle("tags", &news).await;
            bank.handle("tags", &news).await;
        }
    }
    for name in waiting {
        bank.handle("tags", &world.news(&account(&name)).await).await;
    }
    accounts.len()
}

/// Checks that the view of `all` shows each of the 30 events that were there and `live` others.
async fn check_all(bank: &Bank, live: usize) {
    let events = bank.view::<Tags>("all").await.unwrap().events;
    let distinct: BTreeSet<_> = events.iter().collect();
    assert_eq!(distinct.len(), events.len(), "doubled: {events:?}");
    assert_eq!(events.len(), 30 + live, "lost: {events:?}");
}

async fn live_traffic_is_no_drift(world: World) {
    let counting = || domain::app().projection::<TagCounts>();
    fill(&world).await;
    let bank = Bank::of(counting(), world.ports.clone());
    replay(&bank, "tag-counts").await;
    let runtime = counting().bind(world.ports.clone()).unwrap();
    let verifying =
        tokio::spawn(async move { verify(&runtime, "tag-counts", OnDrift::Report).await });
    for n in 0..100 {
        let name = format!("live-{n}");
        bank.accept(&name, "a", &tag(&["all"])).await;
        tokio::task::yield_now().await;
        bank.handle("tag-counts", &world.news(&account(&name)).await).await;
    }
    let verified = verifying.await.unwrap();
    assert_eq!(drifted(&verified), [], "{verified:?}");
    assert_eq!(bank.view::<TagCounts>("all").await, Some(130));
    // An edit is drift, however much happens.
    edit(&world, &key("tag-counts.1", "all"), ("\"view\":130", "\"view\":131")).await;
    let verified = verify(&bank.runtime, "tag-counts", OnDrift::Report).await;
    assert_eq!(drifted(&verified), [("all", DriftKind::Different)]);
}

async fn a_repair_under_live_traffic_loses_and_doubles_nothing(world: World) {
    for how in ["deleted", "edited"] {
        let world = world.another().await;
        let bank = built(&world).await;
        let view = key("tags.1", "all");
        match how {
            "deleted" => world.delete(view).await,
            _ => edit(&world, &view, ("account-7@4", "account-8@4")).await,
        }
        let runtime = in_time(&world);
        let repairing =
            tokio::spawn(async move { verify(&runtime, "tags", OnDrift::Repair).await });
        let live = traffic(&world, 0..200).await;
        let verified = repairing.await.unwrap();
        assert_eq!(verified.behind + verified.changing, 0, "{how}: {verified:?}");
        verify(&bank.runtime, "tags", OnDrift::Repair).await;
        check_all(&bank, live).await;
    }
}

async fn an_event_between_a_fresh_view_and_its_writing_is_not_lost(world: World) {
    let bank = built(&world).await;
    world.delete(key("tags.1", "all")).await;
    // The first write holds the view, the second puts the fresh one in its place.
    let gate = Gate::nth(
        1,
        |request| matches!(request, Request::Write(write) if write.key.collection == "tags.1"),
    );
    let runtime = domain::app().bind(tapped(world.ports.clone(), gate.clone())).unwrap();
    let repairing = tokio::spawn(async move { verify(&runtime, "tags", OnDrift::Repair).await });
    gate.arrived().await;
    let live = traffic(&world, 0..80).await;
    gate.release();
    let verified = repairing.await.unwrap();
    assert_eq!((verified.drifted, verified.repaired), (1, 1), "{verified:?}");
    check_all(&bank, live).await;
}

async fn a_crash_at_any_write_of_a_repair_leaves_it_to_the_next(world: World) {
    let counted = Counted::new();
    damaged(&world, Bank::new(tapped(world.ports.clone(), counted.clone()))).await;
    let writes = counted.take()["write"].items;
    // The last are the removal of the fresh fold, of one view and 30 checkpoints. Before them the
    // live view is held and replaced.
    let held = writes - 31 - 2;
    let around = [0, held / 2, held - 1, held, held + 1, held + 2, writes - 1];
    for crash in around.into_iter().flat_map(Crash::around) {
        let world = world.another().await;
        let doomed = Bank::new(tapped(world.ports.clone(), crash.clone()));
        damaged(&world, doomed).await;
        assert!(crash.has_happened(), "{crash:?}");
        // A live event finds it as the crash has left it.
        let bank = world.bank();
        bank.accept("7", "live", &tag(&["all"])).await;
        bank.handle("tags", &world.news(&account("7")).await).await;
        verify(&bank.runtime, "tags", OnDrift::Repair).await;
        check_all(&bank, 1).await;
    }
}

/// Deletes a view and lets `doomed` repair it, as far as it comes.
async fn damaged(world: &World, doomed: Bank) {
    built(world).await;
    world.delete(key("tags.1", "all")).await;
    let repair = Verify { on_drift: OnDrift::Repair, ..Verify::default() };
    let _ = doomed.runtime.read_model("tags").unwrap().verify(&repair, |_| {}).await;
}

async fn what_nobody_can_read_again_is_told(world: World) {
    let bank = built(&world).await;
    let unreadable = world.commit_of("z", vec![super::world::event("Frozen", 1, "null")]);
    world.fill(&super::world::stream("account-unreadable"), &[unreadable]).await;
    world
        .eventually("the commit", async || {
            let verified = verify(&bank.runtime, "balances", OnDrift::Report).await;
            assert_eq!(drifted(&verified), []);
            let unhandled = verified.unhandled.first()?.event.to_string();
            assert_eq!(unhandled, "account-unreadable@1");
            Some(())
        })
        .await;
}
