//! The event store and its feed.

use std::collections::BTreeSet;
use std::sync::Barrier;
use std::time::Duration;

use skyfold::limits::PAGE_ITEMS_MAX;
use skyfold::ports::{Consistency, FeedQuery, Position, Range, Snapshot};
use skyfold::{
    CommandId, Commit, ErrorKind, Head, Metadata, NewEvent, Payload, Ports, RecordedCommit,
    StoredState, StreamName, Version,
};
use skyfold_memory::{Faults, Memory, VirtualClock};

/// How many writers race.
const WRITERS: u64 = 64;

/// How often each of them wins before it rests.
const WINS_EACH: u64 = 25;

fn stream(id: &str) -> StreamName {
    format!("probe-{id}").parse().unwrap()
}

fn commit(id: &str, events: usize) -> Commit {
    let event = |nth: usize| NewEvent {
        event_type: "Probed".into(),
        schema: 1,
        data: Payload::encode(&(id, nth)).unwrap(),
    };
    let events = (0..events).map(event).collect();
    let (id, time) = (CommandId::new(id).unwrap(), VirtualClock::START);
    Commit::new(id, 7, time, Metadata::default(), events).unwrap()
}

async fn head(ports: &Ports, stream: &StreamName) -> Head {
    let read = ports.events.read(stream, Range::NEWEST, 1, Consistency::Strong).await.unwrap();
    read.commits.first().map_or_else(|| Head::empty(stream.clone()), RecordedCommit::head)
}

/// Appends `count` commits of one event.
async fn fill(ports: &Ports, stream: &StreamName, count: usize) {
    for nth in 0..count {
        let head = head(ports, stream).await;
        ports.events.append(&head, &commit(&format!("{nth}"), 1)).await.unwrap();
    }
}

/// Every commit of `stream`, oldest first.
async fn history(ports: &Ports, stream: &StreamName) -> Vec<RecordedCommit> {
    let (mut commits, mut after): (Vec<RecordedCommit>, _) = (vec![], Version::EMPTY);
    loop {
        let range = Range::After(after);
        let read = ports.events.read(stream, range, PAGE_ITEMS_MAX, Consistency::Strong).await;
        let slice = read.unwrap();
        commits.extend(slice.commits);
        after = commits.last().map_or(after, RecordedCommit::last);
        if slice.is_end {
            return commits;
        }
    }
}

#[test]
fn of_64_writers_who_race_each_wins_its_place_or_is_told() {
    let (memory, stream) = (Memory::new(), stream("raced"));
    let start = Barrier::new(WRITERS as usize);
    let write = |writer: u64| {
        let ports = memory.ports();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        start.wait();
        runtime.block_on(async {
            let (mut wins, mut conflicts) = (vec![], 0_u64);
            while (wins.len() as u64) < WINS_EACH {
                let head = head(&ports, &stream).await;
                std::thread::yield_now();
                let id = format!("{writer}-{}", wins.len());
                let commit = commit(&id, 1 + wins.len() % 3);
                match ports.events.append(&head, &commit).await {
                    Ok(()) => wins.push((head.version().next(), id)),
                    Err(error) if error.kind() == ErrorKind::Conflict => conflicts += 1,
                    Err(error) => panic!("{error}"),
                }
            }
            (wins, conflicts)
        })
    };
    let (mut wins, mut conflicts) = (vec![], 0);
    std::thread::scope(|scope| {
        let writers: Vec<_> =
            (0..WRITERS).map(|writer| scope.spawn(move || write(writer))).collect();
        for writer in writers {
            let (of_one, lost) = writer.join().unwrap();
            wins.extend(of_one);
            conflicts += lost;
        }
    });
    wins.sort_unstable();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let commits = runtime.block_on(history(&memory.ports(), &stream));
    let mut next = Version::EMPTY.next();
    for commit in &commits {
        assert_eq!(commit.first, next, "the stream is dense");
        next = commit.last().next();
    }
    let stored: Vec<_> = commits.iter().map(|c| (c.first, c.commit.id().to_string())).collect();
    assert_eq!(stored, wins, "who was told that it won has its place, and nobody else");
    assert!(conflicts > 0, "nobody raced");
}

