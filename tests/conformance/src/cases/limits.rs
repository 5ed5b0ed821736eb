//! What fits is stored to the byte, and what does not is refused before any request is made.

use std::sync::Arc;

use serde_json::json;
use skyfold::limits::{
    BATCH_DOCUMENTS_MAX, CAUSATION_CHARS_MAX, COMMAND_BYTES_MAX, COMMIT_BYTES_MAX,
    COMMIT_EVENTS_MAX, CORRELATION_CHARS_MAX, DOCUMENT_BYTES_MAX, EVENT_BYTES_MAX, ID_CHARS_MAX,
    NAME_CHARS_MAX, TRACEPARENT_CHARS_MAX,
};
use skyfold::ports::{Guard, Write};
use skyfold::{
    CloudEvent, CommandId, CommandRequest, Decider, Error, ErrorKind, Metadata, Payload,
    Projection, Receipt, RecordedEvent, StoredState, StreamId, Subscription, Trigger,
};

use super::bank::{account, deposit, note, open, request, tag, trouble};
use super::documents::put;
use super::world::{event, versions};
use super::{Bank, Case, World, cases};
use crate::domain::{Account, Balances, Command, Event, Tags};
use crate::faults::{Counted, tapped};

pub(super) const CASES: &[Case] = cases![
    a_commit_of_the_most_events_is_stored_and_one_more_is_refused,
    an_event_of_the_most_bytes_is_stored_and_one_more_is_refused,
    a_commit_of_the_most_bytes_is_stored_and_one_more_is_refused,
    a_command_of_the_most_bytes_is_taken_and_one_more_is_refused,
    metadata_of_the_most_characters_is_taken_and_one_more_is_refused,
    the_largest_commit_is_stored_with_the_largest_state,
    a_snapshot_of_256_kib_is_stored,
    a_document_of_the_most_bytes_is_stored,
    a_batch_of_large_documents_is_written_and_read,
    a_view_over_the_limit_stops_its_stream_alone,
    the_longest_ids_are_taken_and_longer_ones_refused,
    an_illegal_key_stops_its_stream_alone,
];

/// A bank that counts requests.
fn counted(world: &World) -> (Bank, Arc<Counted>) {
    let counted = Counted::new();
    (Bank::new(tapped(world.ports.clone(), counted.clone())), counted)
}

/// Checks that `outcome` is a refusal for its size, with both figures, made before any write.
fn is_oversized(outcome: &Error, counted: &Counted, size: usize, limit: usize) {
    assert_eq!(outcome.kind(), ErrorKind::Oversized, "{outcome}");
    let message = outcome.to_string();
    assert!(message.contains(&size.to_string()), "the size {size} in: {message}");
    assert!(message.contains(&limit.to_string()), "the limit {limit} in: {message}");
    assert!(!counted.take().contains_key("append"), "it was refused too late");
}

async fn a_commit_of_the_most_events_is_stored_and_one_more_is_refused(world: World) {
    let (bank, counted) = counted(&world);
    let mut version = 0;
    for count in [COMMIT_EVENTS_MAX - 1, COMMIT_EVENTS_MAX] {
        let receipt: Receipt = bank.accept("1", &count.to_string(), &note("x", count)).await;
        version += count as u64;
        assert_eq!((receipt.events.len(), receipt.version.0), (count, version));
    }
    counted.take();
    let over = COMMIT_EVENTS_MAX + 1;
    let error = bank.fail("1", "over", &note("x", over)).await;
    is_oversized(&error, &counted, over, COMMIT_EVENTS_MAX);
    assert_eq!(versions(&world.events(&account("1")).await), (1..=version).collect::<Vec<_>>());
}

/// A text that makes the payload of a note `bytes` bytes long, in characters of several bytes.
fn text(bytes: usize) -> String {
    let left = bytes - r#"{"text":""}"#.len();
    format!("{}{}", "日😀".repeat(left / 7), "x".repeat(left % 7))
}

