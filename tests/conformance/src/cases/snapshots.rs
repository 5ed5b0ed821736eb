//! A stored state makes loads cheaper and never different, wherever it is kept.

use std::sync::Arc;

use serde_json::json;
use skyfold::ports::{EventStore, Pricing, Snapshot};
use skyfold::{
    App, Category, CommandId, Decider, ErrorKind, Metadata, Payload, Ports, Receipt,
    RecordedCommit, Snapshots, StoredState, StreamName, Version,
};

use super::bank::receipt;
use super::world::stream;
use super::{Bank, Case, World, cases};
use crate::domain::{Archive, ArchiveCommand, ArchiveEvent, ArchiveState};
use crate::faults::{Altered, Counted, Fault, Faulty, Request, tapped};
use time::Duration;

pub(super) const CASES: &[Case] = cases![
    a_state_that_costs_nothing_rides_along_with_every_commit,
    a_larger_state_rides_along_with_every_kth_commit,
    a_state_too_large_for_a_commit_becomes_a_snapshot,
    a_load_reads_no_more_than_what_follows_the_state,
    a_lost_snapshot_changes_nothing,
    an_older_snapshot_changes_nothing,
    a_snapshot_that_cannot_be_kept_fails_no_command,
    decisions_are_the_same_wherever_the_state_is_kept,
    two_releases_side_by_side_understand_each_others_commits,
];

/// Every write costs the same, as at Firestore.
pub(super) const FLAT: Pricing = Pricing {
    write_unit_bytes: 0,
    item_overhead_bytes: 0,
    read_bytes_per_write_unit: 0,
    state_bytes_max: 16 * 1024,
};

/// A write costs by the KB, as at DynamoDB.
pub(super) const BY_THE_KB: Pricing = Pricing {
    write_unit_bytes: 1024,
    item_overhead_bytes: 100,
    read_bytes_per_write_unit: 40_960,
    state_bytes_max: 16 * 1024,
};

/// No state fits into a commit.
pub(super) const BESIDE: Pricing = Pricing { state_bytes_max: 0, ..FLAT };

pub(super) fn priced(world: &World, pricing: Pricing) -> Ports {
    let store = Altered::new(world.ports.events.clone()).priced(pricing);
    Ports { events: Arc::new(store), ..world.ports.clone() }
}

pub(super) fn archive() -> StreamName {
    stream("archive-1")
}

pub(super) fn keep(text: &str) -> ArchiveCommand {
    ArchiveCommand::Keep { text: text.into() }
}

pub(super) async fn give(bank: &Bank, id: &str, command: &ArchiveCommand) -> Receipt {
    receipt(bank.give::<Archive>("1", id, command).await.unwrap())
}

/// Keeps `count` texts of `bytes` bytes each.
pub(super) async fn fill(bank: &Bank, count: usize, bytes: usize) {
    for n in 0..count {
        give(bank, &n.to_string(), &keep(&format!("{n:x<bytes$}"))).await;
    }
}

/// Checks that a process of its own knows all of the `count` texts of `bytes` bytes.
pub(super) async fn knows(ports: &Ports, count: usize, bytes: usize) {
    for n in [0, count / 2, count - 1] {
        let id = format!("known-{n}");
        let nothing = give(&Bank::new(ports.clone()), &id, &keep(&format!("{n:x<bytes$}"))).await;
        assert_eq!((nothing.version.0, nothing.events.len()), (count as u64, 0), "text {n}");
    }
}

fn carry(commits: &[RecordedCommit]) -> Vec<bool> {
    commits.iter().map(|commit| commit.commit.state().is_some()).collect()
}

async fn a_state_that_costs_nothing_rides_along_with_every_commit(world: World) {
    let ports = priced(&world, FLAT);
    fill(&Bank::new(ports.clone()), 30, 100).await;
    assert_eq!(carry(&world.commits(&archive()).await), vec![true; 30]);
    assert_eq!(world.ports.events.snapshot(&archive()).await.unwrap(), None);
    knows(&ports, 30, 100).await;
}

async fn a_larger_state_rides_along_with_every_kth_commit(world: World) {
    let ports = priced(&world, BY_THE_KB);
    fill(&Bank::new(ports.clone()), 60, 100).await;
    let carried = carry(&world.commits(&archive()).await);
    assert!(carried[0], "the first one costs nothing");
    let (early, late) = carried.split_at(30);
    let of = |carried: &[bool]| carried.iter().filter(|carried| **carried).count();
    assert!((2..30).contains(&of(early)), "{carried:?}");
    assert!((1..8).contains(&of(late)) && of(late) < of(early), "{carried:?}");
    knows(&ports, 60, 100).await;
}

