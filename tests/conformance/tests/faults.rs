//! The wrappers do what they say: else the cases that use them would show nothing.

#![expect(clippy::unwrap_used, reason = "tests fail by a panic")]

use std::sync::Arc;

use conformance::faults::{
    Altered, Counted, Crash, Fault, Faulty, Gate, Request, Shifted, Stale, Staleness, tapped,
};
use skyfold::ports::{
    Clock, Consistency, DocumentKey, EventStore, Guard, Pricing, Range, Snapshot, Write,
};
use skyfold::{
    CommandId, Commit, ErrorKind, Head, Metadata, NewEvent, Payload, Ports, StoredState,
    StreamName, Version,
};
use skyfold_memory::{Memory, VirtualClock};
use time::Duration;

fn ports() -> Ports {
    Memory::with_clock(VirtualClock::new()).ports()
}

fn name() -> StreamName {
    "account-1".parse().unwrap()
}

/// Appends a commit of one event after version `version`.
async fn append(events: &dyn EventStore, version: u64) -> skyfold::Result<()> {
    let head = match version {
        0 => Head::empty(name()),
        _ => {
            let range = Range::Before(Version(version + 1));
            let slice = events.read(&name(), range, 1, Consistency::Strong).await.unwrap();
            slice.commits[0].head()
        }
    };
    events.append(&head, &commit(&version.to_string())).await
}

fn commit(id: &str) -> Commit {
    let data = Payload::default();
    let event = NewEvent { event_type: "Noted".into(), schema: 1, data };
    let (id, time) = (CommandId::new(id).unwrap(), VirtualClock::START);
    let state = StoredState { format: 1, state: Payload::default(), checksum: 0 };
    let commit = Commit::new(id, 0, time, Metadata::default(), vec![event]).unwrap();
    commit.with_state(Some(state))
}

/// The versions that a read shows, and whether it says that this is the end.
async fn read(
    events: &dyn EventStore,
    range: Range,
    limit: usize,
    consistency: Consistency,
) -> (Vec<u64>, bool) {
    let slice = events.read(&name(), range, limit, consistency).await.unwrap();
    (slice.commits.iter().map(|commit| commit.first.0).collect(), slice.is_end)
}

fn writes(count: usize) -> Vec<Write> {
    let write = |n: usize| Write {
        key: DocumentKey { collection: "c".into(), id: n.to_string() },
        body: Some(Payload::default()),
        listings: vec![],
        guard: Guard::None,
        expires: None,
    };
    (0..count).map(write).collect()
}

/// Which documents of `writes` exist.
async fn existing(ports: &Ports, writes: &[Write]) -> Vec<bool> {
    let keys: Vec<_> = writes.iter().map(|write| write.key.clone()).collect();
    let found = ports.documents.get(&keys).await.unwrap();
    found.iter().map(Option::is_some).collect()
}

#[tokio::test]
async fn a_stale_store_hides_the_newest_commits_from_eventual_reads_alone() {
    let (all, newest) = (Range::After(Version::EMPTY), Range::NEWEST);
    let (eventual, strong) = (Consistency::Eventual, Consistency::Strong);
    let events = ports().events;
    for version in 0..5 {
        append(&*events, version).await.unwrap();
    }
    let stale = Stale::new(events.clone(), 2, Staleness::Always);
    assert_eq!(read(&*stale, all, 9, eventual).await, (vec![1, 2, 3], true));
    assert_eq!(read(&*stale, all, 2, eventual).await, (vec![1, 2], false));
    assert_eq!(read(&*stale, newest, 1, eventual).await, (vec![3], false));
    assert_eq!(read(&*stale, Range::After(Version(3)), 9, eventual).await, (vec![], true));
    assert_eq!(read(&*stale, newest, 9, strong).await, (vec![5, 4, 3, 2, 1], true));
    let empty = Stale::new(events.clone(), 9, Staleness::Always);
    assert_eq!(read(&*empty, newest, 1, eventual).await, (vec![], true));

    let turns = Stale::new(events, 2, Staleness::EverySecond);
    for _ in 0..2 {
        assert_eq!(read(&*turns, newest, 1, eventual).await.0, [5]);
        assert_eq!(read(&*turns, newest, 1, eventual).await.0, [3]);
    }
}

