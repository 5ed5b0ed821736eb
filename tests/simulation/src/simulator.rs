//! Runs seeds.

use crate::checker;
use crate::faults::Counts;
use crate::plan::Plan;
use crate::shop;
use crate::simulation::Simulation;
use crate::subject::Subject;
use crate::trace::Tracing;
use crate::violation::Violation;

/// Runs the order app, seed by seed.
#[derive(Debug)]
pub struct Simulator {
    subject: Subject,
}

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Report {
    /// What was not as it must be, if anything.
    pub violation: Option<Violation>,
    /// How many commands were tried, by clients and by the queue.
    pub attempts: u64,
    /// How many commits were recorded.
    pub commits: u64,
    /// How many turns tasks were given.
    pub turns: u64,
    /// What went wrong on purpose.
    pub faults: Counts,
    /// A digest of every step.
    pub digest: u64,
    /// The steps, if they were written down.
    pub trace: Vec<String>,
}

impl Simulator {
    /// Over the order app.
    pub fn new() -> Self {
        Self { subject: shop::subject() }
    }

    /// What `seed` stands for.
    pub fn plan(&self, seed: u64) -> Plan {
        Plan::drawn(seed, self.subject.asks)
    }

    /// Runs `seed`.
    pub fn run(&self, seed: u64, tracing: Tracing) -> Report {
        self.run_plan(&self.plan(seed), tracing)
    }

    /// Runs `plan`.
    pub fn run_plan(&self, plan: &Plan, tracing: Tracing) -> Report {
        let mut simulation = Simulation::new(&self.subject, plan, tracing);
        simulation.run();
        let evidence = simulation.evidence();
        let violation = checker::check(&self.subject, &evidence).err();
        Report {
            violation,
            attempts: evidence.history.attempts.len() as u64,
            commits: evidence.log.all.len() as u64,
            turns: evidence.turns,
            digest: evidence.trace.digest(),
            faults: evidence.counts,
            trace: evidence.trace.lines().to_vec(),
        }
    }
}

impl Default for Simulator {
    fn default() -> Self {
        Self::new()
    }
}
