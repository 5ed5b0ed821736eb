//! Whatever goes wrong, nothing is lost and nothing is done twice.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::thread::available_parallelism;

use simulation::{Fault, Simulator, Tracing};

/// How many seeds every run of the tests tries.
const SEEDS: u64 = 1_500;

/// How many of them are tried again.
const REPEATED: u64 = 30;

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
        assert!(totals.faults.of(fault) > 0, "{fault} never came up");
    }
}

#[test]
fn a_seed_replays_to_the_last_step() {
    let simulator = Simulator::new();
    for seed in 1..=REPEATED {
        let (once, again) = (simulator.run(seed, Tracing::Off), simulator.run(seed, Tracing::On));
        assert_eq!((once.digest, once.turns), (again.digest, again.turns), "seed {seed}");
        assert!(once.trace.is_empty() && !again.trace.is_empty());
    }
}

#[test]
fn no_two_seeds_are_alike() {
    let simulator = Simulator::new();
    let digests = (1..=REPEATED).map(|seed| simulator.run(seed, Tracing::Off).digest);
    assert_eq!(digests.collect::<BTreeSet<_>>().len() as u64, REPEATED);
}
