//! What every document store promises of a whole collection, asked of the port itself.

use std::collections::BTreeMap;

use skyfold::limits::PAGE_ITEMS_MAX;
use skyfold::ports::{Document, DocumentKey, ListQuery, Listing, Order, Page, ScanQuery, Write};
use skyfold::{ErrorKind, Result};

use super::documents::{key, put};
use super::{Case, World, cases};

pub(super) const CASES: &[Case] = cases![
    a_scan_shows_every_document_of_its_collection,
    a_scan_shows_each_document_as_it_is,
    a_scan_shows_documents_of_any_id,
    a_cursor_of_a_scan_stays_usable_while_documents_come_and_go,
    a_cursor_of_another_collection_is_invalid,
    #[needs(Expiry)]
    a_scan_shows_nothing_that_expired,
];

/// How many pages a scan of these cases may take: far more than it has documents.
const PAGES_MAX: usize = 1_000;

fn query(limit: usize) -> ScanQuery {
    ScanQuery { collection: "views.1".into(), limit, cursor: None }
}

async fn page(world: &World, query: &ScanQuery) -> Result<Page> {
    let page = world.ports.documents.scan(query).await?;
    let count = page.documents.len();
    assert!(count <= query.limit, "{count} documents, of at most {}", query.limit);
    Ok(page)
}

/// Everything that `query` finds, in pages.
async fn read(world: &World, mut query: ScanQuery) -> Vec<Document> {
    let mut found = vec![];
    for _ in 0..PAGES_MAX {
        let page = page(world, &query).await.unwrap();
        found.extend(page.documents);
        query.cursor = page.next;
        if query.cursor.is_none() {
            return found;
        }
    }
    panic!("{query:?} goes on without an end");
}

/// The documents of the collection, read in pages of up to `limit`: each is shown once.
pub(super) async fn scanned(world: &World, collection: &str, limit: usize) -> Vec<Document> {
    let query = ScanQuery { collection: collection.into(), ..query(limit) };
    let mut found = read(world, query).await;
    found.sort_by(|one, other| one.id.cmp(&other.id));
    let twice = found.windows(2).find(|pair| pair[0].id == pair[1].id);
    assert!(twice.is_none(), "{twice:?}");
    found
}

