//! What every event store promises, asked of the port itself.

use std::sync::Arc;

use futures::future::join_all;
use skyfold::limits::PAGE_ITEMS_MAX;
use skyfold::ports::{Consistency, Range, Slice, Snapshot};
use skyfold::{
    CommandId, Commit, ErrorKind, Head, Metadata, Payload, RecordedCommit, StoredState, Version,
};
use time::Duration;
use time::macros::datetime;

use super::world::{event, stream, versions};
use super::{Case, World, cases};

pub(super) const CASES: &[Case] = cases![
    a_commit_takes_the_versions_after_the_head,
    append_behind_the_head_conflicts_and_writes_nothing,
    of_64_writers_at_one_head_one_succeeds,
    racing_64_writers_leave_a_dense_stream,
    writers_of_different_streams_do_not_disturb_each_other,
    appending_again_is_there_once,
    another_commit_of_the_same_id_conflicts,
    a_strong_read_sees_every_append_that_returned,
    an_eventual_read_shows_a_prefix_without_a_gap,
    reading_forwards_takes_up_after_any_version,
    reading_backwards_takes_up_before_any_version,
    a_page_holds_no_more_than_asked_for,
    a_stream_that_does_not_exist_is_empty,
    what_was_read_back_equals_what_was_appended,
    a_snapshot_is_read_back_and_replaced,
    a_read_ends_before_a_commit_that_cannot_be_read,
];

async fn a_commit_takes_the_versions_after_the_head(world: World) {
    let name = stream("account-1");
    let commits = [world.commit("a", &["1", "2", "3"]), world.commit("b", &["4", "5"])];
    world.fill(&name, &commits).await;
    let found = world.commits(&name).await;
    let places: Vec<_> = found.iter().map(|c| (c.first.0, c.last().0, c.stream.clone())).collect();
    assert_eq!(places, [(1, 3, name.clone()), (4, 5, name.clone())]);
    assert_eq!(versions(&world.events(&name).await), [1, 2, 3, 4, 5]);
}

async fn append_behind_the_head_conflicts_and_writes_nothing(world: World) {
    let name = stream("account-1");
    let empty = Head::empty(name.clone());
    let first = world.fill(&name, &[world.commit("a", &["1", "2"])]).await;
    world.append(&first, &world.commit("b", &["3"])).await.unwrap();
    let before = world.commits(&name).await;
    // As long as, longer and shorter than what is in its place.
    for (behind, texts) in [
        (&empty, &["x", "y"][..]),
        (&empty, &["x", "y", "z", "a"]),
        (&empty, &["x"]),
        (&first, &["x"]),
        (&first, &["x", "y"]),
    ] {
        let commit = world.commit("late", texts);
        let error = world.append(behind, &commit).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict, "{texts:?} after {behind:?}: {error}");
    }
    assert_eq!(world.commits(&name).await, before);
}

async fn of_64_writers_at_one_head_one_succeeds(world: World) {
    let name = stream("account-1");
    for round in 0..4 {
        let head = world.head(&name).await;
        let writers = (0..64).map(|n| {
            let commit = world.commit(&format!("{round}-{n}"), &["x", "y", "z"][..1 + n % 3]);
            let (events, head) = (world.ports.events.clone(), head.clone());
            tokio::spawn(async move { events.append(&head, &commit).await })
        });
        let outcomes = join_all(writers).await;
        let kinds: Vec<_> = outcomes
            .into_iter()
            .map(|outcome| outcome.unwrap().map_err(|error| error.kind()))
            .collect();
        let of = |kind| kinds.iter().filter(|outcome| **outcome == kind).count();
        assert_eq!((of(Ok(())), of(Err(ErrorKind::Conflict))), (1, 63), "{kinds:?}");
        assert_eq!(world.commits(&name).await.len(), round + 1);
    }
}

