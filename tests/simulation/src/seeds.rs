//! Runs many seeds side by side.

use std::collections::BTreeMap;
use std::ops::{ControlFlow, Range};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;

use crate::faults::Counts;
use crate::simulator::{Report, Simulator};
use crate::trace::Tracing;
use crate::violation::Harm;

/// What came of many runs.
#[derive(Clone, Debug, Default)]
pub struct Totals {
    /// How many runs there were.
    pub seeds: u64,
    /// How many commands were tried, by clients and by the queue.
    pub attempts: u64,
    /// How many commits were recorded.
    pub commits: u64,
    /// How many turns tasks were given.
    pub turns: u64,
    /// What went wrong on purpose.
    pub faults: Counts,
    /// In how many runs something was not as it must be, by what that means.
    pub harms: BTreeMap<Harm, u64>,
    /// The seeds of those runs.
    pub failed: Vec<u64>,
}

impl Totals {
    fn add(&mut self, seed: u64, report: &Report) {
        self.seeds += 1;
        self.attempts += report.attempts;
        self.commits += report.commits;
        self.turns += report.turns;
        self.faults.add(&report.faults);
        if let Some(violation) = &report.violation {
            *self.harms.entry(violation.rule.harm()).or_default() += 1;
            self.failed.push(seed);
        }
    }
}

impl Simulator {
    /// Runs `seeds` on so many `threads`, and tells `each` of every run as it ends, until it says
    /// to stop.
    pub fn run_all(
        &self,
        seeds: Range<u64>,
        threads: usize,
        mut each: impl FnMut(u64, &Report) -> ControlFlow<()>,
    ) -> Totals {
        let (next, is_over) = (AtomicU64::new(seeds.start), AtomicBool::new(false));
        let (sender, receiver) = mpsc::channel();
        let mut totals = Totals::default();
        let run = |sender: mpsc::Sender<(u64, Report)>| {
            while !is_over.load(Ordering::Relaxed) {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                let is_sent = seeds.contains(&seed)
                    && sender.send((seed, self.run(seed, Tracing::Off))).is_ok();
                if !is_sent {
                    return;
                }
            }
        };
        thread::scope(|scope| {
            for _ in 0..threads.max(1) {
                let sender = sender.clone();
                scope.spawn(|| run(sender));
            }
            drop(sender);
            for (seed, report) in receiver {
                totals.add(seed, &report);
                if each(seed, &report).is_break() {
                    is_over.store(true, Ordering::Relaxed);
                }
            }
        });
        totals
    }
}
