//! What every document store promises of documents by key, asked of the port itself.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use skyfold::limits::BATCH_DOCUMENTS_MAX;
use skyfold::ports::{DocumentKey, Guard, Listing, Revision, Write};
use skyfold::{ErrorKind, Payload};

use super::{Case, World, cases};

pub(super) const CASES: &[Case] = cases![
    a_get_sees_every_write_that_returned,
    a_get_answers_in_the_order_of_its_keys,
    a_body_is_kept_to_the_byte,
    writes_of_a_batch_succeed_or_fail_each_on_its_own,
    a_full_batch_is_written_and_read,
    a_failed_guard_conflicts_and_writes_nothing,
    of_many_writers_with_one_guard_one_succeeds,
    every_write_gives_another_revision,
    a_revision_does_not_come_back_with_a_document,
    deleting_what_does_not_exist_succeeds_unless_guarded,
    two_different_ids_are_two_documents,
    two_collections_share_no_documents,
    #[needs(Expiry)]
    an_expired_document_is_not_shown,
    #[needs(Expiry)]
    an_expired_document_is_absent_to_a_guard,
    #[needs(Expiry)]
    a_later_write_decides_when_a_document_expires,
];

pub(super) fn key(id: &str) -> DocumentKey {
    DocumentKey { collection: "views.1".into(), id: id.into() }
}

pub(super) fn body(text: &str) -> Payload {
    Payload::encode(&serde_json::json!({ "text": text })).unwrap()
}

/// A write of `text` to the document `id`, which nothing must hold for.
pub(super) fn put(id: &str, text: &str) -> Write {
    let (listings, guard) = (vec![], Guard::None);
    Write { key: key(id), body: Some(body(text)), listings, guard, expires: None }
}

fn remove(id: &str) -> Write {
    Write { body: None, ..put(id, "") }
}

fn guarded(write: Write, guard: Guard) -> Write {
    Write { guard, ..write }
}

/// What the document `id` holds.
async fn text(world: &World, id: &str) -> Option<String> {
    let found = world.get(&key(id)).await?;
    assert_eq!(found.id, id);
    let body: serde_json::Value = found.body.decode().unwrap();
    Some(body["text"].as_str().unwrap().to_owned())
}

async fn a_get_sees_every_write_that_returned(world: World) {
    assert_eq!(world.get(&key("1")).await, None);
    for n in 0..30 {
        let revision = world.write(put("1", &n.to_string())).await.unwrap();
        let found = world.get(&key("1")).await.unwrap();
        assert_eq!((found.body, found.revision), (body(&n.to_string()), revision));
    }
    world.write(remove("1")).await.unwrap();
    assert_eq!(world.get(&key("1")).await, None);
}

async fn a_get_answers_in_the_order_of_its_keys(world: World) {
    for id in ["a", "b", "c"] {
        world.write(put(id, id)).await.unwrap();
    }
    let keys = ["c", "missing", "a", "z", "b"].map(key);
    let found = world.ports.documents.get(&keys).await.unwrap();
    let ids: Vec<_> = found.iter().map(|d| d.as_ref().map(|d| d.id.as_str())).collect();
    assert_eq!(ids, [Some("c"), None, Some("a"), None, Some("b")]);
    assert_eq!(world.ports.documents.get(&[]).await.unwrap(), []);
}

async fn a_body_is_kept_to_the_byte(world: World) {
    for text in [
        "null",
        r#"{"b":1,"a":[1.0,1,1e2,-0,1.10,123456789012345678901234567890]}"#,
        r#"{ "spaces" : [ 1 , 2 ] }"#,
        r#""\u00e9 é \ud83d\ude00 😀 \u0000 \/""#,
        r#"{"":"","id":1,"_etag":2,"ttl":3,"$type":4,"__x__":{"same":1,"same":2}}"#,
    ] {
        let body = Payload::parse(text).unwrap();
        world.write(Write { body: Some(body.clone()), ..put("1", "") }).await.unwrap();
        assert_eq!(world.get(&key("1")).await.unwrap().body, body);
    }
}

async fn writes_of_a_batch_succeed_or_fail_each_on_its_own(world: World) {
    for id in ["there", "changed", "gone"] {
        world.write(put(id, "old")).await.unwrap();
    }
    let old = world.get(&key("changed")).await.unwrap().revision;
    let now = world.write(put("changed", "between")).await.unwrap();
    let batch = [
        guarded(put("new", "new"), Guard::Absent),
        guarded(put("there", "new"), Guard::Absent),
        put("free", "new"),
        guarded(put("changed", "new"), Guard::At(old)),
        guarded(remove("gone"), Guard::None),
        guarded(put("absent", "new"), Guard::At(now)),
    ];
    let outcomes = world.ports.documents.write(&batch).await;
    let kinds: Vec<_> =
        outcomes.iter().map(|outcome| outcome.as_ref().err().map(skyfold::Error::kind)).collect();
    let conflict = Some(ErrorKind::Conflict);
    assert_eq!(kinds, [None, conflict, None, conflict, None, conflict]);
    let mut texts = vec![];
    for id in ["new", "there", "free", "changed", "gone", "absent"] {
        texts.push(text(&world, id).await.unwrap_or_default());
    }
    assert_eq!(texts, ["new", "old", "new", "between", "", ""]);
    for (write, outcome) in batch.iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_ok()) {
        if let Some(found) = world.get(&write.key).await {
            assert_eq!(Some(found.revision), outcome.as_ref().ok().cloned(), "{}", write.key.id);
        }
    }
    assert!(world.ports.documents.write(&[]).await.is_empty());
}

