//! Ids of every kind reach nobody else's data.

use std::collections::BTreeSet;

use skyfold::limits::ID_CHARS_MAX;
use skyfold::ports::{DocumentKey, FeedQuery, Guard, Write};
use skyfold::{Decider, StreamName};

use super::bank::{account, deposit, open, tag};
use super::documents::{body, put};
use super::world::id;
use super::{Case, World, cases};
use crate::domain::{Account, Balances, TaggedBy, Tags};

pub(super) const CASES: &[Case] = cases![
    streams_of_odd_names_share_nothing,
    categories_share_no_streams,
    views_of_odd_names_share_nothing,
    views_of_odd_keys_share_nothing,
    random_ids_are_as_many_documents,
];

/// Texts that some encoding or other confuses.
#[rustfmt::skip] // One text a line would hide what belongs together.
const ODD_IDS: &[&str] = &[
    "/", "//", "a/b", "a%2Fb", "a%252Fb", "a\\b", "#", "a#b", "?", "a?b=c&d", ".", "..", "...",
    "../..", "%", "%%", "%00", "%2e", "__x__", "__x", "_", " ", "  ", " a", "a ", "a", "A",
    "aa", "a:b", "a~b", "~a", "-", "--", "a-b", "a--b", "a@b", "a@1", "a|b", "a,b", "a;b",
    "a'b", "a\"b", "a`b", "{}", "{\"a\":1}", "[]", "null", "0", "00", "-0", "1e0", "1", "true",
    "SNAP#", "*", "$", "^", "<a>", "&amp;", "a+b", "a=b", "größe", "日本", "日本語", "😀", "👩‍👩‍👧",
    "e\u{301}", "é", "\u{fb01}", "fi", "İ", "i\u{307}", "ß", "SS", "ss", "\u{200b}", "\u{feff}",
    "\u{202e}a", "\u{fffd}", "\u{ffff}", "\u{10ffff}", "\u{e000}",
];

/// Ids of documents that some encoding or other confuses, or finds too long.
pub(super) fn odd_ids() -> Vec<String> {
    let mut ids: Vec<String> = ODD_IDS.iter().map(|id| (*id).to_owned()).collect();
    for long in ["a", "/", "😀", "\u{10ffff}"] {
        ids.push(long.repeat(ID_CHARS_MAX));
        ids.push(long.repeat(ID_CHARS_MAX - 1));
    }
    let distinct: BTreeSet<_> = ids.iter().collect();
    assert_eq!(distinct.len(), ids.len());
    ids
}

/// Legal ids of streams that some encoding or other confuses.
fn odd_streams() -> Vec<String> {
    let odd = [
        "1",
        "10",
        "1:",
        "01",
        "a",
        "A",
        "a.b",
        "a-b",
        "a--b",
        "a_b",
        "a:b",
        "a~b",
        "a@b",
        "a@1",
        "__x__",
        "...",
        ".a",
        "a.",
        "-",
        "--",
        "~",
        "@",
        ":",
        "_",
        "account-1",
        "SNAP",
        "null",
    ];
    let mut ids: Vec<String> = odd.map(str::to_owned).to_vec();
    ids.extend(["x".repeat(ID_CHARS_MAX), "x".repeat(ID_CHARS_MAX - 1)]);
    ids
}

async fn streams_of_odd_names_share_nothing(world: World) {
    let names: Vec<_> = odd_streams().iter().map(|id| account(id)).collect();
    for (nth, name) in names.iter().enumerate() {
        let text = nth.to_string();
        world.fill(name, &[world.commit("a", &[&text]), world.commit("b", &[&text])]).await;
    }
    for (nth, name) in names.iter().enumerate() {
        let events = world.events(name).await;
        let texts: Vec<_> = events.iter().map(|event| event.data.get().to_owned()).collect();
        assert_eq!(texts, vec![format!("{{\"text\":\"{nth}\"}}"); 2], "{name}");
        assert!(events.iter().all(|event| event.stream == *name));
    }
    let count = world
        .eventually("every stream", async || {
            let found = world.feed(&FeedQuery::default()).await;
            (found.len() == 2 * names.len()).then(|| {
                found.into_iter().map(|commit| commit.stream).collect::<BTreeSet<_>>().len()
            })
        })
        .await;
    assert_eq!(count, names.len());
}

async fn categories_share_no_streams(world: World) {
    let names = ["a-b.c", "a.b-c", "a-b-c", "a-b", "ab-c", "a.b-c-d"];
    for name in names {
        let name: StreamName = name.parse().unwrap();
        world.fill(&name, &[world.commit(name.as_str(), &["x"])]).await;
    }
    for name in names {
        let commits = world.commits(&name.parse().unwrap()).await;
        assert_eq!(commits.len(), 1, "{name}");
        assert_eq!(commits[0].commit.id().as_str(), name);
    }
}

async fn views_of_odd_names_share_nothing(world: World) {
    let (bank, ids) = (world.bank(), odd_streams());
    for (nth, id) in ids.iter().enumerate() {
        bank.accept(id, "a", &open(id)).await;
        bank.accept(id, "b", &deposit(nth as u64)).await;
        bank.handle("balances", &world.news(&account(id)).await).await;
    }
    for (nth, id) in ids.iter().enumerate() {
        let view = bank.view::<Balances>(id).await.unwrap();
        assert_eq!((view.owner, view.cents), (id.clone(), nth as u64));
    }
}

async fn views_of_odd_keys_share_nothing(world: World) {
    let (bank, keys) = (world.bank(), odd_ids());
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    bank.accept("1", "all", &tag(&keys)).await;
    for (nth, key) in keys.iter().enumerate() {
        bank.accept("1", &nth.to_string(), &tag(&[key])).await;
    }
    let news = world.news(&StreamName::new(Account::CATEGORY, &id("1"))).await;
    bank.handle("tags", &news).await;
    for (nth, key) in keys.iter().enumerate() {
        let events = vec!["account-1@1".into(), format!("account-1@{}", nth + 2)];
        assert_eq!(bank.view::<Tags>(key).await, Some(TaggedBy { events }), "{key:?}");
    }
}

async fn random_ids_are_as_many_documents(world: World) {
    let alphabet: Vec<char> = "/%2F#?._- ~a\\A0eé\u{301}日😀+:".chars().collect();
    let mut random = fastrand::Rng::with_seed(7);
    let mut ids = BTreeSet::new();
    while ids.len() < 400 {
        let length = random.usize(1..=6);
        let id: String = (0..length).map(|_| *random.choice(&alphabet).unwrap()).collect();
        ids.insert(id);
    }
    let key = |id: &String| DocumentKey { collection: "views.1".into(), id: id.clone() };
    let writes: Vec<_> =
        ids.iter().map(|id| Write { guard: Guard::Absent, ..put(id, id) }).collect();
    for batch in writes.chunks(100) {
        for (write, outcome) in batch.iter().zip(world.ports.documents.write(batch).await) {
            outcome.unwrap_or_else(|error| panic!("{:?}: {error}", write.key.id));
        }
    }
    for id in &ids {
        let found = world.get(&key(id)).await.map(|found| (found.id, found.body));
        assert_eq!(found, Some((id.clone(), body(id))), "{id:?}");
    }
}
