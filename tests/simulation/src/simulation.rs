//! One run: nodes, clients, deliveries and time, until nothing is left to do.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use skyfold::{Error, ErrorKind, Failed, Reply, Result, StreamId, StreamName};
use skyfold_memory::Memory;
use time::OffsetDateTime;

use crate::agenda::Agenda;
use crate::clients::Clients;
use crate::deliveries::{Deliveries, Parcel};
use crate::evidence::Evidence;
use crate::faults::{Fault, Faults, spread};
use crate::history::History;
use crate::nodes::Nodes;
use crate::operator::Operator;
use crate::plan::Plan;
use crate::revision::Revision;
use crate::scheduler::{Polled, Scheduler, TaskId};
use crate::subject::Subject;
use crate::trace::Tracing;
use crate::violation::{Rule, Violation};
use crate::world::{Intent, START, World};

/// How many turns a run may take before it counts as one that does not come to rest.
const TURNS_MAX: u64 = 3_000_000;

/// How much time a turn takes, at most, in microseconds.
const TURN_MICROS_MAX: u64 = 2_000;

/// What is to happen at some time.
#[derive(Debug)]
pub(crate) enum Action {
    Wake(TaskId),
    /// A client gives a command, or gives it again.
    Ask(usize),
    /// A message arrives where it is to be handled.
    Arrive(usize, Parcel),
    /// A function takes what has arrived.
    Serve(usize),
    /// Past events are delivered once more.
    Replay(usize),
    /// A node is replaced.
    Restart(usize),
    /// The release that fails on some events is replaced.
    Mend,
    /// An operator looks for dead letters.
    Operate,
    /// A new revision of some read models is deployed.
    Revise,
    /// It is built, and switched to.
    Build,
    /// A subject of personal data is forgotten.
    Forget(StreamId),
    /// A subject of personal data is given another key.
    Renew(StreamId),
    /// A client looks at what has become of a stream.
    Look(StreamName),
    /// Nothing goes wrong any more.
    Calm,
}

/// What a task is about.
#[derive(Debug)]
pub(crate) enum Work {
    /// An attempt at a command of the plan, by its place in the history.
    Ask(usize),
    /// A look at a view, by its place in the history.
    Look(usize),
    /// Deliveries; if they are copies, whatever becomes of them.
    Serve { inbox: usize, parcels: Vec<Parcel> },
    /// A command that the queue delivered, and its attempt.
    Run { inbox: usize, parcel: Parcel, attempt: usize },
    /// A replay of the consumer in this place.
    Replay(usize),
    /// An operator's visit.
    Operate,
    /// The building of a new revision.
    Build,
    /// An attempt at forgetting somebody, by its place in the history.
    Forget(usize),
    /// Another key for somebody.
    Renew,
}

pub(crate) type Outcome = Result<Reply>;

/// Whether what failed with `error` may succeed when it is tried again.
pub(crate) fn may_pass(error: &Error) -> bool {
    error.is_transient() || error.kind() == ErrorKind::Conflict
}

/// One run.
pub(crate) struct Simulation<'a> {
    pub(crate) subject: &'a Subject,
    pub(crate) plan: &'a Plan,
    pub(crate) world: World,
    pub(crate) memory: Memory,
    pub(crate) scheduler: Scheduler<Outcome>,
    pub(crate) agenda: Agenda<Action>,
    pub(crate) nodes: Nodes,
    pub(crate) deliveries: Deliveries,
    pub(crate) clients: Clients,
    pub(crate) operator: Operator,
    pub(crate) revision: Revision,
    pub(crate) history: History,
    /// Where each task runs, and what it is about.
    pub(crate) works: BTreeMap<TaskId, (usize, Work)>,
    /// Whose turn it is, and on which node.
    pub(crate) rng: Rng,
    pub(crate) turns: u64,
    /// Whether every process that starts now runs the newest version.
    pub(crate) is_deployed: bool,
    pub(crate) violation: Option<Violation>,
}