async fn a_full_batch_is_written_and_read(world: World) {
    let ids: Vec<_> = (0..BATCH_DOCUMENTS_MAX).map(|n| format!("document {n}")).collect();
    // Every second one is in the way of its write.
    for id in ids.iter().step_by(2) {
        world.write(put(id, "old")).await.unwrap();
    }
    let batch: Vec<_> = ids.iter().map(|id| guarded(put(id, "new"), Guard::Absent)).collect();
    let outcomes = world.ports.documents.write(&batch).await;
    let failed: Vec<_> = outcomes.iter().map(Result::is_err).collect();
    assert_eq!(failed, (0..BATCH_DOCUMENTS_MAX).map(|n| n % 2 == 0).collect::<Vec<_>>());
    let keys: Vec<_> = ids.iter().map(|id| key(id)).collect();
    let found = world.ports.documents.get(&keys).await.unwrap();
    for (nth, (id, found)) in ids.iter().zip(found).enumerate() {
        let expected = body(if nth % 2 == 0 { "old" } else { "new" });
        assert_eq!(found.map(|found| (found.id, found.body)), Some((id.clone(), expected)));
    }
}

async fn a_failed_guard_conflicts_and_writes_nothing(world: World) {
    let listed = |write: Write, under: &str| {
        let listing = Listing { list: 0, under: under.into(), by: "1".into() };
        Write { listings: vec![listing], ..write }
    };
    let first = world.write(listed(put("1", "first"), "kept")).await.unwrap();
    let second = world.write(listed(put("1", "second"), "kept")).await.unwrap();
    for write in [
        guarded(put("1", "x"), Guard::Absent),
        guarded(put("1", "x"), Guard::At(first.clone())),
        guarded(remove("1"), Guard::Absent),
        guarded(remove("1"), Guard::At(first.clone())),
        guarded(put("2", "x"), Guard::At(second.clone())),
        guarded(put("1", "x"), Guard::At(Revision("made up".into()))),
    ] {
        let error = world.write(listed(write.clone(), "wrong")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict, "{write:?}: {error}");
    }
    let found = world.get(&key("1")).await.unwrap();
    assert_eq!((found.body, found.revision), (body("second"), second.clone()));
    assert_eq!(world.get(&key("2")).await, None);
    world
        .eventually("the list", async || {
            (super::document_lists::ids(&world, 0, "kept").await == ["1"]).then_some(())
        })
        .await;
    assert!(super::document_lists::ids(&world, 0, "wrong").await.is_empty());
    world.write(guarded(put("1", "third"), Guard::At(second))).await.unwrap();
}

async fn of_many_writers_with_one_guard_one_succeeds(world: World) {
    let world = Arc::new(world);
    for round in 0..4 {
        let guard = world.get(&key("1")).await.map_or(Guard::Absent, |d| Guard::At(d.revision));
        let writers = (0..32).map(|n| {
            let (world, guard) = (world.clone(), guard.clone());
            let write = guarded(put("1", &format!("{round}-{n}")), guard);
            tokio::spawn(async move { world.write(write).await })
        });
        let mut winners = vec![];
        for (n, outcome) in join_all(writers).await.into_iter().enumerate() {
            match outcome.unwrap() {
                Ok(_) => winners.push(format!("{round}-{n}")),
                Err(error) => assert_eq!(error.kind(), ErrorKind::Conflict, "{error}"),
            }
        }
        assert_eq!(winners.len(), 1, "{winners:?}");
        assert_eq!(text(&world, "1").await, winners.pop());
    }
}

async fn every_write_gives_another_revision(world: World) {
    let mut revisions = BTreeSet::new();
    for text in ["a", "a", "b", "a", "a"] {
        let Revision(revision) = world.write(put("1", text)).await.unwrap();
        assert_eq!(world.get(&key("1")).await.unwrap().revision.0, revision);
        assert!(revisions.insert(revision), "{revisions:?}");
    }
    // A write of the same listings and of none are writes as well.
    let listing = Listing { list: 0, under: "all".into(), by: "1".into() };
    let Revision(listed) =
        world.write(Write { listings: vec![listing], ..put("1", "a") }).await.unwrap();
    assert!(revisions.insert(listed));
}