async fn an_event_of_the_most_bytes_is_stored_and_one_more_is_refused(world: World) {
    let (bank, counted) = counted(&world);
    for bytes in [EVENT_BYTES_MAX - 1, EVENT_BYTES_MAX] {
        bank.accept("1", &bytes.to_string(), &note(&text(bytes), 1)).await;
        let last = world.events(&account("1")).await.pop().unwrap();
        assert_eq!(last.data.bytes(), bytes);
        assert_eq!(last.data, Payload::encode(&json!({ "text": text(bytes) })).unwrap());
    }
    counted.take();
    let over = EVENT_BYTES_MAX + 1;
    let error = bank.fail("1", "over", &note(&text(over), 1)).await;
    is_oversized(&error, &counted, over, EVENT_BYTES_MAX);
    assert_eq!(world.events(&account("1")).await.len(), 2);
}

async fn a_commit_of_the_most_bytes_is_stored_and_one_more_is_refused(world: World) {
    let (bank, counted) = counted(&world);
    // 64 events of 4 KiB are 256 KiB.
    let each = COMMIT_BYTES_MAX / COMMIT_EVENTS_MAX;
    bank.accept("1", "under", &note(&text(each - 1), COMMIT_EVENTS_MAX)).await;
    bank.accept("1", "at", &note(&text(each), COMMIT_EVENTS_MAX)).await;
    let bytes: usize =
        world.events(&account("1")).await[64..].iter().map(|event| event.data.bytes()).sum();
    assert_eq!(bytes, COMMIT_BYTES_MAX);
    counted.take();
    let error = bank.fail("1", "over", &note(&text(each + 1), COMMIT_EVENTS_MAX)).await;
    is_oversized(&error, &counted, COMMIT_BYTES_MAX + COMMIT_EVENTS_MAX, COMMIT_BYTES_MAX);
    // To the byte: two of the largest events, and one byte more in a third.
    let large = || event("Noted", 1, &format!("\"{}\"", "x".repeat(EVENT_BYTES_MAX - 2)));
    world.fill(&account("2"), &[world.commit_of("a", vec![large(), large()])]).await;
    let events = vec![large(), large(), event("Noted", 1, "0")];
    let id = CommandId::new("a").unwrap();
    let over = skyfold::Commit::new(id, 0, world.now(), Default::default(), events).unwrap_err();
    is_oversized(&over, &counted, COMMIT_BYTES_MAX + 1, COMMIT_BYTES_MAX);
}

async fn a_command_of_the_most_bytes_is_taken_and_one_more_is_refused(world: World) {
    let (bank, counted) = counted(&world);
    let empty = Payload::encode(&note("", 0)).unwrap().bytes();
    for bytes in [COMMAND_BYTES_MAX - 1, COMMAND_BYTES_MAX] {
        let nothing = bank.accept("1", "a", &note(&"x".repeat(bytes - empty), 0)).await;
        assert_eq!(nothing.events.len(), 0);
    }
    counted.take();
    let over = COMMAND_BYTES_MAX + 1;
    let error = bank.fail("1", "a", &note(&"x".repeat(over - empty), 0)).await;
    is_oversized(&error, &counted, over, COMMAND_BYTES_MAX);
    assert_eq!(counted.take().len(), 0, "nothing is read for it either");
}

async fn metadata_of_the_most_characters_is_taken_and_one_more_is_refused(world: World) {
    let (bank, counted) = counted(&world);
    let text = |chars: usize| Some("日".repeat(chars));
    for (max, of) in [
        (CORRELATION_CHARS_MAX, (|correlation| Metadata { correlation, ..none() }) as OnePart),
        (CAUSATION_CHARS_MAX, |causation| Metadata { causation, ..none() }),
        (TRACEPARENT_CHARS_MAX, |traceparent| Metadata { traceparent, ..none() }),
    ] {
        let give = async |chars| {
            let id = CommandId::fresh(world.now());
            let request = request::<Account>("1", id.as_str(), &deposit(1));
            let request = CommandRequest { metadata: of(text(chars)), ..request };
            bank.runtime.invoke(Account::CATEGORY, Trigger::Command(request)).await
        };
        for chars in [max - 1, max] {
            give(chars).await.unwrap();
            let events = world.events(&account("1")).await;
            assert_eq!(events.last().unwrap().metadata, of(text(chars)));
        }
        counted.take();
        is_oversized(&give(max + 1).await.unwrap_err(), &counted, max + 1, max);
        let mut event = CloudEvent::new("bank", &world.events(&account("1")).await[0]);
        let Metadata { correlation, causation, traceparent } = of(text(max + 1));
        event =
            CloudEvent { correlationid: correlation, parentid: causation, traceparent, ..event };
        is_oversized(&event.into_announced().unwrap_err(), &counted, max + 1, max);
    }
}