async fn a_state_too_large_for_a_commit_becomes_a_snapshot(world: World) {
    let ports = priced(&world, BESIDE);
    let bank = Bank::new(ports.clone());
    fill(&bank, 7, 10).await;
    assert_eq!(world.ports.events.snapshot(&archive()).await.unwrap(), None, "not every time");
    for n in 7..30 {
        give(&bank, &n.to_string(), &keep(&format!("{n:x<10}"))).await;
    }
    assert_eq!(carry(&world.commits(&archive()).await), vec![false; 30]);
    let snapshot = world
        .eventually("a late snapshot", async || {
            let snapshot = world.ports.events.snapshot(&archive()).await.unwrap();
            snapshot.filter(|snapshot| snapshot.version.0 >= 22)
        })
        .await;
    let state: serde_json::Value = snapshot.state.state.decode().unwrap();
    assert_eq!(state["texts"].as_array().unwrap().len() as u64, snapshot.version.0);
    knows(&ports, 30, 10).await;
}

async fn a_load_reads_no_more_than_what_follows_the_state(world: World) {
    for (pricing, most) in [(FLAT, 1), (BY_THE_KB, 3), (BESIDE, 3)] {
        let world = world.another().await;
        let (counted, ports, start) = (Counted::new(), priced(&world, pricing), world.now());
        let id = |n: i32| CommandId::derived(start + Duration::MILLISECOND * n, &["a"]);
        let bank = Bank::new(ports.clone());
        for n in 0..300 {
            let text = format!("{:x<40}", n % 60);
            give(&bank, id(2 * n).as_str(), &keep(&text)).await;
            give(&bank, id(2 * n + 1).as_str(), &ArchiveCommand::Remove { text }).await;
        }
        let cold = Bank::new(tapped(ports, counted.clone()));
        let receipt = give(&cold, id(1000).as_str(), &keep("one more")).await;
        assert_eq!(receipt.version.0, 601);
        let counts = counted.take();
        let of = |kind| counts.get(kind).map_or(0, |count| count.requests);
        assert!(of("read") <= most, "{counts:?} at {pricing:?}");
        assert!(of("snapshot") <= 1 && of("append") == 1, "{counts:?}");
    }
}

/// A store whose states, wherever they are, `on_state` changes when they are read.
pub(super) fn stating<F>(ports: &Ports, on_state: F) -> Ports
where
    F: Fn(&StreamName, Version, StoredState) -> Option<StoredState> + Send + Sync + 'static,
{
    let store: Arc<dyn EventStore> =
        Arc::new(Altered::new(ports.events.clone()).stating_at(on_state));
    Ports { events: store, ..ports.clone() }
}

async fn a_lost_snapshot_changes_nothing(world: World) {
    for pricing in [FLAT, BY_THE_KB, BESIDE] {
        let world = world.another().await;
        let ports = priced(&world, pricing);
        fill(&Bank::new(ports.clone()), 40, 50).await;
        let lost = stating(&ports, |_, _, _| None);
        knows(&lost, 40, 50).await;
        // It goes on from there, and keeps states that can be read.
        let bank = Bank::new(lost);
        for n in 40..60 {
            give(&bank, &n.to_string(), &keep(&format!("{n:x<50}"))).await;
        }
        knows(&ports, 60, 50).await;
    }
}

async fn an_older_snapshot_changes_nothing(world: World) {
    let ports = priced(&world, BESIDE);
    fill(&Bank::new(ports.clone()), 40, 50).await;
    let texts: Vec<_> = (0..3).map(|n| format!("{n:x<50}")).collect();
    let state = Payload::encode(&json!({ "texts": texts })).unwrap();
    let state = StoredState::new(&archive(), Version(3), 1, state);
    let older = Snapshot { version: Version(3), state };
    ports.events.save_snapshot(&archive(), &older).await.unwrap();
    knows(&ports, 40, 50).await;
}

async fn a_snapshot_that_cannot_be_kept_fails_no_command(world: World) {
    let is_snapshot = |request: &Request<'_>| matches!(request, Request::SaveSnapshot(..));
    for kind in [ErrorKind::Unavailable, ErrorKind::Throttled, ErrorKind::Oversized] {
        let world = world.another().await;
        let script = vec![Some(Fault::Before(kind)); 100];
        let faulty = Faulty::new(is_snapshot, script);
        let ports = priced(&world, BESIDE);
        fill(&Bank::new(tapped(ports.clone(), faulty.clone())), 20, 10).await;
        assert!(faulty.left() < 100, "no snapshot was tried");
        assert_eq!(world.ports.events.snapshot(&archive()).await.unwrap(), None);
        knows(&ports, 20, 10).await;
    }
}