async fn a_revision_does_not_come_back_with_a_document(world: World) {
    let mut revisions = BTreeSet::new();
    for _ in 0..5 {
        let revision = world.write(guarded(put("1", "same"), Guard::Absent)).await.unwrap();
        assert!(revisions.insert(revision.0.clone()), "{revisions:?}");
        world.write(guarded(remove("1"), Guard::At(revision))).await.unwrap();
    }
    world.write(put("1", "same")).await.unwrap();
    for old in revisions {
        let error = world.write(guarded(put("1", "late"), Guard::At(Revision(old)))).await;
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Conflict);
    }
}

async fn deleting_what_does_not_exist_succeeds_unless_guarded(world: World) {
    world.write(remove("1")).await.unwrap();
    world.write(guarded(remove("1"), Guard::Absent)).await.unwrap();
    let revision = world.write(put("1", "a")).await.unwrap();
    world.write(remove("1")).await.unwrap();
    let error = world.write(guarded(remove("1"), Guard::At(revision))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
    world.write(remove("1")).await.unwrap();
    assert_eq!(world.get(&key("1")).await, None);
}

async fn two_different_ids_are_two_documents(world: World) {
    let ids = super::names::odd_ids();
    for (nth, id) in ids.iter().enumerate() {
        let write = guarded(put(id, &nth.to_string()), Guard::Absent);
        let outcome = world.write(write).await;
        assert!(outcome.is_ok(), "{id:?} is taken for another: {outcome:?}");
    }
    for (nth, id) in ids.iter().enumerate() {
        assert_eq!(text(&world, id).await, Some(nth.to_string()), "{id:?}");
    }
    for (nth, id) in ids.iter().enumerate().step_by(2) {
        world.write(remove(id)).await.unwrap();
        assert_eq!(text(&world, id).await, None, "{id:?}");
        let next = ids.get(nth + 1).map(String::as_str).unwrap_or(&ids[1]);
        assert!(text(&world, next).await.is_some(), "{next:?} went with {id:?}");
    }
}

async fn two_collections_share_no_documents(world: World) {
    let places = [("a", "b.c"), ("a.b", "c"), ("a", "b"), ("a-b", "c"), ("a", "b-c"), ("b", "a")];
    let of = |(collection, id): (&str, &str)| DocumentKey {
        collection: collection.into(),
        id: id.into(),
    };
    for place in places {
        let listing = Listing { list: 0, under: "all".into(), by: "1".into() };
        let write =
            Write { key: of(place), listings: vec![listing], ..put("", &format!("{place:?}")) };
        world.write(guarded(write, Guard::Absent)).await.unwrap();
    }
    for place in places {
        let found = world.get(&of(place)).await.unwrap();
        assert_eq!((found.id.as_str(), found.body), (place.1, body(&format!("{place:?}"))));
    }
}

/// How soon documents expire here.
const SOON: Duration = Duration::from_secs(2);

fn expiring(world: &World, write: Write) -> Write {
    Write { expires: Some(world.now() + SOON), ..write }
}

async fn an_expired_document_is_not_shown(world: World) {
    let listing = Listing { list: 1, under: "all".into(), by: "1".into() };
    let write = Write { listings: vec![listing], ..put("1", "a") };
    world.write(expiring(&world, write.clone())).await.unwrap();
    world.write(Write { key: key("2"), ..write.clone() }).await.unwrap();
    let later = Some(world.now() + 1_000 * SOON);
    world.write(Write { key: key("3"), expires: later, ..write }).await.unwrap();
    assert!(world.get(&key("1")).await.is_some(), "it is shown until then");
    world.pass(SOON).await;
    assert_eq!(world.get(&key("1")).await, None);
    let shown = super::document_lists::ids(&world, 1, "all").await;
    assert!(!shown.contains(&"1".to_owned()), "{shown:?}");
    assert!(world.get(&key("2")).await.is_some() && world.get(&key("3")).await.is_some());
}

async fn an_expired_document_is_absent_to_a_guard(world: World) {
    let revision = world.write(expiring(&world, put("1", "a"))).await.unwrap();
    world.pass(SOON).await;
    let error = world.write(guarded(put("1", "b"), Guard::At(revision.clone()))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
    let again = world.write(guarded(put("1", "c"), Guard::Absent)).await.unwrap();
    assert_ne!(again, revision);
    world.pass(SOON).await;
    assert_eq!(text(&world, "1").await.as_deref(), Some("c"), "the new one does not expire");
}

async fn a_later_write_decides_when_a_document_expires(world: World) {
    world.write(expiring(&world, put("1", "a"))).await.unwrap();
    world.write(put("1", "b")).await.unwrap();
    world.write(put("2", "a")).await.unwrap();
    world.write(expiring(&world, put("2", "b"))).await.unwrap();
    world.pass(SOON).await;
    assert_eq!(text(&world, "1").await.as_deref(), Some("b"));
    assert_eq!(text(&world, "2").await, None);
}