/// What makes metadata of one part.
type OnePart = fn(Option<String>) -> Metadata;

fn none() -> Metadata {
    Metadata::default()
}

async fn the_largest_commit_is_stored_with_the_largest_state(world: World) {
    let max = world.ports.events.pricing().state_bytes_max;
    assert!(max > 0, "a store has room for a state of some size");
    let state = Payload::encode(&"x".repeat(max - 2)).unwrap();
    let large = || event("Noted", 1, &format!("\"{}\"", "x".repeat(EVENT_BYTES_MAX - 2)));
    let metadata = skyfold::Metadata {
        correlation: Some("😀".repeat(ID_CHARS_MAX)),
        causation: Some(format!("account-{}@{}", "x".repeat(ID_CHARS_MAX), u64::MAX)),
        traceparent: Some("x".repeat(55)),
    };
    let id = CommandId::new("x".repeat(ID_CHARS_MAX)).unwrap();
    let commit = skyfold::Commit::new(id, u32::MAX, world.now(), metadata, vec![large(), large()]);
    let state = StoredState { format: u32::MAX, state, checksum: u32::MAX };
    let commit = commit.unwrap().with_state(Some(state));
    let name = account(&"x".repeat(ID_CHARS_MAX));
    world.fill(&name, std::slice::from_ref(&commit)).await;
    assert_eq!(world.commits(&name).await[0].commit, commit);
    let in_feed =
        world.eventually("the commit", async || world.feed(&Default::default()).await.pop()).await;
    assert_eq!(in_feed.commit, commit);
}

async fn a_snapshot_of_256_kib_is_stored(world: World) {
    let name = account("1");
    let state = Payload::encode(&"x".repeat(256 * 1024 - 2)).unwrap();
    let state = StoredState { format: 1, state, checksum: u32::MAX };
    let snapshot = skyfold::ports::Snapshot { version: skyfold::Version(1), state };
    world.fill(&name, &[world.commit("a", &["x"])]).await;
    world.ports.events.save_snapshot(&name, &snapshot).await.unwrap();
    assert_eq!(world.ports.events.snapshot(&name).await.unwrap(), Some(snapshot));
}

async fn a_document_of_the_most_bytes_is_stored(world: World) {
    for bytes in [DOCUMENT_BYTES_MAX - 1, DOCUMENT_BYTES_MAX] {
        let body = format!("\"{}{}\"", "日😀".repeat(37_000), "x".repeat(bytes - 2 - 37_000 * 7));
        let body = Payload::parse(&body).unwrap();
        assert_eq!(body.bytes(), bytes);
        let id = "😀".repeat(ID_CHARS_MAX);
        let write = Write { body: Some(body.clone()), ..put(&id, "") };
        world.write(write.clone()).await.unwrap();
        assert_eq!(world.get(&write.key).await.unwrap().body, body);
    }
}

async fn a_batch_of_large_documents_is_written_and_read(world: World) {
    // 100 of 40 KB: more than most services take in one request.
    let write = |n: usize| Write {
        body: Some(Payload::encode(&format!("{n:x<40000}")).unwrap()),
        guard: Guard::Absent,
        ..put(&n.to_string(), "")
    };
    let batch: Vec<_> = (0..BATCH_DOCUMENTS_MAX).map(write).collect();
    for outcome in world.ports.documents.write(&batch).await {
        outcome.unwrap();
    }
    let keys: Vec<_> = batch.iter().map(|write| write.key.clone()).collect();
    let found = world.ports.documents.get(&keys).await.unwrap();
    let bodies: Vec<_> = found.into_iter().map(|found| found.map(|found| found.body)).collect();
    assert_eq!(bodies, batch.into_iter().map(|write| write.body).collect::<Vec<_>>());
}

/// Every note of an account in one view, which grows over the limit.
struct Notebook;

impl Projection for Notebook {
    const NAME: &'static str = "notebook";
    type Input = Event;
    type View = Vec<String>;

