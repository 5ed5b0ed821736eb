//! Runs seeds.

use std::panic::{AssertUnwindSafe, catch_unwind};

use skyfold::Health;
use skyfold_memory::Memory;

use crate::checker;
use crate::evidence::at_once;
use crate::faults::Counts;
use crate::plan::Plan;
use crate::shop;
use crate::simulation::Simulation;
use crate::subject::Subject;
use crate::trace::Tracing;
use crate::violation::{Rule, Verdict, Violation, ensure};

/// One seed in so many is asked for its health: a manifest takes longer than most runs.
const HEALTH_ONE_IN: u64 = 16;

/// Runs the order app, seed by seed.
#[derive(Debug)]
pub struct Simulator {
    subject: Subject,
}

/// What came of a run.
#[derive(Clone, Debug, Default)]
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
        let simulation = Simulation::new(&self.subject, plan, tracing);
        let world = simulation.world.clone();
        let mut report = match catch_unwind(AssertUnwindSafe(|| self.judge(simulation))) {
            Ok(report) => report,
            Err(panic) => {
                let text = panic.downcast_ref::<String>().map(String::as_str);
                let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
                Report::of(Violation::new(Rule::NothingPanics, text.unwrap_or("no message")))
            }
        };
        let state = world.lock();
        report.faults = state.counts.clone();
        (report.digest, report.trace) = (state.trace.digest(), state.trace.lines().to_vec());
        report
    }

    /// Runs `simulation` and checks what came of it.
    fn judge(&self, mut simulation: Simulation<'_>) -> Report {
        simulation.run();
        let health = match simulation.plan.seed.is_multiple_of(HEALTH_ONE_IN) {
            true => check_health(&self.subject, &simulation.memory),
            false => Ok(()),
        };
        let evidence = simulation.evidence();
        let verdict = checker::check(&self.subject, &evidence).and(health);
        Report {
            violation: verdict.err(),
            attempts: evidence.history.attempts.len() as u64,
            commits: evidence.log.all.len() as u64,
            turns: evidence.turns,
            ..Report::default()
        }
    }
}

impl Report {
    fn of(violation: Violation) -> Self {
        Self { violation: Some(violation), ..Self::default() }
    }
}

/// Once everything has come to rest, the app says that it has kept up.
fn check_health(subject: &Subject, memory: &Memory) -> Verdict {
    let runtime = subject.app.clone().bind(memory.ports());
    let health = runtime.and_then(|runtime| at_once(runtime.health()));
    let has_kept_up = |health: &Health| health.consumers.iter().all(|lag| lag.behind == 0);
    let holds = health.as_ref().is_ok_and(has_kept_up);
    ensure(Rule::HealthIsTold, holds, || format!("{health:?}"))
}

impl Default for Simulator {
    fn default() -> Self {
        Self::new()
    }
}