impl<'a> Simulation<'a> {
    pub(crate) fn new(subject: &'a Subject, plan: &'a Plan, tracing: Tracing) -> Self {
        let mishaps = Rng::with_seed(plan.mishaps);
        let mut simulation = Self {
            subject,
            plan,
            world: World::new(mishaps, plan.faults.clone(), tracing),
            memory: Memory::with_clock(skyfold_memory::VirtualClock::new()),
            scheduler: Scheduler::new(),
            agenda: Agenda::new(),
            nodes: Nodes::default(),
            deliveries: Deliveries::new(subject),
            clients: Clients::new(plan.ops.len()),
            operator: Operator::default(),
            revision: Revision::default(),
            history: History::default(),
            works: BTreeMap::new(),
            rng: Rng::with_seed(plan.schedule),
            turns: 0,
            is_deployed: false,
            violation: None,
        };
        (0..plan.nodes).for_each(|node| simulation.start(node));
        simulation.set_up();
        simulation
    }

    /// Enters what the plan says.
    fn set_up(&mut self) {
        for (nth, op) in self.plan.ops.iter().enumerate() {
            self.agenda.enter(START + op.at, Action::Ask(nth));
            if op.is_hedged {
                self.agenda.enter(START + op.at, Action::Ask(nth));
            }
        }
        self.agenda.enter(START + self.plan.calm, Action::Calm);
        for consumer in self.deliveries.consumers() {
            if self.strikes(Fault::Replay) {
                let at = self.any_moment();
                self.agenda.enter(at, Action::Replay(consumer));
            }
        }
        for node in 0..self.plan.nodes {
            if self.strikes(Fault::Deployment) || self.strikes(Fault::Evolution) {
                let at = self.any_moment();
                self.agenda.enter(at, Action::Restart(node));
            }
        }
        self.plan_operator();
        self.plan_revision();
        self.plan_forgetting();
    }

    /// Some time before nothing goes wrong any more.
    pub(crate) fn any_moment(&mut self) -> OffsetDateTime {
        let millis = u64::try_from(self.plan.calm.as_millis()).unwrap_or(u64::MAX);
        START + Duration::from_millis(self.rng.u64(0..=millis))
    }

    /// Lets everything happen until nothing is left to do, or something is not as it must be.
    pub(crate) fn run(&mut self) {
        while self.violation.is_none() {
            let now = self.now();
            if let Some(action) = self.agenda.due(now) {
                self.act(action);
            } else if let Some(picked) = self.scheduler.pick(&mut self.rng) {
                self.turns += 1;
                let micros = self.rng.u64(0..TURN_MICROS_MAX);
                self.turn(&picked, Duration::from_micros(micros));
            } else if let Some(next) = self.agenda.next_time() {
                self.world.lock().now = next;
            } else {
                return;
            }
            if self.turns > TURNS_MAX {
                self.fail(Rule::ComesToRest, format!("not within {TURNS_MAX} turns"));
            }
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Wake(task) => self.scheduler.wake(task),
            Action::Ask(op) => self.ask(op),
            Action::Arrive(inbox, parcel) => self.arrive(inbox, parcel),
            Action::Serve(inbox) => self.serve(inbox),
            Action::Replay(consumer) => self.replay(consumer),
            Action::Restart(node) => self.restart(node),
            Action::Mend => self.mend(),
            Action::Operate => self.operate(),
            Action::Revise => self.revise(),
            Action::Build => self.build(),
            Action::Forget(subject) => self.forget(subject),
            Action::Renew(subject) => self.renew(subject),
            Action::Look(stream) => self.look_back(stream),
            Action::Calm => {
                {
                    let mut state = self.world.lock();
                    state.faults = Faults::none();
                    state.tell("nothing goes wrong any more");
                }
                self.mend();
                self.finish_deployment();
                if self.plan.faults.has(Fault::Poison) {
                    self.operate_later();
                }
            }
        }
    }

    /// Gives the picked task its turn.
    fn turn(&mut self, picked: &crate::scheduler::Picked, duration: Duration) {
        {
            let mut state = self.world.lock();
            state.now += duration;
            state.intent = Intent::Yield;
            state.task = picked.task;
            state.trace.mark(picked.task);
        }
        let polled = self.scheduler.poll(picked);
        let (intent, posted) = {
            let mut state = self.world.lock();
            let posted = std::mem::take(&mut state.posted);
            (state.intent, posted)
        };
        posted.into_iter().for_each(|message| self.post(message));
        match polled {
            Polled::Done(outcome) => {
                if let Some((node, work)) = self.works.remove(&picked.task) {
                    self.done(node, work, outcome);
                }
            }
            Polled::Pending => match intent {
                Intent::Yield => {}
                Intent::Sleep(until) => {
                    self.scheduler.sleep(picked);
                    self.agenda.enter(until, Action::Wake(picked.task));
                }
                Intent::Cancel => self.drop_tasks(&BTreeSet::from([picked.task])),
                Intent::Crash => self.crash(picked.task),
            },
        }
    }