#[tokio::test]
async fn an_altered_store_has_other_prices_pages_and_states() {
    let events = ports().events;
    for version in 0..5 {
        append(&*events, version).await.unwrap();
    }
    let state = StoredState { format: 1, state: Payload::default(), checksum: 0 };
    let snapshot = Snapshot { version: Version(5), state };
    events.save_snapshot(&name(), &snapshot).await.unwrap();
    let pricing = Pricing { state_bytes_max: 3, ..events.pricing() };
    let altered = Altered::new(events)
        .priced(pricing)
        .paged(2)
        .stating(|state| Some(StoredState { format: 9, ..state }));
    assert_eq!(altered.pricing(), pricing);
    let all = Range::After(Version::EMPTY);
    assert_eq!(read(&altered, all, 9, Consistency::Strong).await, (vec![1, 2], false));
    let slice = altered.read(&name(), all, 1, Consistency::Strong).await.unwrap();
    assert_eq!(slice.commits[0].commit.state().unwrap().format, 9);
    assert_eq!(altered.snapshot(&name()).await.unwrap().unwrap().state.format, 9);
    let lossy = Altered::new(Arc::new(altered)).stating(|_| None);
    assert_eq!(lossy.snapshot(&name()).await.unwrap(), None);
}

#[tokio::test]
async fn a_script_fails_requests_before_and_after_their_effect() {
    let (ports, kind) = (ports(), ErrorKind::Throttled);
    let script = [None, Some(Fault::Before(kind)), Some(Fault::After(kind))];
    let faulty = Faulty::new(|request| matches!(request, Request::Write(_)), script);
    let (through, batch) = (tapped(ports.clone(), faulty.clone()), writes(4));
    let outcomes = through.documents.write(&batch).await;
    let kinds: Vec<_> =
        outcomes.iter().map(|outcome| outcome.as_ref().err().map(skyfold::Error::kind)).collect();
    assert_eq!(kinds, [None, Some(kind), Some(kind), None]);
    assert_eq!(existing(&ports, &batch).await, [true, false, true, true]);
    faulty.extend([Some(Fault::Before(kind))]);
    append(&*through.events, 0).await.unwrap();
    assert_eq!(faulty.left(), 1, "an append is not what it was to fail");
}

#[tokio::test]
async fn a_crash_lets_nothing_through_any_more() {
    for (at, reached) in [(0, 1), (1, 2), (3, 4)] {
        for crash in Crash::around(at) {
            let is_after = format!("{crash:?}").contains("After");
            let (ports, batch) = (ports(), writes(4));
            let through = tapped(ports.clone(), crash.clone());
            assert!(!crash.has_happened());
            let outcomes = through.documents.write(&batch).await;
            assert!(crash.has_happened());
            assert_eq!(outcomes.iter().take_while(|outcome| outcome.is_ok()).count(), at);
            assert!(outcomes[at..].iter().all(Result::is_err));
            let written = existing(&ports, &batch).await.iter().filter(|exists| **exists).count();
            assert_eq!(written, if is_after { reached } else { reached - 1 }, "{crash:?}");
            append(&*through.events, 0).await.unwrap_err();
            through.events.snapshot(&name()).await.unwrap_err();
        }
    }
}

#[tokio::test]
async fn a_gate_holds_one_request_until_it_is_released() {
    let ports = ports();
    let gate = Gate::nth(1, |request| matches!(request, Request::Append(..)));
    let through = tapped(ports.clone(), gate.clone());
    append(&*through.events, 0).await.unwrap();
    let held = tokio::spawn(async move { append(&*through.events, 1).await });
    gate.arrived().await;
    let newest = read(&*ports.events, Range::NEWEST, 1, Consistency::Strong).await;
    assert_eq!(newest.0, [1], "it has no effect yet");
    append(&*ports.events, 1).await.unwrap();
    assert!(!held.is_finished());
    gate.release();
    assert_eq!(held.await.unwrap().unwrap_err().kind(), ErrorKind::Conflict);
}

#[tokio::test]
async fn a_count_tells_calls_from_items() {
    let counted = Counted::new();
    let through = tapped(ports(), counted.clone());
    through.documents.write(&writes(3)).await;
    through.documents.write(&writes(1)).await;
    append(&*through.events, 0).await.unwrap();
    let counts = counted.take();
    assert_eq!((counts["write"].requests, counts["write"].items), (2, 4));
    assert_eq!((counts["append"].requests, counts.len()), (1, 2));
    assert_eq!(counted.requests(), []);
}

#[tokio::test]
async fn a_shifted_clock_goes_wrong_and_sleeps_in_no_time() {
    let inner = Arc::new(VirtualClock::new());
    let clock = Shifted::new(inner.clone());
    clock.shift(Duration::hours(-1));
    assert_eq!(clock.now(), VirtualClock::START - Duration::HOUR);
    clock.sleep(std::time::Duration::from_secs(7200)).await;
    assert_eq!(clock.now(), VirtualClock::START + Duration::HOUR);
    assert_eq!(inner.now(), VirtualClock::START, "the clock inside is right");
}