/// Waits until a scan finds `expected`, in order of id, since it may lag behind.
async fn shows(world: &World, limit: usize, expected: &[&str]) {
    let mut found: Vec<String> = vec![];
    for _ in 0..100 {
        let documents = scanned(world, "views.1", limit).await;
        found = documents.into_iter().map(|document| document.id).collect();
        if found == expected {
            return;
        }
        world.pass(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(found, expected, "in pages of {limit}");
}

fn beside(collection: &str, id: &str) -> Write {
    let key = DocumentKey { collection: collection.into(), id: id.into() };
    Write { key, ..put(id, id) }
}

async fn a_scan_shows_every_document_of_its_collection(world: World) {
    shows(&world, PAGE_ITEMS_MAX, &[]).await;
    let ids: Vec<_> = (0..230).map(|n| format!("{n:03}")).collect();
    for id in &ids {
        world.write(put(id, id)).await.unwrap();
    }
    for collection in ["views", "views.", "views.0", "views.10", "views.1-", "views.2"] {
        world.write(beside(collection, "of another")).await.unwrap();
    }
    let expected: Vec<_> = ids.iter().map(String::as_str).collect();
    for limit in [7, 99, PAGE_ITEMS_MAX] {
        shows(&world, limit, &expected).await;
    }
    for id in &ids[..200] {
        world.delete(key(id)).await;
    }
    for limit in [1, PAGE_ITEMS_MAX] {
        shows(&world, limit, &expected[200..]).await;
    }
}

async fn a_scan_shows_each_document_as_it_is(world: World) {
    for n in 0..3 {
        let listings = vec![Listing { list: 0, under: "all".into(), by: n.to_string() }];
        let id = n.to_string();
        world.write(Write { listings: listings.clone(), ..put(&id, "old") }).await.unwrap();
        world.write(Write { listings, ..put(&id, &format!("größe {n}")) }).await.unwrap();
    }
    shows(&world, PAGE_ITEMS_MAX, &["0", "1", "2"]).await;
    world
        .eventually("the last writes", async || {
            let mut found = BTreeMap::new();
            for document in scanned(&world, "views.1", 2).await {
                found.insert(document.id.clone(), document);
            }
            for (id, document) in found {
                if world.get(&key(&id)).await != Some(document) {
                    return None;
                }
            }
            Some(())
        })
        .await;
}

async fn a_scan_shows_documents_of_any_id(world: World) {
    let mut odd = super::names::odd_ids();
    for id in &odd {
        world.write(put(id, id)).await.unwrap();
    }
    odd.sort();
    let expected: Vec<_> = odd.iter().map(|id| &**id).collect();
    shows(&world, 3, &expected).await;
}

async fn a_cursor_of_a_scan_stays_usable_while_documents_come_and_go(world: World) {
    let name = |n: usize| format!("{n:02}");
    for n in 0..40 {
        world.write(put(&name(n), "old")).await.unwrap();
    }
    let ids: Vec<_> = (0..40).map(name).collect();
    shows(&world, PAGE_ITEMS_MAX, &ids.iter().map(String::as_str).collect::<Vec<_>>()).await;
    // A page may be empty before the end.
    let (mut query, mut found): (_, Vec<String>) = (query(5), vec![]);
    while found.is_empty() {
        let page = page(&world, &query).await.unwrap();
        found.extend(page.documents.into_iter().map(|document| document.id));
        query.cursor = page.next;
        assert!(query.cursor.is_some(), "5 of 40 are not all");
    }
    // The one at the cursor goes, and others before and after it; some change, and others come.
    let last = found.last().unwrap().clone();
    let ahead: Vec<_> = ids.iter().filter(|id| !found.contains(id)).cloned().collect();
    for gone in [&found[0].clone(), &last, &ahead[3]] {
        world.delete(key(gone)).await;
    }
    for changed in [&found[1], &ahead[5]] {
        world.write(put(changed, "new")).await.unwrap();
    }
    for new in ["!", "zz"] {
        world.write(put(new, "new")).await.unwrap();
    }
    found.extend(read(&world, query).await.into_iter().map(|document| document.id));
    for id in ids.iter().filter(|id| **id != ahead[3]) {
        let shown = found.iter().filter(|found| *found == id).count();
        assert_eq!(shown, 1, "{id} in {found:?}");
    }
}

async fn a_cursor_of_another_collection_is_invalid(world: World) {
    for n in 0..9 {
        let listings = vec![Listing { list: 0, under: "ada".into(), by: n.to_string() }];
        world.write(Write { listings, ..put(&n.to_string(), "x") }).await.unwrap();
        world.write(beside("views.2", &n.to_string())).await.unwrap();
    }
    let own = query(3);
    let cursor = world.eventually("a cursor", async || page(&world, &own).await.unwrap().next);
    let cursor = cursor.await;
    page(&world, &ScanQuery { cursor: Some(cursor.clone()), ..own.clone() }).await.unwrap();
    let list = ListQuery {
        collection: "views.1".into(),
        list: 0,
        under: "ada".into(),
        order: Order::Ascending,
        limit: 3,
        cursor: None,
    };
    let of_list = world
        .eventually("a cursor of a list", async || {
            world.ports.documents.list(&list).await.unwrap().next
        })
        .await;
    let other = ScanQuery { collection: "views.2".into(), ..own.clone() };
    let (longer, shorter) = (format!("{cursor}0"), cursor[1..].to_owned());
    for (query, cursor) in [
        (&other, &*cursor),
        (&own, &*of_list),
        (&own, ""),
        (&own, "0"),
        (&own, "null"),
        (&own, "a'b\"c\0"),
        (&own, &*longer),
        (&own, &*shorter),
    ] {
        let query = ScanQuery { cursor: Some(cursor.into()), ..query.clone() };
        let kind = page(&world, &query).await.map_err(|error| error.kind());
        assert_eq!(kind.unwrap_err(), ErrorKind::Invalid, "{query:?}");
    }
    let list = ListQuery { cursor: Some(cursor), ..list };
    let error = world.ports.documents.list(&list).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid, "a scan's cursor is none of a list");
}

async fn a_scan_shows_nothing_that_expired(world: World) {
    let soon = world.now() + time::Duration::SECOND;
    world.write(Write { expires: Some(soon), ..put("soon", "x") }).await.unwrap();
    world.write(put("never", "x")).await.unwrap();
    shows(&world, 9, &["never", "soon"]).await;
    world.pass(std::time::Duration::from_secs(2)).await;
    shows(&world, 9, &["never"]).await;
}
