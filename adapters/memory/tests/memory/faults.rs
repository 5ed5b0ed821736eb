//! The fault mode: whatever goes wrong on the way, what follows is the same.

use skyfold_memory::{Dump, FaultCounts, Faults, Memory, Moment, VirtualClock};

use crate::domain::{REMINDER, add, app, assert_consistent, send};

/// How many seeds the heavy faults are drawn from.
const SEEDS: u64 = 50;

/// How many additions are made with each.
const COMMANDS: u64 = 10;

/// Sends `commands` additions, settling now and then, and lets all time pass that they need.
async fn run(memory: &Memory, commands: u64) -> Dump {
    let runtime = app().bind(memory.ports()).unwrap();
    for nth in 0..commands {
        // Several counters add for one account, so that their events meet in its views.
        let (counter, account) = (format!("c{}", nth % 5), format!("a{}", nth % 2));
        send(&runtime, add(nth, &counter, 1 + nth % 5, &account)).await;
        if nth % 7 == 6 {
            memory.settle(&runtime).await.unwrap();
        }
    }
    memory.settle_through_time(&runtime, 100 * REMINDER).await.unwrap();
    assert!(memory.pending().is_settled());
    assert_eq!(memory.dead_letters(), []);
    memory.dump().unwrap()
}

async fn run_with(faults: Faults, commands: u64) -> (Memory, Dump) {
    let memory = Memory::with_faults(faults, VirtualClock::new());
    let dump = run(&memory, commands).await;
    (memory, dump)
}

#[tokio::test]
async fn heavy_faults_of_any_seed_change_nothing_of_the_outcome() {
    let mut all = FaultCounts::default();
    for seed in 0..SEEDS {
        let (memory, dump) = run_with(Faults::heavy(seed), COMMANDS).await;
        // Shown if the seed fails.
        println!("seed {seed}: {:?}", memory.fault_counts());
        assert_consistent(&dump);
        let events = dump.streams.iter().filter(|s| s.stream.starts_with("counter-"));
        let events: usize = events.map(|stream| stream.events.len()).sum();
        // Of the amounts 1 to 5 one is a single event and the others are two.
        assert_eq!(events as u64, COMMANDS + COMMANDS * 4 / 5, "seed {seed}");
        let counts = memory.fault_counts();
        all.duplicated += counts.duplicated;
        all.reordered += counts.reordered;
        all.delayed += counts.delayed;
        all.dropped += counts.dropped;
        all.early += counts.early;
        all.failed_before += counts.failed_before;
        all.failed_after += counts.failed_after;
        all.crashed += counts.crashed;
        all.stale += counts.stale;
        all.switched += counts.switched;
    }
    let kinds = [all.duplicated, all.reordered, all.delayed, all.dropped, all.early];
    let more = [all.failed_before, all.failed_after, all.crashed, all.stale, all.switched];
    assert!(kinds.iter().chain(&more).all(|count| *count > 5 * SEEDS), "{all:?}");
}

#[tokio::test]
async fn a_seed_repeats_itself_exactly() {
    let (first, dump) = run_with(Faults::heavy(7), 20).await;
    let (again, dump_again) = run_with(Faults::heavy(7), 20).await;
    assert_eq!(first.trace(), again.trace());
    assert_eq!(first.fault_counts(), again.fault_counts());
    assert_eq!(dump, dump_again);
    let (other, _) = run_with(Faults::heavy(8), 20).await;
    assert_ne!(first.trace(), other.trace());
}

#[tokio::test]
async fn a_crash_at_any_write_changes_nothing_of_the_outcome() {
    let mut write = 0;
    loop {
        write += 1;
        for moment in [Moment::Before, Moment::After] {
            let (memory, dump) = run_with(Faults::crash_at(write, moment), 3).await;
            assert_consistent(&dump);
            let counts = memory.fault_counts();
            if counts.writes < write {
                assert_eq!(counts.crashed, 0);
                assert!(write > 30, "only {write} writes");
                return;
            }
            assert_eq!(counts.crashed, 1, "{moment:?} write {write}");
        }
    }
}