async fn racing_64_writers_leave_a_dense_stream(world: World) {
    let name = stream("account-1");
    let world = Arc::new(world);
    let writers = (0..64).map(|n| {
        let (world, name) = (world.clone(), name.clone());
        tokio::spawn(async move {
            let commit = world.commit(&n.to_string(), &["x", "y", "z"][..1 + n % 3]);
            loop {
                let head = world.head(&name).await;
                match world.append(&head, &commit).await {
                    Ok(()) => return,
                    Err(error) => assert_eq!(error.kind(), ErrorKind::Conflict, "{error}"),
                }
            }
        })
    });
    for writer in join_all(writers).await {
        writer.unwrap();
    }
    let commits = world.commits(&name).await;
    let mut ids: Vec<usize> =
        commits.iter().map(|c| c.commit.id().as_str().parse().unwrap()).collect();
    ids.sort_unstable();
    assert_eq!(ids, (0..64).collect::<Vec<_>>(), "each is there once");
    let expected: Vec<u64> = (1..=(0..64).map(|n| 1 + n % 3).sum()).collect();
    assert_eq!(versions(&world.events(&name).await), expected);
}

async fn writers_of_different_streams_do_not_disturb_each_other(world: World) {
    let names: Vec<_> = (0..16).map(|n| stream(&format!("account-{n}"))).collect();
    let appends = names.iter().map(|name| async {
        let head = Head::empty(name.clone());
        world.append(&head, &world.commit(name.as_str(), &["x"])).await
    });
    for outcome in join_all(appends).await {
        outcome.unwrap();
    }
    for name in &names {
        let commits = world.commits(name).await;
        assert_eq!(commits.len(), 1);
        assert_eq!(commits[0].commit.id().as_str(), name.as_str());
    }
}

async fn appending_again_is_there_once(world: World) {
    let name = stream("account-1");
    let (empty, commit) = (Head::empty(name.clone()), world.commit("a", &["1", "2"]));
    world.append(&empty, &commit).await.unwrap();
    let again = async |when: &str| {
        // Both answers tell the caller what to do: it is there, or look who was faster.
        if let Err(error) = world.append(&empty, &commit).await {
            assert_eq!(error.kind(), ErrorKind::Conflict, "{when}: {error}");
        }
    };
    again("at once").await;
    assert_eq!(versions(&world.events(&name).await), [1, 2]);
    let head = world.head(&name).await;
    world.append(&head, &world.commit("b", &["3"])).await.unwrap();
    again("after another").await;
    assert_eq!(versions(&world.events(&name).await), [1, 2, 3]);
}

async fn another_commit_of_the_same_id_conflicts(world: World) {
    // A store that compares ids to find out whether a conflict is the caller's own commit must not
    // mistake another decision under the same id for it.
    let name = stream("account-1");
    let head = world.fill(&name, &[world.commit("a", &["1", "2"])]).await;
    for texts in [&["1"][..], &["1", "2", "3"], &["1", "other"]] {
        let commit = world.commit("a", texts);
        let error = world.append(&Head::empty(name.clone()), &commit).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict, "{texts:?}: {error}");
    }
    assert_eq!(world.head(&name).await, head);
}

async fn a_strong_read_sees_every_append_that_returned(world: World) {
    let name = stream("account-1");
    let mut head = Head::empty(name.clone());
    for n in 0..40 {
        world.append(&head, &world.commit(&n.to_string(), &["x", "y"])).await.unwrap();
        let (newest, all) = (Range::NEWEST, Range::After(Version::EMPTY));
        let read = |range, limit| world.ports.events.read(&name, range, limit, Consistency::Strong);
        let newest = read(newest, 1).await.unwrap().commits.remove(0);
        assert_eq!((newest.first.0, newest.last().0), (2 * n + 1, 2 * n + 2));
        head = newest.head();
        assert_eq!(read(all, PAGE_ITEMS_MAX).await.unwrap().commits.len() as u64, n + 1);
    }
}

async fn an_eventual_read_shows_a_prefix_without_a_gap(world: World) {
    let name = stream("account-1");
    let world = Arc::new(world);
    let writer = tokio::spawn({
        let (world, name) = (world.clone(), name.clone());
        async move {
            let commits: Vec<_> =
                (0..40).map(|n| world.commit(&n.to_string(), &["x", "y"][..1 + n % 2])).collect();
            world.fill(&name, &commits).await;
        }
    });
    let read = |range| world.ports.events.read(&name, range, PAGE_ITEMS_MAX, Consistency::Eventual);
    loop {
        let has_ended = writer.is_finished();
        let forwards = read(Range::After(Version::EMPTY)).await.unwrap().commits;
        is_dense(&forwards, Version::EMPTY);
        let mut backwards = read(Range::NEWEST).await.unwrap().commits;
        backwards.reverse();
        is_dense(&backwards, Version::EMPTY);
        if has_ended {
            break;
        }
        tokio::task::yield_now().await;
    }
    writer.await.unwrap();
    let all = world.commits(&name).await;
    world
        .eventually("all commits", async || {
            let found = read(Range::After(Version::EMPTY)).await.unwrap().commits;
            (found == all).then_some(())
        })
        .await;
}