    /// Takes the outcome of `work` on `node`.
    fn done(&mut self, node: usize, work: Work, outcome: Outcome) {
        let outcome = self.excused(node, outcome);
        match work {
            Work::Ask(attempt) => self.answered(attempt, outcome),
            Work::Look(look) => self.looked(look, outcome),
            Work::Serve { inbox, parcels } => self.served(inbox, parcels, outcome),
            Work::Run { inbox, parcel, attempt } => self.ran(inbox, parcel, attempt, outcome),
            Work::Replay(consumer) => self.replayed(consumer, outcome),
            Work::Operate => self.operated(outcome),
            Work::Build => self.built(outcome),
            Work::Forget(nth) => self.forgot(nth, outcome),
            Work::Renew => self.renewed(outcome),
        }
    }

    /// A process that is behind cannot read what the newest version writes, and says so: whatever
    /// it was given comes again, as if it had not been there.
    fn excused(&self, node: usize, outcome: Outcome) -> Outcome {
        if !self.is_behind(node) {
            return outcome;
        }
        let excuse = |error: &Error| match error.kind() {
            ErrorKind::Newer => Some(Error::new(ErrorKind::Unavailable, error.to_string())),
            _ => None,
        };
        match outcome {
            Err(error) => Err(excuse(&error).unwrap_or(error)),
            Ok(Reply::Handled(failed)) => Ok(Reply::Handled(
                failed
                    .into_iter()
                    .map(|Failed { event, error }| {
                        let error = excuse(&error).map_or(error, Arc::new);
                        Failed { event, error }
                    })
                    .collect(),
            )),
            reply => reply,
        }
    }

    /// Drops `tasks`, wherever they are; what they were about is left to others.
    pub(crate) fn drop_tasks(&mut self, tasks: &BTreeSet<TaskId>) {
        self.scheduler.kill(tasks);
        for task in tasks {
            match self.works.remove(task) {
                None | Some((_, Work::Look(_) | Work::Renew)) => {}
                Some((_, Work::Ask(attempt))) => self.unanswered(attempt),
                Some((_, Work::Serve { inbox, parcels })) => {
                    self.free(inbox);
                    self.return_all(inbox, parcels);
                }
                Some((_, Work::Run { inbox, parcel, .. })) => {
                    self.free(inbox);
                    self.return_all(inbox, vec![parcel]);
                }
                Some((_, Work::Replay(consumer))) => self.replay_later(consumer),
                Some((_, Work::Operate)) => self.operate_later(),
                Some((_, Work::Build)) => self.build_later(),
                Some((_, Work::Forget(nth))) => self.forget_later(nth),
            }
        }
    }

    /// Starts `work` on `node`.
    pub(crate) fn spawn(
        &mut self,
        node: usize,
        work: Work,
        future: impl Future<Output = Outcome> + 'static,
    ) -> TaskId {
        let task = self.scheduler.spawn(future);
        self.works.insert(task, (node, work));
        task
    }

    pub(crate) fn now(&self) -> OffsetDateTime {
        self.world.lock().now
    }

    pub(crate) fn strikes(&self, fault: Fault) -> bool {
        self.world.lock().strikes(fault)
    }

    pub(crate) fn spread(&self, doublings: std::ops::Range<u32>) -> Duration {
        spread(&mut self.world.lock().rng, doublings)
    }

    /// Enters `action` for `delay` from now.
    pub(crate) fn enter_after(&mut self, delay: Duration, action: Action) {
        let at = self.now() + delay;
        self.agenda.enter(at, action);
    }

    pub(crate) fn fail(&mut self, rule: Rule, found: impl Into<String>) {
        self.violation.get_or_insert_with(|| Violation::new(rule, found));
    }

    /// What there is to judge the run by.
    pub(crate) fn evidence(self) -> Evidence {
        Evidence::gather(self)
    }
}
