//! An operator looks at recorded events: those of a stream, and those of all, page by page.

use std::collections::BTreeMap;

use skyfold::limits::{EVENT_BYTES_MAX, PAGE_ITEMS_MAX};
use skyfold::ports::FeedQuery;
use skyfold::{CloudEvent, ErrorKind, Version};

use super::bank::{account, note, open};
use super::replay::fill;
use super::world::{event, stream};
use super::{Bank, Case, World, cases};

pub(super) const CASES: &[Case] = cases![
    a_stream_is_looked_at_from_any_version_on,
    every_event_is_shown_once_and_in_the_order_of_its_stream,
    what_comes_after_the_end_is_shown_from_there,
    large_events_make_short_pages,
    what_cannot_be_looked_at_is_told,
];

async fn a_stream_is_looked_at_from_any_version_on(world: World) {
    let bank = world.bank();
    bank.accept("1", "a", &open("ada")).await;
    bank.accept("1", "b", &note("x", 5)).await;
    bank.accept("1", "c", &note("y", 2)).await;
    let events = bank.runtime.events();
    for from in 1..=9 {
        for limit in [1, 3, PAGE_ITEMS_MAX] {
            let page = events.of(&account("1"), Version(from), limit).await.unwrap();
            let shown: Vec<_> = page.items.iter().map(|event| event.id.version.0).collect();
            let expected: Vec<_> = (from..=8).take(limit).collect();
            assert_eq!(shown, expected, "from {from}, at most {limit}");
            let next = Some(from + limit as u64).filter(|next| *next <= 8).map(Version);
            assert_eq!(page.next, next, "from {from}, at most {limit}");
        }
    }
}

/// All events that there are for now, from where the `cursor` is on.
async fn all(bank: &Bank, query: &FeedQuery, cursor: &mut Option<String>) -> Vec<CloudEvent> {
    let mut found = vec![];
    loop {
        let page = bank.runtime.events().read(query, cursor.as_deref()).await.unwrap();
        assert!(page.items.len() <= PAGE_ITEMS_MAX, "a page of {}", page.items.len());
        found.extend(page.items);
        *cursor = Some(page.next);
        if page.is_tail {
            return found;
        }
    }
}

/// Asserts that these are the `expected` versions of each stream, in order.
fn check(found: &[CloudEvent], expected: &BTreeMap<String, Vec<u64>>) {
    let mut shown: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for event in found {
        shown.entry(event.subject.to_string()).or_default().push(event.id.version.0);
    }
    assert_eq!(shown, *expected);
}

async fn every_event_is_shown_once_and_in_the_order_of_its_stream(world: World) {
    let bank = fill(&world).await;
    let query = FeedQuery { categories: vec!["account".into()], ..FeedQuery::default() };
    let found = all(&bank, &query, &mut None).await;
    let expected = (0..30).map(|n| (format!("account-{n}"), vec![1, 2, 3, 4])).collect();
    check(&found, &expected);
    let since = Some(world.now() + time::Duration::HOUR);
    let later = FeedQuery { since, ..query };
    assert_eq!(all(&bank, &later, &mut None).await, vec![]);
}

async fn what_comes_after_the_end_is_shown_from_there(world: World) {
    let bank = fill(&world).await;
    let (query, mut cursor) = (FeedQuery::default(), None);
    assert_eq!(all(&bank, &query, &mut cursor).await.len(), 120);
    bank.accept("7", "d", &note("x", 2)).await;
    let mut found = vec![];
    world
        .eventually("the news", async || {
            found.extend(all(&bank, &query, &mut cursor).await);
            (!found.is_empty()).then_some(())
        })
        .await;
    check(&found, &[("account-7".to_owned(), vec![5, 6])].into());
}

async fn large_events_make_short_pages(world: World) {
    let name = stream("account-large");
    let data = format!("\"{}\"", "x".repeat(EVENT_BYTES_MAX - 2));
    let commits: Vec<_> = (0..20)
        .map(|n| world.commit_of(&format!("c{n}"), vec![event("Noted", 1, &data)]))
        .collect();
    world.fill(&name, &commits).await;
    let bank = world.bank();
    let page = bank.runtime.events().of(&name, Version(1), PAGE_ITEMS_MAX).await.unwrap();
    assert_eq!((page.items.len(), page.next), (16, Some(Version(17))));
    let found = world.eventually("every event", async || {
        let (mut found, mut cursor) = (vec![], None);
        loop {
            let page = bank.runtime.events().read(&FeedQuery::default(), cursor.as_deref()).await;
            let page = page.unwrap();
            assert!(page.items.len() <= 16, "a page of {}", page.items.len());
            found.extend(page.items);
            cursor = Some(page.next);
            if page.is_tail {
                return (found.len() == 20).then_some(found);
            }
        }
    });
    check(&found.await, &[(name.to_string(), (1..=20).collect())].into());
}

async fn what_cannot_be_looked_at_is_told(world: World) {
    let bank = world.bank();
    let events = bank.runtime.events();
    for limit in [0, PAGE_ITEMS_MAX + 1] {
        let error = events.of(&account("1"), Version(1), limit).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
    }
    let unknown = FeedQuery { categories: vec!["acount".into()], ..FeedQuery::default() };
    let error = events.read(&unknown, None).await.unwrap_err();
    assert!(error.to_string().contains("no category \"acount\"; it has account"), "{error}");
    assert_eq!(error.kind(), ErrorKind::Invalid);
    for cursor in ["", "x", "{}", r#"{"slice":65535,"at":[],"seen":0}"#, "[0,[\"x\"],0]"] {
        let outcome = events.read(&FeedQuery::default(), Some(cursor)).await;
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Invalid, "{cursor:?}");
    }
}
