//! A rehearsal tells what a replay would come to, and changes nothing.

use skyfold::ports::{DocumentKey, FeedQuery, Write};
use skyfold::{Payload, Rehearsed, Replay, Version};

use super::bank::{account, deposit};
use super::document_scans::scanned;
use super::documents::put;
use super::replay::{check, fill, replay};
use super::{Bank, Case, World, cases};
use crate::domain::{Balances, Command, Tags};

pub(super) const CASES: &[Case] = cases![
    a_rehearsal_tells_what_is_new_and_changes_nothing,
    a_rehearsal_is_about_what_the_replay_is_about,
    a_rehearsal_tells_what_could_not_be_handled,
];

async fn rehearse(bank: &Bank, name: &str, how: &Replay) -> Rehearsed {
    bank.runtime.read_model(name).unwrap().rehearse(how, |_| {}).await.unwrap()
}

async fn a_rehearsal_tells_what_is_new_and_changes_nothing(world: World) {
    let bank = fill(&world).await;
    for n in 0..10 {
        let news = world.news(&account(&n.to_string())).await;
        bank.handle("balances", &news).await;
        bank.handle("tags", &news[..3]).await;
    }
    for (name, new) in [("balances", 80), ("tags", 90)] {
        let before = scanned(&world, &format!("{name}.1"), 100).await;
        let rehearsed = rehearse(&bank, name, &Replay::default()).await;
        assert_eq!((rehearsed.events, rehearsed.new), (120, new), "{name}");
        assert_eq!(rehearsed.unhandled, []);
        let first = if name == "tags" { 30 } else { 20 };
        assert_eq!(rehearsed.examples.len(), first, "{name}");
        assert_eq!(scanned(&world, &format!("{name}.1"), 100).await, before, "{name}");
        assert_eq!(scanned(&world, &format!("verify.{name}.1.1"), 100).await, [], "{name}");
    }
    assert_eq!(bank.view::<Balances>("20").await, None);
    assert_eq!(bank.view::<Tags>("all").await, None);
    for name in ["balances", "tags"] {
        replay(&bank, name).await;
        let rehearsed = rehearse(&bank, name, &Replay::default()).await;
        assert_eq!((rehearsed.events, rehearsed.new), (120, 0), "{name}");
    }
    check(&bank).await;
}

async fn a_rehearsal_is_about_what_the_replay_is_about(world: World) {
    let bank = fill(&world).await;
    let of = |categories: &[&str], since, version| Replay {
        categories: categories.iter().map(|category| (*category).to_owned()).collect(),
        since,
        version,
        ..Replay::default()
    };
    let later = Some(world.now() + time::Duration::HOUR);
    for (how, events) in [
        (of(&["account"], None, None), 120),
        (of(&["archive"], None, None), 0),
        (of(&[], later, None), 0),
        (of(&[], None, Some(Version(4))), 30),
        (of(&[], None, Some(Version(5))), 0),
    ] {
        let rehearsed = rehearse(&bank, "tags", &how).await;
        assert_eq!((rehearsed.events, rehearsed.new), (events, events), "{how:?}");
        assert_eq!(rehearsed.unhandled, [], "what came before is read from the store: {how:?}");
    }
}

async fn a_rehearsal_tells_what_could_not_be_handled(world: World) {
    let bank = fill(&world).await;
    for name in ["3", "4"] {
        bank.accept(name, "jinx", &Command::Jinx).await;
        bank.accept(name, "late", &deposit(1)).await;
    }
    let all = async || (world.feed(&FeedQuery::default()).await.len() == 94).then_some(());
    world.eventually("every commit", all).await;
    bank.handle("fragile", &world.news(&account("3")).await).await;
    let letter = bank.letter("fragile", &account("3")).await.expect("it waits");
    let key = DocumentKey { collection: "fragile.1".into(), id: "5".into() };
    let body = Some(Payload::parse("\"no view\"").unwrap());
    world.write(Write { key, body, ..put("", "") }).await.unwrap();
    let rehearsed = rehearse(&bank, "fragile", &Replay::default()).await;
    assert_eq!((rehearsed.events, rehearsed.new), (124, 116));
    let streams: Vec<_> = rehearsed.unhandled.iter().map(|u| u.event.stream.to_string()).collect();
    assert_eq!(streams, ["account-3", "account-4", "account-5"], "{rehearsed:?}");
    assert!(rehearsed.unhandled[0].why.contains("waits behind a dead letter"), "{rehearsed:?}");
    assert!(rehearsed.unhandled[1].why.contains("a misfortune"), "{rehearsed:?}");
    assert_eq!(bank.letter("fragile", &account("4")).await, None, "nothing is set aside");
    assert_eq!(bank.letter("fragile", &account("3")).await, Some(letter));
}
