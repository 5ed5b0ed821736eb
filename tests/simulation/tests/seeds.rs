//! Whatever goes wrong, nothing is lost and nothing is done twice.

use std::ops::ControlFlow;
use std::thread::available_parallelism;

use simulation::{Fault, Simulator};

/// How many seeds every run of the tests tries.
const SEEDS: u64 = 4_000;

/// How often each fault must have happened among them.
const MET_MIN: u64 = 100;

#[test]
fn every_seed_ends_as_it_must() {
    let threads = available_parallelism().map_or(1, usize::from);
    let totals = Simulator::new().run_all(0..SEEDS, threads, |seed, report| {
        if let Some(violation) = &report.violation {
            println!("seed {seed}: {violation}");
        }
        ControlFlow::Continue(())
    });
    assert_eq!(totals.failed, Vec::<u64>::new(), "run each with --seed N --trace");
    assert_eq!(totals.seeds, SEEDS);
    assert!(totals.commits > SEEDS, "something was recorded: {totals:?}");
    for fault in Fault::ALL {
        let count = totals.faults.of(fault);
        println!("{count:>9} × {fault}");
        assert!(count >= MET_MIN, "{fault} happened {count} times");
    }
}
