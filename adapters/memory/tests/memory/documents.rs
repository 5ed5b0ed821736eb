//! The document store.

use std::collections::BTreeSet;
use std::time::Duration;

use skyfold::limits::{
    BATCH_DOCUMENTS_MAX, DOCUMENT_BYTES_MAX, DOCUMENT_ID_CHARS_MAX, ID_CHARS_MAX, LISTS_MAX,
    PAGE_ITEMS_MAX,
};
use skyfold::ports::{DocumentKey, Guard, ListQuery, Listing, Order, Page, Revision, Write};
use skyfold::{ErrorKind, Payload, Ports, Result};
use skyfold_memory::{Faults, Memory, VirtualClock};

fn key(id: &str) -> DocumentKey {
    DocumentKey { collection: "probes.1".into(), id: id.into() }
}

fn write(id: &str, body: &str) -> Write {
    let body = Some(Payload::parse(body).unwrap());
    Write { key: key(id), body, listings: vec![], guard: Guard::None, expires: None }
}

/// A document in list 0, of `all`.
fn listed(id: &str, by: &str) -> Write {
    let listing = Listing { list: 0, under: "all".into(), by: by.into() };
    Write { listings: vec![listing], ..write(id, "1") }
}

fn delete(id: &str) -> Write {
    Write { body: None, ..write(id, "0") }
}

fn query(limit: usize, cursor: Option<String>) -> ListQuery {
    let (collection, under) = ("probes.1".to_owned(), "all".to_owned());
    ListQuery { collection, list: 0, under, order: Order::Ascending, limit, cursor }
}

async fn put(ports: &Ports, write: Write) -> Result<Revision> {
    ports.documents.write(&[write]).await.pop().unwrap()
}

async fn body(ports: &Ports, id: &str) -> Option<String> {
    let found = ports.documents.get(&[key(id)]).await.unwrap().pop().unwrap();
    found.map(|document| document.body.to_string())
}

fn ids(page: &Page) -> Vec<&str> {
    page.documents.iter().map(|document| document.id.as_str()).collect()
}