/// Checks that `commits` follow `after` and each other.
fn is_dense(commits: &[RecordedCommit], after: Version) {
    let mut reached = after;
    for commit in commits {
        assert_eq!(commit.first, reached.next(), "there is a gap after {reached}");
        reached = commit.last();
    }
}

/// A stream of 130 commits of 1 to 3 events.
async fn long_stream(world: &World) -> (skyfold::StreamName, Vec<RecordedCommit>) {
    let name = stream("account-long");
    let commits: Vec<_> =
        (0..130).map(|n| world.commit(&n.to_string(), &["x", "y", "z"][..1 + n % 3])).collect();
    world.fill(&name, &commits).await;
    let found = world.commits(&name).await;
    assert_eq!(found.iter().map(|c| c.commit.clone()).collect::<Vec<_>>(), commits);
    (name, found)
}

/// Pages need not be full, but get on.
fn is_page(slice: &Slice, rest: &[RecordedCommit], limit: usize, what: &str) {
    let count = slice.commits.len();
    assert!(count <= limit, "{what}: {count} of at most {limit}");
    assert!(count > 0 || slice.is_end, "{what}: nothing, and yet not the end");
    assert_eq!(slice.commits[..], rest[..count], "{what}");
    if slice.is_end {
        assert_eq!(count, rest.len(), "{what}: more follows what is called the end");
    }
}

async fn reading_forwards_takes_up_after_any_version(world: World) {
    let (name, all) = long_stream(&world).await;
    for after in [0, 1, 2, 3, 4, 7, 100, 101, 102, 258, 259, 260, 1_000, u64::MAX] {
        for limit in [1, 7, PAGE_ITEMS_MAX] {
            let range = Range::After(Version(after));
            let read = world.ports.events.read(&name, range, limit, Consistency::Strong);
            let rest: Vec<_> = all.iter().filter(|c| c.first.0 > after).cloned().collect();
            is_page(&read.await.unwrap(), &rest, limit, &format!("{limit} after {after}"));
        }
    }
}

async fn reading_backwards_takes_up_before_any_version(world: World) {
    let (name, all) = long_stream(&world).await;
    for before in [0, 1, 2, 3, 4, 7, 100, 101, 102, 258, 259, 260, 1_000, u64::MAX] {
        for limit in [1, 7, PAGE_ITEMS_MAX] {
            let range = Range::Before(Version(before));
            let read = world.ports.events.read(&name, range, limit, Consistency::Strong);
            let rest: Vec<_> = all.iter().filter(|c| c.first.0 < before).rev().cloned().collect();
            is_page(&read.await.unwrap(), &rest, limit, &format!("{limit} before {before}"));
        }
    }
}

async fn a_page_holds_no_more_than_asked_for(world: World) {
    let (name, all) = long_stream(&world).await;
    for limit in [1, 2, 99, PAGE_ITEMS_MAX] {
        let (mut found, mut after) = (vec![], Version::EMPTY);
        loop {
            let range = Range::After(after);
            let read = world.ports.events.read(&name, range, limit, Consistency::Strong);
            let slice = read.await.unwrap();
            assert!(slice.commits.len() <= limit, "{} of at most {limit}", slice.commits.len());
            after = slice.commits.last().map_or(after, RecordedCommit::last);
            found.extend(slice.commits);
            if slice.is_end {
                break;
            }
        }
        assert_eq!(found, all, "in pages of {limit}");
    }
}

async fn a_stream_that_does_not_exist_is_empty(world: World) {
    world.fill(&stream("account-1"), &[world.commit("a", &["1"])]).await;
    let name = stream("account-2");
    for consistency in [Consistency::Strong, Consistency::Eventual] {
        for range in [Range::NEWEST, Range::After(Version::EMPTY)] {
            let slice = world.ports.events.read(&name, range, 1, consistency).await.unwrap();
            assert_eq!(slice, Slice { commits: vec![], is_end: true });
        }
    }
    assert_eq!(world.ports.events.snapshot(&name).await.unwrap(), None);
}

