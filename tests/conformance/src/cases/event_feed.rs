//! What every feed promises, asked of the port itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use skyfold::limits::PAGE_ITEMS_MAX;
use skyfold::ports::{FeedQuery, Position, Unreadable};
use skyfold::{
    CommandId, Commit, ErrorKind, EventId, Head, Metadata, RecordedCommit, StreamName, Version,
};
use time::OffsetDateTime;

use super::world::{event, stream};
use super::{Case, World, cases};

pub(super) const CASES: &[Case] = cases![
    every_commit_appears_in_due_time_and_equals_what_was_appended,
    a_stream_is_in_one_slice_in_its_order,
    the_streams_are_spread_over_the_slices,
    reading_on_from_a_position_continues_there,
    nothing_appears_before_a_position_that_was_handed_out,
    a_position_of_another_slice_is_invalid,
    a_position_that_was_not_made_here_is_invalid,
    a_page_holds_no_more_than_its_limit,
    a_query_narrows_by_category_and_time,
    the_latest_are_the_newest_first,
    a_commit_that_cannot_be_read_keeps_back_no_other,
];

/// Appends `commits` commits of 1 to 3 events to each of `streams` streams.
async fn fill(world: &World, streams: usize, commits: usize) -> BTreeSet<(StreamName, Version)> {
    let mut appended = BTreeSet::new();
    for nth in 0..streams {
        let name = stream(&format!("account-{nth}"));
        let commits: Vec<_> = (0..commits)
            .map(|n| world.commit(&n.to_string(), &["x", "y", "z"][..1 + n % 3]))
            .collect();
        world.fill(&name, &commits).await;
        appended.extend(world.commits(&name).await.into_iter().map(place));
    }
    appended
}

fn place(commit: RecordedCommit) -> (StreamName, Version) {
    (commit.stream, commit.first)
}

/// A reader of all slices that remembers where it is.
struct Reader {
    query: FeedQuery,
    at: BTreeMap<u16, Position>,
    found: Vec<(u16, RecordedCommit)>,
    unreadable: Vec<Unreadable>,
}

impl Reader {
    fn new(query: FeedQuery) -> Self {
        Self { query, at: BTreeMap::new(), found: vec![], unreadable: vec![] }
    }

    /// Reads one page of each slice. Says whether all of them were at their tail.
    async fn read(&mut self, world: &World) -> bool {
        let mut at_tail = true;
        for slice in 0..world.ports.feed.slices() {
            let read = world.ports.feed.read(slice, &self.query, self.at.get(&slice));
            let page = read.await.unwrap();
            self.found.extend(page.commits.into_iter().map(|commit| (slice, commit)));
            self.unreadable.extend(page.unreadable);
            self.at.insert(slice, page.next);
            at_tail &= page.is_tail;
        }
        at_tail
    }

    /// Reads until `count` commits were found.
    async fn read_until(&mut self, world: &World, count: usize) {
        world
            .eventually("every commit", async || {
                while !self.read(world).await {}
                (self.found.len() >= count).then_some(())
            })
            .await;
    }

    fn places(&self) -> Vec<(StreamName, Version)> {
        self.found.iter().map(|(_, commit)| place(commit.clone())).collect()
    }
}

async fn every_commit_appears_in_due_time_and_equals_what_was_appended(world: World) {
    let appended = fill(&world, 12, 15).await;
    let mut reader = Reader::new(FeedQuery::default());
    reader.read_until(&world, appended.len()).await;
    let found = reader.places();
    assert_eq!(found.len(), appended.len(), "each is there once");
    assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), appended);
    for (_, commit) in reader.found {
        assert!(world.commits(&commit.stream).await.contains(&commit));
    }
}

async fn a_stream_is_in_one_slice_in_its_order(world: World) {
    let appended = fill(&world, 12, 15).await;
    let mut reader = Reader::new(FeedQuery::default());
    reader.read_until(&world, appended.len()).await;
    let mut streams: BTreeMap<StreamName, Vec<(u16, Version)>> = BTreeMap::new();
    for (slice, commit) in reader.found {
        streams.entry(commit.stream).or_default().push((slice, commit.first));
    }
    for (name, places) in streams {
        assert!(places.iter().all(|(slice, _)| *slice == places[0].0), "{name}: {places:?}");
        assert!(places.is_sorted_by_key(|(_, version)| *version), "{name}: {places:?}");
    }
}

