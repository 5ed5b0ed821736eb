//! Makes a failing run shorter.

use crate::faults::Fault;
use crate::plan::{Op, Plan};
use crate::simulator::Simulator;
use crate::trace::Tracing;
use crate::violation::Rule;

/// How many other orders and mishaps are tried before a shorter plan counts as not failing.
const TRIES: u64 = 12;

/// How many other orders and mishaps are tried at last, for the one that takes the fewest turns.
const LAST_TRIES: u64 = 300;

/// How many runs a shrinking may take.
const RUNS_MAX: u64 = 6_000;

/// A search for the shortest plan that breaks a rule.
struct Search<'a> {
    simulator: &'a Simulator,
    rule: Rule,
    best: Plan,
    turns: u64,
    runs: u64,
}

impl Simulator {
    /// A plan with fewer commands and fewer kinds of fault than `plan` that breaks the same rule,
    /// in as few turns as could be found. The same for the same plan.
    pub fn shrink(&self, plan: &Plan, rule: Rule) -> Plan {
        let (best, turns) = (plan.clone(), u64::MAX);
        let mut search = Search { simulator: self, rule, best, turns, runs: 0 };
        while search.shorten() {}
        for nth in 0..LAST_TRIES {
            let plan = search.best.reordered(nth);
            search.try_out(plan);
        }
        search.best
    }
}

impl Search<'_> {
    /// Tries everything that may go once. Says whether something went.
    fn shorten(&mut self) -> bool {
        let mut is_shorter = false;
        for fault in Fault::ALL {
            if self.best.faults.has(fault) {
                let faults = self.best.faults.without(fault);
                is_shorter |= self.accepts(Plan { faults, ..self.best.clone() });
            }
        }
        let mut size = self.best.ops.len().div_ceil(2);
        while size > 0 {
            let mut start = 0;
            while start < self.best.ops.len() {
                let ops = without(&self.best.ops, start, size);
                match self.accepts(Plan { ops, ..self.best.clone() }) {
                    true => is_shorter = true,
                    false => start += size,
                }
            }
            size /= 2;
        }
        is_shorter |= self.simplify();
        is_shorter
    }

    fn simplify(&mut self) -> bool {
        let mut is_shorter = false;
        if self.best.nodes > 1 {
            is_shorter |= self.accepts(Plan { nodes: self.best.nodes - 1, ..self.best.clone() });
        }
        if self.best.instances > 1 {
            let instances = self.best.instances - 1;
            is_shorter |= self.accepts(Plan { instances, ..self.best.clone() });
        }
        for nth in 0..self.best.ops.len() {
            if self.best.ops[nth].is_hedged || !self.best.ops[nth].again.is_empty() {
                let mut ops = self.best.ops.clone();
                (ops[nth].is_hedged, ops[nth].again) = (false, vec![]);
                is_shorter |= self.accepts(Plan { ops, ..self.best.clone() });
            }
        }
        is_shorter
    }

    /// Whether `plan` breaks the rule as well, in its own or another order.
    fn accepts(&mut self, plan: Plan) -> bool {
        self.turns = u64::MAX;
        self.try_out(plan.clone())
            || (0..TRIES).any(|nth| {
                let reordered = plan.reordered(nth);
                self.try_out(reordered)
            })
    }

    /// Keeps `plan` if it breaks the rule in fewer turns than the best so far.
    fn try_out(&mut self, plan: Plan) -> bool {
        if self.runs >= RUNS_MAX {
            return false;
        }
        self.runs += 1;
        let report = self.simulator.run_plan(&plan, Tracing::Off);
        let is_broken = report.violation.is_some_and(|violation| violation.rule == self.rule);
        let is_better = is_broken && report.turns < self.turns;
        if is_better {
            (self.best, self.turns) = (plan, report.turns);
        }
        is_better
    }
}

fn without(ops: &[Op], start: usize, size: usize) -> Vec<Op> {
    let end = ops.len().min(start + size);
    ops[..start].iter().chain(&ops[end..]).cloned().collect()
}