async fn two_releases_side_by_side_understand_each_others_commits(world: World) {
    for pricing in [FLAT, BY_THE_KB, BESIDE] {
        let world = world.another().await;
        let ports = priced(&world, pricing);
        let (this, later) = (Bank::new(ports.clone()), later_release(&ports));
        let mut random = fastrand::Rng::with_seed(13);
        let (mut known, mut version) = (std::collections::BTreeSet::new(), 0);
        for n in 0..120 {
            let (text, id) = (format!("{:x<60}", random.u8(..30)), n.to_string());
            let command = if random.bool() { keep(&text) } else { remove(&text) };
            version += match &command {
                ArchiveCommand::Keep { .. } => u64::from(known.insert(text)),
                ArchiveCommand::Remove { .. } => u64::from(known.remove(&text)),
            };
            let reply = match random.u8(..4) {
                0 => this.give::<Archive>("1", &id, &command).await,
                1 => later.give::<LaterArchive>("1", &id, &command).await,
                2 => Bank::new(ports.clone()).give::<Archive>("1", &id, &command).await,
                _ => later_release(&ports).give::<LaterArchive>("1", &id, &command).await,
            };
            assert_eq!(receipt(reply.unwrap()).version.0, version, "command {n} at {pricing:?}");
        }
    }
}

fn remove(text: &str) -> ArchiveCommand {
    ArchiveCommand::Remove { text: text.into() }
}

fn later_release(ports: &Ports) -> Bank {
    Bank::of(App::new("bank").decider::<LaterArchive>(), ports.clone())
}

/// The archive as a later release keeps its state: in another form under another number.
struct LaterArchive;

impl Decider for LaterArchive {
    const CATEGORY: Category = Archive::CATEGORY;
    const SNAPSHOTS: Snapshots = Snapshots { every: 8, ..Snapshots::format(2) };
    type State = ArchiveState;
    type Command = ArchiveCommand;
    type Event = ArchiveEvent;
    type Error = std::convert::Infallible;

    fn decide(
        state: &ArchiveState,
        command: ArchiveCommand,
    ) -> Result<Vec<ArchiveEvent>, Self::Error> {
        // What it holds is the same, and each text ends in a mark of this form.
        let unmarked = |text: &String| text.trim_end_matches('!').to_owned();
        let texts = state.texts.iter().map(unmarked).collect();
        Archive::decide(&ArchiveState { texts }, command)
    }

    fn evolve(state: &mut ArchiveState, event: &ArchiveEvent) {
        match event {
            ArchiveEvent::Kept { text } => state.texts.insert(format!("{text}!")),
            ArchiveEvent::Removed { text } => state.texts.remove(&format!("{text}!")),
        };
    }
}

async fn decisions_are_the_same_wherever_the_state_is_kept(world: World) {
    let mut outcomes: Vec<Vec<(u64, usize)>> = vec![];
    for pricing in [FLAT, BY_THE_KB, BESIDE, world.ports.events.pricing()] {
        let world = world.another().await;
        let ports = priced(&world, pricing);
        let mut random = fastrand::Rng::with_seed(11);
        let (mut bank, mut outcome, start) = (Bank::new(ports.clone()), vec![], world.now());
        for n in 0..200 {
            if random.u8(..4) == 0 {
                bank = Bank::new(ports.clone());
            }
            let text = format!("{:x<60}", random.u8(..40));
            let command = match random.bool() {
                true => keep(&text),
                false => ArchiveCommand::Remove { text },
            };
            let id = CommandId::derived(start + Duration::MILLISECOND * n, &["a"]);
            let receipt = give(&bank, id.as_str(), &command).await;
            outcome.push((receipt.version.0, receipt.events.len()));
        }
        let last = world.events(&archive()).await.pop().unwrap();
        assert_eq!(last.metadata, Metadata::default());
        outcomes.push(outcome);
    }
    assert!(outcomes.iter().all(|outcome| *outcome == outcomes[0]));
    let recorded = outcomes[0].iter().filter(|(_, events)| *events > 0).count();
    assert!((50..150).contains(&recorded), "{recorded} of 200 did something");
}