async fn what_was_read_back_equals_what_was_appended(world: World) {
    let data = [
        "null",
        r#"{"b":1,"a":[1.0,1,1e2,-0,1.10,123456789012345678901234567890]}"#,
        r#"{ "spaces" : [ 1 , 2 ] }"#,
        r#""\u00e9 é \ud83d\ude00 😀 \u0000 \n \/ \\ \"""#,
        r#"{"":"","a b":{"日本":[[],{}]},"$type":1,"__proto__":2,"_id":3}"#,
        r#"{"same":1,"same":2}"#,
    ];
    let events = data.iter().map(|data| event("Noted", 3, data)).collect();
    let metadata = Metadata {
        correlation: Some("größe / # ? 日本 😀".into()),
        causation: Some("account-1@1".into()),
        traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into()),
    };
    let (id, time) = (CommandId::new("~!\"#$%&/()=?`^*'_:;><,.-|\\{}[]@").unwrap(), world.now());
    let whole = Commit::new(id, u32::MAX, time, metadata, events).unwrap();
    let state = Payload::parse(data[1]).unwrap();
    let state = StoredState { format: u32::MAX, state, checksum: u32::MAX };
    let with_state = whole.clone().with_state(Some(state));
    let at = |id: &str, time| {
        let (id, events) = (CommandId::new(id).unwrap(), vec![event("Noted", 1, "null")]);
        Commit::new(id, 0, time, Metadata::default(), events).unwrap()
    };
    let commits = [
        whole,
        with_state,
        at("early", datetime!(1969-12-31 23:59:59.999 UTC)),
        at("late", datetime!(9999-12-31 23:59:59.999 UTC)),
        at("other-offset", world.now().to_offset(time::macros::offset!(+5:30)) + Duration::SECOND),
    ];
    let name = stream("account-1");
    world.fill(&name, &commits).await;
    let found: Vec<_> = world.commits(&name).await.into_iter().map(|c| c.commit).collect();
    assert_eq!(found, commits);
}

async fn a_snapshot_is_read_back_and_replaced(world: World) {
    let name = stream("account-1");
    world.fill(&name, &[world.commit("a", &["1", "2", "3"])]).await;
    for version in [1, 3] {
        let state = Payload::parse(r#"{"b":1.0,"a":"größe"}"#).unwrap();
        let state = StoredState { format: version, state, checksum: u32::MAX - version };
        let snapshot = Snapshot { version: Version(version.into()), state };
        world.ports.events.save_snapshot(&name, &snapshot).await.unwrap();
        world
            .eventually("the snapshot", async || {
                let found = world.ports.events.snapshot(&name).await.unwrap();
                (found.as_ref() == Some(&snapshot)).then_some(())
            })
            .await;
    }
    assert_eq!(world.ports.events.snapshot(&stream("account-2")).await.unwrap(), None);
    assert_eq!(versions(&world.events(&name).await), [1, 2, 3], "it is beside the stream");
}

async fn a_read_ends_before_a_commit_that_cannot_be_read(world: World) {
    let name = stream("account-1");
    let commits: Vec<_> = (0..5).map(|n| world.commit(&n.to_string(), &["x"])).collect();
    world.fill(&name, &commits).await;
    world.spoil(&name, Version(3)).await;
    let (before, after) = (Range::Before(Version(4)), Range::After(Version(2)));
    for (range, expected) in [
        (Range::After(Version::EMPTY), Ok(vec![1, 2])),
        (Range::NEWEST, Ok(vec![5, 4])),
        (Range::After(Version(3)), Ok(vec![4, 5])),
        (before, Err(ErrorKind::Corrupt)),
        (after, Err(ErrorKind::Corrupt)),
    ] {
        let read = world.ports.events.read(&name, range, 10, Consistency::Strong).await;
        let found = read.as_ref().map(|slice| slice.commits.iter().map(|c| c.first.0).collect());
        assert_eq!(found.map_err(|error| error.kind()), expected, "{range:?}");
        let is_cut = matches!(range, Range::After(Version::EMPTY) | Range::NEWEST);
        assert!(!read.is_ok_and(|slice| slice.is_end && is_cut), "{range:?} goes on");
    }
}
