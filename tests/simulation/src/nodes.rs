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
pub(crate) struct Nodes(Vec<Node>);

/// A process.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) runtime: Runtime,
    pub(crate) skew: time::Duration,
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
        let is_next = self.plan.faults.has(Fault::Deployment) && self.rng.bool();
        let app = if is_next { &self.subject.next } else { &self.subject.app };
        let ports = ports(&self.memory.ports(), &self.world, skew, self.plan.pricing);
        let runtime = app.clone().bind(ports).expect("the app can be bound");
        let started = Node { runtime, skew };
        match self.nodes.0.get_mut(node) {
            Some(place) => *place = started,
            None => self.nodes.0.push(started),
        }
        let version = if is_next { "next" } else { "same" };
        let millis = skew.whole_milliseconds();
        let told = format_args!("node {node} starts, {version} version, clock {millis} ms off");
        self.world.lock().tell(told);
    }

    /// Any of the processes.
    pub(crate) fn any_node(&mut self) -> usize {
        self.rng.usize(0..self.nodes.0.len())
    }

    pub(crate) fn node(&self, node: usize) -> &Node {
        &self.nodes.0[node]
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