async fn the_streams_are_spread_over_the_slices(world: World) {
    let slices = world.ports.feed.slices();
    assert!(slices >= 1);
    let appended = fill(&world, 64, 1).await;
    let mut reader = Reader::new(FeedQuery::default());
    reader.read_until(&world, appended.len()).await;
    let used: BTreeSet<_> = reader.found.iter().map(|(slice, _)| *slice).collect();
    assert!(used.len() >= usize::from(slices.min(4)), "64 streams are in the slices {used:?}");
}

async fn reading_on_from_a_position_continues_there(world: World) {
    let first = fill(&world, 5, 30).await;
    let mut reader = Reader::new(FeedQuery::default());
    reader.read_until(&world, first.len()).await;
    // The positions are kept by one process, and read by another.
    let kept = serde_json::to_string(&reader.at).unwrap();
    let at = serde_json::from_str(&kept).unwrap();
    let mut later = Reader { at, ..Reader::new(FeedQuery::default()) };
    world.pass(Duration::from_secs(1)).await;
    later.read(&world).await;
    assert_eq!(later.places(), [], "nothing has happened since");

    let name = stream("account-3");
    let head = world.head(&name).await;
    world.append(&head, &world.commit("new", &["x"])).await.unwrap();
    later.read_until(&world, 1).await;
    assert_eq!(later.places(), [(name, head.version().next())]);
}

