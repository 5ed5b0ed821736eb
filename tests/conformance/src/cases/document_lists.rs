//! What every document store promises of lists, asked of the port itself.

use skyfold::limits::{LISTS_MAX, PAGE_ITEMS_MAX};
use skyfold::ports::{ListQuery, Listing, Order, Page, Write};
use skyfold::{ErrorKind, Result};

use super::documents::{key, put};
use super::{Case, World, cases};

pub(super) const CASES: &[Case] = cases![
    a_document_is_in_the_lists_of_its_last_write,
    a_deleted_document_is_in_no_list,
    a_list_is_ordered_by_its_text_and_then_by_id,
    a_list_is_read_in_pages_without_a_loss,
    a_cursor_stays_usable_while_documents_come_and_go,
    a_cursor_of_another_list_is_invalid,
    a_cursor_that_was_not_made_here_is_invalid,
    what_a_list_is_of_may_be_any_text,
    a_list_shows_each_document_as_it_is,
];

/// How many pages a list of these cases may take: far more than it has documents.
const PAGES_MAX: usize = 1_000;

fn query(list: usize, under: &str) -> ListQuery {
    ListQuery {
        collection: "views.1".into(),
        list,
        under: under.into(),
        order: Order::Ascending,
        limit: PAGE_ITEMS_MAX,
        cursor: None,
    }
}

async fn page(world: &World, query: &ListQuery) -> Result<Page> {
    let page = world.ports.documents.list(query).await?;
    let count = page.documents.len();
    assert!(count <= query.limit, "{count} documents, of at most {}", query.limit);
    Ok(page)
}

/// The ids of everything that `query` finds, in pages.
async fn read(world: &World, mut query: ListQuery) -> Vec<String> {
    let mut found = vec![];
    for _ in 0..PAGES_MAX {
        let page = page(world, &query).await.unwrap();
        found.extend(page.documents.into_iter().map(|document| document.id));
        query.cursor = page.next;
        if query.cursor.is_none() {
            return found;
        }
    }
    panic!("{query:?} goes on without an end");
}

/// The ids of the documents listed in `list` under `under`.
pub(super) async fn ids(world: &World, list: usize, under: &str) -> Vec<String> {
    read(world, query(list, under)).await
}

/// The ids of the documents of `collection` listed in `list` under `under`.
pub(super) async fn ids_of(
    world: &World,
    collection: &str,
    list: usize,
    under: &str,
) -> std::collections::BTreeSet<String> {
    let query = ListQuery { collection: collection.into(), ..query(list, under) };
    read(world, query).await.into_iter().collect()
}