#[tokio::test]
async fn an_append_anywhere_but_at_the_end_conflicts_and_writes_nothing() {
    let (ports, stream) = (Memory::new().ports(), stream("a"));
    let empty = Head::empty(stream.clone());
    ports.events.append(&empty, &commit("first", 3)).await.unwrap();
    let first = head(&ports, &stream).await;
    ports.events.append(&first, &commit("second", 1)).await.unwrap();
    let commits = history(&ports, &stream).await;
    let foreign =
        RecordedCommit { stream: stream.clone(), first: Version(2), commit: commit("foreign", 1) };
    let beyond = RecordedCommit { first: Version(9), ..foreign.clone() };
    for head in [empty, first, foreign.head(), beyond.head()] {
        let error = ports.events.append(&head, &commit("third", 1)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict, "{head:?}");
    }
    assert_eq!(history(&ports, &stream).await, commits);
}

#[tokio::test]
async fn a_read_goes_both_ways_and_says_where_the_stream_ends() {
    let (ports, stream) = (Memory::new().ports(), stream("a"));
    fill(&ports, &stream, 5).await;
    let read = async |range, limit| {
        let slice = ports.events.read(&stream, range, limit, Consistency::Strong).await.unwrap();
        (slice.commits.iter().map(|c| c.first.0).collect::<Vec<_>>(), slice.is_end)
    };
    assert_eq!(read(Range::After(Version(0)), 2).await, (vec![1, 2], false));
    assert_eq!(read(Range::After(Version(2)), 3).await, (vec![3, 4, 5], true));
    assert_eq!(read(Range::After(Version(u64::MAX)), 3).await, (vec![], true));
    assert_eq!(read(Range::NEWEST, 1).await, (vec![5], false));
    assert_eq!(read(Range::Before(Version(3)), 9).await, (vec![2, 1], true));
    assert_eq!(read(Range::Before(Version(0)), 9).await, (vec![], true));
}

#[tokio::test]
async fn a_page_is_never_larger_than_the_limit_of_all_stores() {
    let (ports, stream) = (Memory::new().ports(), stream("a"));
    fill(&ports, &stream, PAGE_ITEMS_MAX + 1).await;
    let range = Range::After(Version::EMPTY);
    let slice = ports.events.read(&stream, range, 1_000, Consistency::Strong).await.unwrap();
    assert_eq!((slice.commits.len(), slice.is_end), (PAGE_ITEMS_MAX, false));
    assert_eq!(ports.feed.latest(1_000).await.unwrap().len(), PAGE_ITEMS_MAX);
}