async fn nothing_appears_before_a_position_that_was_handed_out(world: World) {
    let world = Arc::new(world);
    let writers: Vec<_> = (0..8)
        .map(|nth| {
            let world = world.clone();
            tokio::spawn(async move {
                let name = stream(&format!("account-{nth}"));
                for n in 0..30 {
                    let head = world.head(&name).await;
                    let commit = world.commit(&n.to_string(), &["x", "y"][..1 + n % 2]);
                    world.append(&head, &commit).await.unwrap();
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    // The reader follows the writers, and never goes back.
    let mut reader = Reader::new(FeedQuery::default());
    while !writers.iter().all(tokio::task::JoinHandle::is_finished) {
        reader.read(&world).await;
    }
    for writer in join_all(writers).await {
        writer.unwrap();
    }
    reader.read_until(&world, 8 * 30).await;
    let mut places = reader.places();
    places.sort();
    places.dedup();
    assert_eq!(places.len(), 8 * 30, "each was seen once");
}

async fn a_position_of_another_slice_is_invalid(world: World) {
    fill(&world, 8, 2).await;
    let (feed, query) = (&world.ports.feed, FeedQuery::default());
    for slice in 0..feed.slices() {
        let next = feed.read(slice, &query, None).await.unwrap().next;
        for other in (0..feed.slices()).filter(|other| *other != slice) {
            let error = feed.read(other, &query, Some(&next)).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid, "{slice} on {other}: {error}");
        }
        feed.read(slice, &query, Some(&next)).await.unwrap();
    }
}

async fn a_position_that_was_not_made_here_is_invalid(world: World) {
    fill(&world, 2, 2).await;
    let (feed, query) = (&world.ports.feed, FeedQuery::default());
    let own = feed.read(0, &query, None).await.unwrap().next.0;
    let longer = format!("{own}0");
    let foreign = ["", "0", "1", "-1", "null", "{}", "größe", "../..", "a'b\"c\0", &longer];
    for foreign in foreign {
        let outcome = feed.read(0, &query, Some(&Position(foreign.into()))).await;
        let kind = outcome.map(|page| page.commits.len()).map_err(|error| error.kind());
        assert_eq!(kind, Err(ErrorKind::Invalid), "the position {foreign:?}");
    }
}

async fn a_page_holds_no_more_than_its_limit(world: World) {
    let name = stream("account-1");
    let commits: Vec<_> = (0..250).map(|n| world.commit(&n.to_string(), &["x"])).collect();
    world.fill(&name, &commits).await;
    let mut reader = Reader::new(FeedQuery::default());
    world
        .eventually("every commit", async || {
            loop {
                let before = reader.found.len();
                let at_tail = reader.read(&world).await;
                assert!(reader.found.len() - before <= PAGE_ITEMS_MAX);
                if at_tail {
                    return (reader.found.len() == 250).then_some(());
                }
            }
        })
        .await;
    let latest = world.ports.feed.latest(PAGE_ITEMS_MAX).await.unwrap();
    assert_eq!(latest.len(), PAGE_ITEMS_MAX);
}

async fn a_query_narrows_by_category_and_time(world: World) {
    let start = world.now();
    let at = |seconds: i64| start + time::Duration::seconds(seconds);
    for category in ["account", "archive", "accounts", "a"] {
        for second in 0..6 {
            let name = stream(&format!("{category}-{second}"));
            append_at(&world, &name, at(second)).await;
        }
    }
    let of = |categories: &[&str], since: Option<i64>, until: Option<i64>| FeedQuery {
        categories: categories.iter().map(|category| (*category).to_owned()).collect(),
        since: since.map(at),
        until: until.map(at),
    };
    for (query, count) in [
        (of(&[], None, None), 24),
        (of(&["account"], None, None), 6),
        (of(&["account", "a"], None, None), 12),
        (of(&["nothing"], None, None), 0),
        (of(&[], Some(2), None), 16),
        (of(&[], None, Some(2)), 8),
        (of(&["archive"], Some(2), Some(4)), 2),
        (of(&["archive"], Some(9), None), 0),
        (of(&["archive"], Some(4), Some(4)), 0),
    ] {
        let mut reader = Reader::new(query.clone());
        reader.read_until(&world, count).await;
        assert_eq!(reader.found.len(), count, "{query:?}");
        assert!(reader.found.iter().all(|(_, commit)| query.matches(commit)), "{query:?}");
        // Whatever was left out is not to be read again.
        while !reader.read(&world).await {}
        assert_eq!(reader.found.len(), count, "{query:?}");
    }
}

async fn append_at(world: &World, name: &StreamName, time: OffsetDateTime) {
    let (id, events) = (CommandId::new("a").unwrap(), vec![event("Noted", 1, "null")]);
    let commit = Commit::new(id, 0, time, Metadata::default(), events).unwrap();
    world.append(&Head::empty(name.clone()), &commit).await.unwrap();
}

async fn the_latest_are_the_newest_first(world: World) {
    assert_eq!(world.ports.feed.latest(3).await.unwrap(), []);
    let start = world.now();
    let names: Vec<_> = (0..12).map(|n| stream(&format!("account-{n}"))).collect();
    for (second, name) in names.iter().enumerate() {
        append_at(&world, name, start + time::Duration::seconds(second as i64)).await;
    }
    world
        .eventually("the newest", async || {
            let latest = world.ports.feed.latest(5).await.unwrap();
            let found: Vec<_> = latest.into_iter().map(|commit| commit.stream).collect();
            let newest: Vec<_> = names.iter().rev().take(5).cloned().collect();
            (found == newest).then_some(())
        })
        .await;
    assert_eq!(world.ports.feed.latest(1).await.unwrap().len(), 1);
}

async fn a_commit_that_cannot_be_read_keeps_back_no_other(world: World) {
    let mut appended = fill(&world, 5, 4).await;
    let name = stream("account-3");
    let spoilt = world.commits(&name).await[1].first;
    world.spoil(&name, spoilt).await;
    appended.remove(&(name.clone(), spoilt));
    let mut reader = Reader::new(FeedQuery::default());
    let other = FeedQuery { categories: vec!["other".into()], ..FeedQuery::default() };
    let mut elsewhere = Reader::new(other);
    world
        .eventually("every commit", async || {
            while !reader.read(&world).await {}
            while !elsewhere.read(&world).await {}
            let is_all = reader.found.len() >= appended.len() && !reader.unreadable.is_empty();
            is_all.then_some(())
        })
        .await;
    assert_eq!(reader.places().into_iter().collect::<BTreeSet<_>>(), appended);
    let named: Vec<_> = reader.unreadable.iter().map(|item| item.event.clone()).collect();
    assert_eq!(named, [Some(EventId { stream: name, version: spoilt })]);
    assert_eq!(elsewhere.unreadable, []);
    world.pass(Duration::from_secs(1)).await;
    assert!(reader.read(&world).await);
    assert_eq!((reader.found.len(), reader.unreadable.len()), (appended.len(), 1), "once");
    let latest = world.ports.feed.latest(PAGE_ITEMS_MAX).await.unwrap();
    let latest = latest.into_iter().map(|commit| (commit.stream, commit.first));
    assert_eq!(latest.collect::<BTreeSet<_>>(), appended, "the newest but what cannot be read");
}