    fn subscription() -> Subscription<Event> {
        Subscription::of::<Account>()
    }

    fn project(
        _: &str,
        view: Option<Vec<String>>,
        event: &RecordedEvent<Event>,
    ) -> Option<Vec<String>> {
        let mut notes = view.unwrap_or_default();
        if let Event::Noted { text } = &event.data {
            notes.push(text.clone());
        }
        Some(notes)
    }
}

async fn a_view_over_the_limit_stops_its_stream_alone(world: World) {
    let app = skyfold::App::new("notes").decider::<Account>().projection::<Notebook>();
    let bank = Bank::of(app, world.ports.clone());
    let large = text(EVENT_BYTES_MAX - 1_000);
    for n in 0..3 {
        bank.accept("1", &n.to_string(), &note(&large, 1)).await;
    }
    bank.accept("2", "a", &note("small", 1)).await;
    let mut news = world.news(&account("1")).await;
    bank.handle("notebook", &news[..2]).await;
    news.extend(world.news(&account("2")).await);
    let letters = bank.set_aside("notebook", &news[2..]).await;
    let letters: Vec<_> = letters.iter().map(trouble).collect();
    assert_eq!(letters, [("account-1@3".into(), "too-large")]);
    assert_eq!(bank.view::<Notebook>("1").await.unwrap().len(), 2, "it shows what it did");
    assert_eq!(bank.view::<Notebook>("2").await.unwrap(), ["small"]);
}

async fn the_longest_ids_are_taken_and_longer_ones_refused(world: World) {
    let bank = world.bank();
    for chars in [1, ID_CHARS_MAX - 1, ID_CHARS_MAX] {
        let (name, command_id) = ("x".repeat(chars), "y".repeat(chars));
        bank.accept(&name, &command_id, &open("ada")).await;
        let key = "😀".repeat(chars);
        bank.accept(&name, "tag", &tag(&[&key])).await;
        bank.handle("balances", &world.news(&account(&name)).await).await;
        bank.handle("tags", &world.news(&account(&name)).await).await;
        assert_eq!(bank.view::<Balances>(&name).await.unwrap().owner, "ada");
        assert_eq!(bank.view::<Tags>(&key).await.unwrap().events, [format!("account-{name}@2")]);
        let transfer =
            Command::Send { transfer: StreamId::new(&name).unwrap(), to: name_of(&name), cents: 0 };
        bank.accept(&name, "send", &transfer).await;
        bank.handle("transfer", &world.news(&account(&name)).await).await;
    }
    let over = "x".repeat(ID_CHARS_MAX + 1);
    assert_eq!(StreamId::new(&over).unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(CommandId::new(over).unwrap_err().kind(), ErrorKind::Invalid);
    // The longest category there can be: its checkpoints and views have names of their own.
    let category = "c".repeat(NAME_CHARS_MAX);
    let name = format!("{category}-{}", "x".repeat(ID_CHARS_MAX)).parse().unwrap();
    world.fill(&name, &[world.commit("a", &["x"])]).await;
    assert_eq!(world.commits(&name).await.len(), 1);
}

fn name_of(text: &str) -> StreamId {
    StreamId::new(text).unwrap()
}

async fn an_illegal_key_stops_its_stream_alone(world: World) {
    let bank = world.bank();
    let long = "x".repeat(ID_CHARS_MAX + 1);
    for (n, illegal) in ["", "a\nb", "\0", &long].into_iter().enumerate() {
        let name = n.to_string();
        bank.accept(&name, "a", &tag(&["legal", illegal])).await;
        bank.accept("other", &name, &deposit(1)).await;
        bank.accept("other", &format!("tag-{name}"), &tag(&[&name])).await;
        let mut news = world.news(&account(&name)).await;
        news.extend(world.news(&account("other")).await);
        let letters = bank.set_aside("tags", &news).await;
        let letters: Vec<_> = letters.iter().map(trouble).collect();
        assert_eq!(letters, [(format!("account-{n}@1"), "invalid")], "{illegal:?}");
        assert_eq!(bank.view::<Tags>(&name).await.unwrap().events.len(), 1);
    }
    assert_eq!(bank.view::<Tags>("legal").await, None, "nothing of the event was applied");
}