#[tokio::test]
async fn a_guard_that_fails_is_a_conflict_and_writes_nothing() {
    let ports = Memory::new().ports();
    let absent = Write { guard: Guard::Absent, ..write("a", "1") };
    let first = put(&ports, absent.clone()).await.unwrap();
    assert_eq!(put(&ports, absent).await.unwrap_err().kind(), ErrorKind::Conflict);
    let at = |revision: &Revision, body| Write {
        guard: Guard::At(revision.clone()),
        ..write("a", body)
    };
    let second = put(&ports, at(&first, "2")).await.unwrap();
    assert_eq!(put(&ports, at(&first, "3")).await.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(body(&ports, "a").await.as_deref(), Some("2"));

    put(&ports, delete("a")).await.unwrap();
    put(&ports, delete("a")).await.unwrap();
    assert_eq!(put(&ports, at(&second, "4")).await.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(body(&ports, "a").await, None);
}

#[tokio::test]
async fn every_write_makes_another_revision_even_after_a_deletion() {
    let ports = Memory::new().ports();
    let mut seen = BTreeSet::new();
    for change in [write("a", "1"), write("a", "1"), delete("a"), write("a", "1"), write("b", "1")]
    {
        assert!(seen.insert(put(&ports, change).await.unwrap().0));
    }
}

#[tokio::test]
async fn writes_of_a_batch_succeed_or_fail_each_on_its_own() {
    let ports = Memory::new().ports();
    put(&ports, write("b", "0")).await.unwrap();
    let large = format!("\"{}\"", "x".repeat(DOCUMENT_BYTES_MAX - 1));
    let fits = format!("\"{}\"", "x".repeat(DOCUMENT_BYTES_MAX - 2));
    let batch = [
        write("a", "1"),
        Write { guard: Guard::Absent, ..write("b", "1") },
        write("c", &large),
        write("d", &fits),
        write("e\n", "1"),
    ];
    let outcomes = ports.documents.write(&batch).await;
    let kinds: Vec<_> = outcomes.iter().map(|o| o.as_ref().err().map(|e| e.kind())).collect();
    let (conflict, oversized) = (Some(ErrorKind::Conflict), Some(ErrorKind::Oversized));
    assert_eq!(kinds, [None, conflict, oversized, None, Some(ErrorKind::Invalid)]);
    assert_eq!(body(&ports, "b").await.as_deref(), Some("0"));
    assert_eq!(body(&ports, "c").await, None);
}

#[tokio::test]
async fn a_batch_keeps_the_portable_limits() {
    let ports = Memory::new().ports();
    let kind = |outcomes: Vec<Result<Revision>>| {
        outcomes.into_iter().map(|o| o.map_or_else(|e| Some(e.kind()), |_| None)).collect()
    };
    let batch: Vec<_> = (0..=BATCH_DOCUMENTS_MAX).map(|nth| write(&nth.to_string(), "1")).collect();
    let kinds: BTreeSet<_> = kind_names(kind(ports.documents.write(&batch).await));
    assert_eq!(kinds, BTreeSet::from(["too-large"]));
    ports.documents.write(&batch[1..]).await.into_iter().for_each(|o| drop(o.unwrap()));

    let keys: Vec<_> = batch.iter().map(|write| write.key.clone()).collect();
    assert_eq!(ports.documents.get(&keys).await.unwrap_err().kind(), ErrorKind::Oversized);
    let found = ports.documents.get(&keys[1..]).await.unwrap();
    assert_eq!(found.iter().flatten().count(), BATCH_DOCUMENTS_MAX);
    let twice = [key("1"), key("1")];
    assert_eq!(ports.documents.get(&twice).await.unwrap_err().kind(), ErrorKind::Invalid);
    let twice = ports.documents.write(&[write("1", "7"), write("1", "8")]).await;
    assert_eq!(kind_names(kind(twice)), BTreeSet::from(["invalid"]));
    assert_eq!(body(&ports, "1").await.as_deref(), Some("1"));
}

fn kind_names(kinds: Vec<Option<ErrorKind>>) -> BTreeSet<&'static str> {
    kinds.into_iter().map(|kind| kind.map_or("none", ErrorKind::code)).collect()
}

#[tokio::test]
async fn an_id_is_any_short_text_and_two_of_them_are_two_documents() {
    let ports = Memory::new().ports();
    let longest = "ö".repeat(DOCUMENT_ID_CHARS_MAX);
    let legal =
        ["a/b", "a\\b", "a#b", "a?b", "..", "__a__", "a b", "日本", "é", "e\u{301}", &longest];
    for (nth, id) in legal.into_iter().enumerate() {
        put(&ports, write(id, &nth.to_string())).await.unwrap();
    }
    for (nth, id) in legal.into_iter().enumerate() {
        assert_eq!(body(&ports, id).await, Some(nth.to_string()), "{id}");
    }
    for illegal in ["", "a\0", "a\n", "\u{7f}", &"x".repeat(DOCUMENT_ID_CHARS_MAX + 1)] {
        let error = put(&ports, write(illegal, "1")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{illegal:?}");
        assert_eq!(
            ports.documents.get(&[key(illegal)]).await.unwrap_err().kind(),
            ErrorKind::Invalid
        );
    }
    let foreign = DocumentKey { collection: "Probes/1".into(), id: "a".into() };
    assert_eq!(ports.documents.get(&[foreign]).await.unwrap_err().kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn a_listing_that_no_store_could_keep_is_refused() {
    let ports = Memory::new().ports();
    let listing = Listing { list: 0, under: "all".into(), by: "1".into() };
    let long = "x".repeat(ID_CHARS_MAX + 1);
    for illegal in [
        vec![Listing { list: LISTS_MAX, ..listing.clone() }],
        vec![Listing { under: String::new(), ..listing.clone() }],
        vec![Listing { by: long, ..listing.clone() }],
        vec![Listing { by: "a\nb".into(), ..listing.clone() }],
        vec![listing.clone(), listing.clone()],
    ] {
        let write = Write { listings: illegal, ..write("a", "1") };
        assert_eq!(put(&ports, write).await.unwrap_err().kind(), ErrorKind::Invalid);
    }
    for illegal in [
        ListQuery { limit: 0, ..query(1, None) },
        ListQuery { list: LISTS_MAX, ..query(1, None) },
        ListQuery { under: "a\n".into(), ..query(1, None) },
    ] {
        let error = ports.documents.list(&illegal).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{illegal:?}");
    }
}

#[tokio::test]
async fn a_document_is_in_the_lists_of_its_last_write_alone() {
    let ports = Memory::new().ports();
    put(&ports, listed("a", "1")).await.unwrap();
    put(&ports, listed("b", "2")).await.unwrap();
    put(&ports, listed("a", "3")).await.unwrap();
    assert_eq!(ids(&ports.documents.list(&query(9, None)).await.unwrap()), ["b", "a"]);
    put(&ports, write("b", "1")).await.unwrap();
    put(&ports, delete("a")).await.unwrap();
    assert_eq!(ids(&ports.documents.list(&query(9, None)).await.unwrap()), [""; 0]);
}

#[tokio::test]
async fn a_list_is_in_order_of_what_it_is_by_and_then_of_ids_either_way() {
    let ports = Memory::new().ports();
    for (id, by) in [("b", "1"), ("a", "1"), ("c", "0"), ("d", "10")] {
        put(&ports, listed(id, by)).await.unwrap();
    }
    assert_eq!(ids(&ports.documents.list(&query(9, None)).await.unwrap()), ["c", "a", "b", "d"]);
    let back = ListQuery { order: Order::Descending, ..query(9, None) };
    assert_eq!(ids(&ports.documents.list(&back).await.unwrap()), ["d", "b", "a", "c"]);
}

#[tokio::test]
async fn a_cursor_stays_usable_while_documents_come_and_go() {
    let ports = Memory::new().ports();
    for id in ["b", "d", "f", "h", "j"] {
        put(&ports, listed(id, id)).await.unwrap();
    }
    for order in [Order::Ascending, Order::Descending] {
        let query = |cursor| ListQuery { order, ..query(2, cursor) };
        let first = ports.documents.list(&query(None)).await.unwrap();
        // The page's last document goes, others come on both sides of where it ended.
        let last = ids(&first)[1].to_owned();
        put(&ports, delete(&last)).await.unwrap();
        put(&ports, listed("a", "a")).await.unwrap();
        put(&ports, listed("z", "z")).await.unwrap();
        let mut seen: Vec<String> = ids(&first).into_iter().map(str::to_owned).collect();
        let mut cursor = first.next;
        while cursor.is_some() {
            let page = ports.documents.list(&query(cursor)).await.unwrap();
            seen.extend(ids(&page).into_iter().map(str::to_owned));
            cursor = page.next;
        }
        let expected: &[&str] = match order {
            Order::Ascending => &["b", "d", "f", "h", "j", "z"],
            Order::Descending => &["j", "h", "f", "d", "b", "a"],
        };
        assert_eq!(seen, expected);
        put(&ports, listed(&last, &last)).await.unwrap();
        put(&ports, delete("a")).await.unwrap();
        put(&ports, delete("z")).await.unwrap();
    }
}

#[tokio::test]
async fn a_cursor_of_another_list_or_maker_is_refused() {
    let (ports, other) = (Memory::new().ports(), Memory::new().ports());
    for id in ["a", "b", "c"] {
        put(&ports, listed(id, id)).await.unwrap();
    }
    let cursor = ports.documents.list(&query(1, None)).await.unwrap().next.unwrap();
    let own = query(1, Some(cursor.clone()));
    assert_eq!(ids(&ports.documents.list(&own).await.unwrap()), ["b"]);
    let (collection, under) = ("probes.2".to_owned(), "some".to_owned());
    for foreign in [
        ListQuery { collection, ..own.clone() },
        ListQuery { list: 1, ..own.clone() },
        ListQuery { under, ..own.clone() },
        ListQuery { order: Order::Descending, ..own.clone() },
        ListQuery { cursor: Some(cursor[1..].to_owned()), ..own.clone() },
        ListQuery { cursor: Some(String::new()), ..own.clone() },
    ] {
        let error = ports.documents.list(&foreign).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{foreign:?}");
    }
    assert_eq!(other.documents.list(&own).await.unwrap_err().kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn a_page_is_never_larger_than_the_limit_of_all_stores() {
    let ports = Memory::new().ports();
    for nth in 0..=PAGE_ITEMS_MAX {
        put(&ports, listed(&nth.to_string(), "1")).await.unwrap();
    }
    let page = ports.documents.list(&query(1_000, None)).await.unwrap();
    assert_eq!(page.documents.len(), PAGE_ITEMS_MAX);
    let page = ports.documents.list(&query(1_000, page.next)).await.unwrap();
    assert_eq!((page.documents.len(), page.next), (1, None));
}

#[tokio::test]
async fn a_document_is_gone_from_everywhere_when_it_expires() {
    let clock = VirtualClock::new();
    let memory = Memory::with_clock(clock.clone());
    let ports = memory.ports();
    let expires = Some(VirtualClock::START + Duration::from_secs(10));
    put(&ports, Write { expires, ..listed("a", "1") }).await.unwrap();
    put(&ports, Write { expires, ..listed("b", "1") }).await.unwrap();
    put(&ports, listed("b", "1")).await.unwrap();
    clock.advance(Duration::from_secs(9));
    assert_eq!(body(&ports, "a").await.as_deref(), Some("1"));
    clock.advance(Duration::from_secs(1));
    assert_eq!(body(&ports, "a").await, None);
    assert_eq!(ids(&ports.documents.list(&query(9, None)).await.unwrap()), ["b"]);
    assert_eq!(memory.dump().unwrap().documents.len(), 1);
    put(&ports, Write { guard: Guard::Absent, ..write("a", "2") }).await.unwrap();
}

#[tokio::test]
async fn a_stale_list_shows_what_was_there_a_few_writes_ago() {
    let faults = Faults { stale: 1.0, ..Faults::none() };
    let memory = Memory::with_faults(faults, VirtualClock::new());
    let ports = memory.ports();
    for (id, by) in [("a", "1"), ("b", "2"), ("a", "3"), ("c", "4")] {
        put(&ports, listed(id, by)).await.unwrap();
    }
    put(&ports, delete("b")).await.unwrap();
    let mut seen = BTreeSet::new();
    for _ in 0..50 {
        let page = ports.documents.list(&query(9, None)).await.unwrap();
        seen.insert(ids(&page).concat());
        assert_eq!(body(&ports, "b").await, None, "a get is never stale");
    }
    let earlier = ["bac", "ba", "ab"].map(str::to_owned);
    assert_eq!(seen, BTreeSet::from(earlier));
    memory.calm();
    assert_eq!(ids(&ports.documents.list(&query(9, None)).await.unwrap()), ["a", "c"]);
}