/// Waits until `query` finds `expected`, since a list may lag behind.
async fn shows(world: &World, query: ListQuery, expected: &[&str]) {
    let mut found = vec![];
    for _ in 0..100 {
        found = read(world, query.clone()).await;
        if found == expected {
            return;
        }
        world.pass(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(found, expected, "{query:?}");
}

fn listing(list: usize, under: &str, by: &str) -> Listing {
    Listing { list, under: under.into(), by: by.into() }
}

/// Puts the document `id` into the lists `listings`.
async fn list(world: &World, id: &str, listings: &[Listing]) {
    let write = Write { listings: listings.to_vec(), ..put(id, id) };
    world.write(write).await.unwrap();
}

async fn a_document_is_in_the_lists_of_its_last_write(world: World) {
    let all: Vec<_> = (0..LISTS_MAX).map(|nth| listing(nth, "ada", "1")).collect();
    list(&world, "x", &all).await;
    list(&world, "y", &[listing(0, "ada", "2"), listing(2, "bob", "2")]).await;
    for (nth, expected) in [(0, &["x", "y"][..]), (1, &["x"]), (2, &["x"])] {
        shows(&world, query(nth, "ada"), expected).await;
    }
    shows(&world, query(2, "bob"), &["y"]).await;
    // To another place of the list, to another list, under something else.
    list(&world, "x", &[listing(0, "ada", "3"), listing(1, "bob", "1")]).await;
    shows(&world, query(0, "ada"), &["y", "x"]).await;
    shows(&world, query(1, "ada"), &[]).await;
    shows(&world, query(1, "bob"), &["x"]).await;
    shows(&world, query(2, "ada"), &[]).await;
    list(&world, "y", &[]).await;
    shows(&world, query(0, "ada"), &["x"]).await;
    shows(&world, query(2, "bob"), &[]).await;
    assert!(world.get(&key("y")).await.is_some(), "it is only in no list");
}

async fn a_deleted_document_is_in_no_list(world: World) {
    let all: Vec<_> = (0..LISTS_MAX).map(|nth| listing(nth, "ada", "1")).collect();
    list(&world, "x", &all).await;
    list(&world, "y", &all).await;
    world.delete(key("x")).await;
    for nth in 0..LISTS_MAX {
        shows(&world, query(nth, "ada"), &["y"]).await;
    }
    list(&world, "x", &[listing(1, "ada", "1")]).await;
    shows(&world, query(0, "ada"), &["y"]).await;
    shows(&world, query(1, "ada"), &["x", "y"]).await;
}

async fn a_list_is_ordered_by_its_text_and_then_by_id(world: World) {
    // In order of code points, so that an end of the text comes before whatever else.
    let bys =
        [" ", "!", "0", "10", "9", "A", "a", "a ", "a#", "a/b", "ab", "é", "日本", "ｚ", "😀"];
    let ids = ["!", "1", "A", "a", "é", "😀"];
    let mut expected = vec![];
    for (nth, by) in bys.iter().enumerate() {
        for id in ids {
            expected.push(format!("{id}{nth}"));
            // Not in the order in which they are to be found.
            let (id, by) = (format!("{id}{nth}"), *by);
            list(&world, &id, &[listing(0, "all", by)]).await;
        }
    }
    assert!(bys.is_sorted() && ids.is_sorted());
    let expected: Vec<_> = expected.iter().map(String::as_str).collect();
    shows(&world, query(0, "all"), &expected).await;
    let descending = ListQuery { order: Order::Descending, limit: 7, ..query(0, "all") };
    let reversed: Vec<_> = expected.iter().rev().copied().collect();
    shows(&world, descending, &reversed).await;
}

async fn a_list_is_read_in_pages_without_a_loss(world: World) {
    let ids: Vec<_> = (0..230).map(|n| format!("{n:03}")).collect();
    for id in &ids {
        // Three of each place, so that a page ends among equals.
        let by = (id.parse::<usize>().unwrap() / 3).to_string();
        list(&world, id, &[listing(1, "all", &format!("{by:0>3}"))]).await;
    }
    let ascending: Vec<_> = ids.iter().map(String::as_str).collect();
    let descending: Vec<_> = ascending.iter().rev().copied().collect();
    for limit in [1, 7, 99, PAGE_ITEMS_MAX] {
        for (order, expected) in [(Order::Ascending, &ascending), (Order::Descending, &descending)]
        {
            shows(&world, ListQuery { order, limit, ..query(1, "all") }, expected).await;
        }
    }
}

async fn a_cursor_stays_usable_while_documents_come_and_go(world: World) {
    for order in [Order::Ascending, Order::Descending] {
        let world = world.another().await;
        let name = |n: usize| format!("{n:02}");
        for n in 0..20 {
            list(&world, &name(n), &[listing(0, "all", &name(n))]).await;
        }
        let all = ListQuery { order, limit: 5, ..query(0, "all") };
        let ids: Vec<_> = (0..20).map(name).collect();
        let mut expected: Vec<_> = ids.iter().map(String::as_str).collect();
        if order == Order::Descending {
            expected.reverse();
        }
        shows(&world, all.clone(), &expected).await;

        let first = page(&world, &all).await.unwrap();
        let mut found: Vec<_> = first.documents.into_iter().map(|document| document.id).collect();
        // Those before the cursor, at it and after it go or move; others come at either end.
        let last = found.last().unwrap().clone();
        for gone in [&found[1].clone(), &last, &name(10)] {
            world.delete(key(gone)).await;
        }
        list(&world, &name(12), &[listing(0, "all", &name(12)), listing(1, "all", "1")]).await;
        for (id, by) in [("low", "000"), ("high", "999")] {
            list(&world, id, &[listing(0, "all", by)]).await;
        }
        let rest = ListQuery { cursor: first.next, ..all };
        found.extend(read(&world, rest).await);
        let stayed = |id: &&String| **id != last && **id != name(10);
        for id in ids.iter().filter(stayed) {
            let shown = found.iter().filter(|found| *found == id).count();
            assert_eq!(shown, 1, "{id} in {found:?}");
        }
    }
}

/// A list of documents and a cursor into its middle.
async fn with_cursor(world: &World) -> (ListQuery, String) {
    for n in 0..9 {
        let listings = [listing(0, "ada", &n.to_string()), listing(1, "ada", &n.to_string())];
        list(world, &n.to_string(), &listings).await;
        list(world, &format!("bob {n}"), &[listing(0, "bob", &n.to_string())]).await;
    }
    let query = ListQuery { limit: 3, ..query(0, "ada") };
    let cursor =
        world.eventually("a cursor", async || page(world, &query).await.unwrap().next).await;
    (query, cursor)
}

async fn a_cursor_of_another_list_is_invalid(world: World) {
    let (own, cursor) = with_cursor(&world).await;
    let cursor = Some(cursor);
    page(&world, &ListQuery { cursor: cursor.clone(), ..own.clone() }).await.unwrap();
    for other in [
        ListQuery { under: "bob".into(), ..own.clone() },
        ListQuery { list: 1, ..own.clone() },
        ListQuery { collection: "views.2".into(), ..own.clone() },
    ] {
        let query = ListQuery { cursor: cursor.clone(), ..other };
        let kind = page(&world, &query).await.map_err(|error| error.kind());
        assert_eq!(kind.unwrap_err(), ErrorKind::Invalid, "{query:?}");
    }
}

async fn a_cursor_that_was_not_made_here_is_invalid(world: World) {
    let (own, cursor) = with_cursor(&world).await;
    let (longer, shorter) = (format!("{cursor}0"), &cursor[1..]);
    for foreign in ["", "0", "null", "{}", "größe", "../..", "a'b\"c\0", &longer, shorter] {
        let query = ListQuery { cursor: Some(foreign.into()), ..own.clone() };
        let kind = page(&world, &query).await.map_err(|error| error.kind());
        assert_eq!(kind.unwrap_err(), ErrorKind::Invalid, "the cursor {foreign:?}");
    }
}

async fn what_a_list_is_of_may_be_any_text(world: World) {
    let odd = super::names::odd_ids();
    for (nth, text) in odd.iter().enumerate() {
        list(&world, &nth.to_string(), &[listing(0, text, text), listing(2, "all", text)]).await;
    }
    for (nth, text) in odd.iter().enumerate() {
        shows(&world, query(0, text), &[&nth.to_string()]).await;
    }
    let mut sorted: Vec<_> = odd.iter().enumerate().map(|(nth, text)| (text, nth)).collect();
    sorted.sort_unstable();
    let expected: Vec<_> = sorted.into_iter().map(|(_, nth)| nth.to_string()).collect();
    let expected: Vec<_> = expected.iter().map(String::as_str).collect();
    shows(&world, ListQuery { limit: 3, ..query(2, "all") }, &expected).await;
}

async fn a_list_shows_each_document_as_it_is(world: World) {
    for n in 0..3 {
        list(&world, &n.to_string(), &[listing(0, "all", &n.to_string())]).await;
    }
    shows(&world, query(0, "all"), &["0", "1", "2"]).await;
    for document in page(&world, &query(0, "all")).await.unwrap().documents {
        assert_eq!(Some(document.clone()), world.get(&key(&document.id)).await);
    }
}