#[tokio::test]
async fn what_is_read_back_equals_what_was_appended() {
    let (ports, stream) = (Memory::new().ports(), stream("a"));
    let state = Payload::parse(r#"{ "größe": 1.0 }"#).unwrap();
    let state = StoredState { format: 3, state, checksum: 7 };
    let commit = commit("first", 2).with_state(Some(state));
    ports.events.append(&Head::empty(stream.clone()), &commit).await.unwrap();
    assert_eq!(history(&ports, &stream).await[0].commit, commit);
}

#[tokio::test]
async fn a_snapshot_replaces_an_older_one_and_no_newer_one() {
    let (ports, stream) = (Memory::new().ports(), stream("a"));
    let snapshot = |version, text| {
        let state = StoredState { format: 1, state: Payload::parse(text).unwrap(), checksum: 7 };
        Snapshot { version: Version(version), state }
    };
    assert_eq!(ports.events.snapshot(&stream).await.unwrap(), None);
    for (saved, kept) in [((2, "2"), (2, "2")), ((5, "5"), (5, "5")), ((3, "3"), (5, "5"))] {
        let saved = snapshot(saved.0, saved.1);
        ports.events.save_snapshot(&stream, &saved).await.unwrap();
        let found = ports.events.snapshot(&stream).await.unwrap();
        assert_eq!(found, Some(snapshot(kept.0, kept.1)));
    }
    assert_eq!(head(&ports, &stream).await.version(), Version::EMPTY);
}

#[tokio::test]
async fn the_feed_shows_every_commit_once_in_one_slice_in_the_order_of_its_stream() {
    let ports = Memory::new().ports();
    for nth in 0..40 {
        fill(&ports, &stream(&nth.to_string()), 5).await;
    }
    let mut slices_of_streams = BTreeSet::new();
    let mut seen = vec![];
    for slice in 0..ports.feed.slices() {
        let mut from = None;
        loop {
            let page = ports.feed.read(slice, &FeedQuery::default(), from.as_ref()).await.unwrap();
            slices_of_streams.extend(page.commits.iter().map(|c| (c.stream.clone(), slice)));
            seen.extend(page.commits.iter().map(|c| (c.stream.clone(), c.first)));
            from = Some(page.next);
            if page.is_tail {
                break;
            }
        }
    }
    assert_eq!(slices_of_streams.len(), 40, "each stream is in one slice");
    assert_eq!(seen.len(), 200);
    let mut sorted = seen.clone();
    sorted.sort();
    seen.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(seen, sorted, "in order, since sorting by stream alone keeps it");
    assert!(slices_of_streams.iter().map(|(_, slice)| *slice).collect::<BTreeSet<_>>().len() > 1);
}

#[tokio::test]
async fn a_position_goes_on_where_it_was_and_nowhere_else() {
    let ports = Memory::new().ports();
    fill(&ports, &stream("a"), 3).await;
    let slices = 0..ports.feed.slices();
    let mut tails = vec![];
    for slice in slices.clone() {
        tails.push(ports.feed.read(slice, &FeedQuery::default(), None).await.unwrap().next);
    }
    fill(&ports, &stream("a"), 1).await;
    let mut news = 0;
    for slice in slices {
        let tail = &tails[usize::from(slice)];
        let page = ports.feed.read(slice, &FeedQuery::default(), Some(tail)).await.unwrap();
        news += page.commits.len();
        let other = &tails[usize::from(slice + 1) % tails.len()];
        let garbled = Position(format!("{}x", tail.0));
        for foreign in [other, &garbled, &Position(String::new())] {
            let query = FeedQuery::default();
            let error = ports.feed.read(slice, &query, Some(foreign)).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
        }
        let elsewhere = Memory::new().ports().feed;
        let error = elsewhere.read(slice, &FeedQuery::default(), Some(tail)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
    }
    assert_eq!(news, 1);
    let error = ports.feed.read(99, &FeedQuery::default(), None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn a_feed_can_be_narrowed_to_categories_and_times() {
    let ports = Memory::new().ports();
    fill(&ports, &stream("a"), 2).await;
    fill(&ports, &"other-a".parse().unwrap(), 3).await;
    let count = async |query: FeedQuery| {
        let mut count = 0;
        for slice in 0..ports.feed.slices() {
            count += ports.feed.read(slice, &query, None).await.unwrap().commits.len();
        }
        count
    };
    let (now, later) = (VirtualClock::START, VirtualClock::START + Duration::from_secs(1));
    let all = FeedQuery::default();
    assert_eq!(count(FeedQuery { categories: vec!["probe".into()], ..all.clone() }).await, 2);
    assert_eq!(count(FeedQuery { since: Some(now), until: Some(later), ..all.clone() }).await, 5);
    assert_eq!(count(FeedQuery { since: Some(later), ..all.clone() }).await, 0);
    assert_eq!(count(FeedQuery { until: Some(now), ..all }).await, 0);
}

#[tokio::test]
async fn the_latest_commits_come_newest_first() {
    let ports = Memory::new().ports();
    for id in ["a", "b", "c"] {
        fill(&ports, &stream(id), 1).await;
    }
    let latest = ports.feed.latest(2).await.unwrap();
    let streams: Vec<_> = latest.iter().map(|commit| commit.stream.as_str()).collect();
    assert_eq!(streams, ["probe-c", "probe-b"]);
}

#[tokio::test]
async fn a_stale_read_shows_a_prefix_and_a_strong_one_everything() {
    let faults = Faults { stale: 1.0, ..Faults::none() };
    let memory = Memory::with_faults(faults, VirtualClock::new());
    let (ports, stream) = (memory.ports(), stream("a"));
    fill(&ports, &stream, 9).await;
    let mut shown = BTreeSet::new();
    for _ in 0..50 {
        let range = Range::After(Version(2));
        let read = ports.events.read(&stream, range, 100, Consistency::Eventual).await.unwrap();
        let versions: Vec<_> = read.commits.iter().map(|commit| commit.first.0).collect();
        assert_eq!(versions, (3..3 + versions.len() as u64).collect::<Vec<_>>());
        assert!(read.is_end);
        shown.insert(versions.len());
    }
    assert_eq!(shown, BTreeSet::from([4, 5, 6]), "one to three are hidden of seven");
    assert_eq!(history(&ports, &stream).await.len(), 9);
    memory.calm();
    let read = ports.events.read(&stream, Range::NEWEST, 100, Consistency::Eventual).await;
    assert_eq!(read.unwrap().commits.len(), 9);
}
