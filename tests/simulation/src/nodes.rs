//! The processes that the app runs in: each with its own memory, clock and version of the app.

use std::collections::BTreeSet;

use skyfold::Runtime;

use crate::faults::Fault;
use crate::ports::ports;
use crate::scheduler::TaskId;
use crate::simulation::Simulation;

/// How far the clock of a process is ahead or behind, at most.
const SKEW_MILLIS_MAX: i64 = 3_600_000;

/// The processes.
#[derive(Debug, Default)]
pub(crate) struct Nodes {
    all: Vec<Node>,
    /// How many were ever started.
    started: u64,
}

impl Nodes {
    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.all.len()
    }
}

/// A process.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) runtime: Runtime,
    pub(crate) skew: time::Duration,
    pub(crate) release: Release,
    /// Tells it from those that it replaced.
    pub(crate) process: u64,
}

/// A version of the app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Release {
    /// The first.
    Same,
    /// The first before it was mended: it fails on some events.
    Fragile,
    /// The first with a new revision of some read models beside the old one.
    Revised,
    /// The next, whose states have another form.
    Next,
    /// The next, whose events have another form as well.
    Evolved,
}

impl Simulation<'_> {
    /// Starts the process `node` with nothing in memory.
    pub(crate) fn start(&mut self, node: usize) {
        let skew = match self.strikes(Fault::Skew) {
            true => {
                let mut state = self.world.lock();
                let millis = state.rng.i64(-SKEW_MILLIS_MAX..=SKEW_MILLIS_MAX);
                time::Duration::milliseconds(millis)
            }
            false => time::Duration::ZERO,
        };
        let release = self.any_release();
        let app = match release {
            Release::Same => &self.subject.app,
            Release::Fragile => &self.subject.fragile,
            Release::Revised => &self.subject.revised,
            Release::Next => &self.subject.next,
            Release::Evolved => &self.subject.evolved,
        };
        let ports = ports(&self.memory.ports(), &self.world, skew, self.plan.pricing);
        let runtime = app.clone().bind(ports).expect("the app can be bound");
        self.nodes.started += 1;
        let started = Node { runtime, skew, release, process: self.nodes.started };
        match self.nodes.all.get_mut(node) {
            Some(place) => *place = started,
            None => self.nodes.all.push(started),
        }
        let millis = skew.whole_milliseconds();
        let told = format_args!("node {node} starts, {release:?} release, clock {millis} ms off");
        self.world.lock().tell(told);
    }

    /// What a process that starts now runs.
    fn any_release(&mut self) -> Release {
        let faults = &self.plan.faults;
        if self.revision.is_listed {
            return Release::Revised;
        }
        if faults.has(Fault::Poison) && !self.operator.is_mended && self.rng.bool() {
            return Release::Fragile;
        }
        if faults.has(Fault::Evolution) && (self.is_deployed || self.rng.bool()) {
            return Release::Evolved;
        }
        match faults.has(Fault::Deployment) && self.rng.bool() {
            true => Release::Next,
            false => Release::Same,
        }
    }

    /// Every process that runs a version before the newest is replaced.
    pub(crate) fn finish_deployment(&mut self) {
        self.is_deployed = true;
        if self.plan.faults.has(Fault::Evolution) {
            let behind = |node: &usize| self.node(*node).release != Release::Evolved;
            let behind: Vec<_> = (0..self.nodes.all.len()).filter(behind).collect();
            behind.into_iter().for_each(|node| self.restart(node));
        }
    }

    /// Whether `node` may meet events that it cannot read.
    pub(crate) fn is_behind(&self, node: usize) -> bool {
        self.plan.faults.has(Fault::Evolution) && self.node(node).release != Release::Evolved
    }

    /// Any of the processes.
    pub(crate) fn any_node(&mut self) -> usize {
        self.rng.usize(0..self.nodes.all.len())
    }

    pub(crate) fn node(&self, node: usize) -> &Node {
        &self.nodes.all[node]
    }

    /// The process in which `task` runs dies with all that it does.
    pub(crate) fn crash(&mut self, task: TaskId) {
        if let Some((node, _)) = self.works.get(&task) {
            self.restart(*node);
        }
    }

    /// Replaces a process by one that knows nothing.
    pub(crate) fn restart(&mut self, node: usize) {
        self.world.lock().tell(format_args!("node {node} dies"));
        let on_node = self.works.iter().filter(|(_, (on, _))| *on == node);
        let tasks: BTreeSet<_> = on_node.map(|(task, _)| *task).collect();
        self.drop_tasks(&tasks);
        self.start(node);
    }
}
