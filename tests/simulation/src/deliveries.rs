//! The feed, the bus and the queue: what was sent arrives late, twice, out of order, in batches,
//! and again until it was handled.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use skyfold::ports::{FeedQuery, QueuedCommand};
use skyfold::{Error, EventId, Failed, Reply, StreamName, Trigger};

use crate::faults::Fault;
use crate::fragile::MISHAP;
use crate::history::{Answer, Attempt, Firing, Source};
use crate::simulation::{Action, Outcome, Simulation, Work, may_pass};
use crate::subject::Subject;
use crate::violation::Rule;
use crate::world::{Message, State};

/// How many messages a function is given at once, at most.
const BATCH_MAX: usize = 10;

/// How long a message takes if nothing delays it, at most.
const TRANSIT_MILLIS_MAX: u64 = 30;

/// The longest delay, in powers of two of milliseconds: days.
const DELAY_DOUBLINGS: u32 = 28;

/// How long a queue holds a command at most, before it hands it over early.
const HOLD_MAX: Duration = Duration::from_secs(200);

/// One event in so many is announced by reference.
const REFERENCE_ONE_IN: u32 = 6;

/// How often a message may fail after nothing goes wrong any more.
const ATTEMPTS_MAX: u32 = 60;

/// Where messages wait for their function.
#[derive(Debug)]
pub(crate) struct Deliveries {
    inboxes: Vec<Inbox>,
}

#[derive(Debug)]
struct Inbox {
    function: String,
    brings: Brings,
    waiting: Vec<Parcel>,
    /// Whether the function is to be called.
    is_called: bool,
    /// How many instances of the function are at work.
    busy: usize,
}

/// What an inbox is for.
#[derive(Debug)]
enum Brings {
    /// Every commit of the store.
    Commits,
    /// Events of these categories.
    Events(Vec<String>),
    /// Commands of the category that the function is named after.
    Commands,
}

/// A message on its way.
#[derive(Clone, Debug)]
pub(crate) struct Parcel {
    message: Message,
    attempts: u32,
    origin: Origin,
}

/// Whether a message must be handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// It comes until it was handled.
    Original,
    /// It comes once, beside the original.
    Copy,
}

impl Deliveries {
    pub(crate) fn new(subject: &Subject) -> Self {
        let mut inboxes = vec![Inbox::new(&subject.relay, Brings::Commits)];
        for (function, hears) in &subject.consumers {
            inboxes.push(Inbox::new(function, Brings::Events(hears.clone())));
        }
        for category in &subject.categories {
            inboxes.push(Inbox::new(category, Brings::Commands));
        }
        Self { inboxes }
    }

    /// From now on `function` hears events as well.
    pub(crate) fn add_consumer(&mut self, (function, hears): &(String, Vec<String>)) {
        self.inboxes.push(Inbox::new(function, Brings::Events(hears.clone())));
    }

    /// The places of those who hear events.
    pub(crate) fn consumers(&self) -> Vec<usize> {
        let hears = |nth: &usize| matches!(self.inboxes[*nth].brings, Brings::Events(_));
        (0..self.inboxes.len()).filter(hears).collect()
    }
}

impl Inbox {
    fn new(function: &str, brings: Brings) -> Self {
        let (function, waiting) = (function.to_owned(), vec![]);
        Self { function, brings, waiting, is_called: false, busy: 0 }
    }

    fn takes(&self, message: &Message) -> bool {
        match (&self.brings, message) {
            (Brings::Commits, Message::Commit(_)) => true,
            (Brings::Events(hears), Message::Event(event)) => {
                hears.iter().any(|category| category == event.subject.category())
            }
            (Brings::Commands, Message::Command(command, _)) => command.category == self.function,
            _ => false,
        }
    }
}

impl Simulation<'_> {
    /// Sends `message` on its way to everyone who takes it.
    pub(crate) fn post(&mut self, message: Message) {
        let message = self.enclosed(message);
        for inbox in 0..self.deliveries.inboxes.len() {
            if !self.deliveries.inboxes[inbox].takes(&message) {
                continue;
            }
            let parcel = |origin| Parcel { message: message.clone(), attempts: 0, origin };
            let now = self.now();
            let mut state = self.world.lock();
            let due = now + transit(&message, &mut state);
            self.agenda.enter(due, Action::Arrive(inbox, parcel(Origin::Original)));
            for (fault, doublings) in
                [(Fault::Duplicate, 2..10), (Fault::LateDuplicate, 18..DELAY_DOUBLINGS)]
            {
                if state.strikes(fault) {
                    let again = due + crate::faults::spread(&mut state.rng, doublings);
                    self.agenda.enter(again, Action::Arrive(inbox, parcel(Origin::Copy)));
                }
            }
        }
    }

    /// Some events are too large for the bus, and go out by reference.
    fn enclosed(&mut self, message: Message) -> Message {
        match message {
            Message::Event(event) if self.rng.u32(0..REFERENCE_ONE_IN) == 0 => {
                Message::Event(Arc::new((*event).clone().by_reference()))
            }
            message => message,
        }
    }

    /// Puts what has arrived where its function takes it from.
    pub(crate) fn arrive(&mut self, inbox: usize, parcel: Parcel) {
        let place = &mut self.deliveries.inboxes[inbox];
        place.waiting.push(parcel);
        self.call(inbox);
    }

    fn call(&mut self, inbox: usize) {
        if std::mem::replace(&mut self.deliveries.inboxes[inbox].is_called, true) {
            return;
        }
        let delay = Duration::from_millis(self.rng.u64(0..TRANSIT_MILLIS_MAX));
        self.enter_after(delay, Action::Serve(inbox));
    }

    /// Gives some of what has arrived to its function, in any order.
    pub(crate) fn serve(&mut self, inbox: usize) {
        let place = &mut self.deliveries.inboxes[inbox];
        place.is_called = false;
        if place.busy >= self.plan.instances {
            // Whoever is done first calls again.
            return;
        }
        let count_max = match place.brings {
            Brings::Commands => 1,
            _ => self.rng.usize(1..=BATCH_MAX),
        };
        let mut parcels = vec![];
        while !place.waiting.is_empty() && parcels.len() < count_max {
            let nth = self.rng.usize(0..place.waiting.len());
            parcels.push(place.waiting.swap_remove(nth));
        }
        let is_more = !place.waiting.is_empty();
        if is_more {
            self.call(inbox);
        }
        if !parcels.is_empty() && self.strikes(Fault::Twin) {
            let copy = |parcel: &Parcel| Parcel { origin: Origin::Copy, ..parcel.clone() };
            self.hand_over(inbox, parcels.iter().map(copy).collect());
        }
        self.hand_over(inbox, parcels);
    }

    fn hand_over(&mut self, inbox: usize, parcels: Vec<Parcel>) {
        let node = self.any_node();
        self.deliveries.inboxes[inbox].busy += 1;
        if let [parcel] = parcels.as_slice()
            && let Message::Command(command, _) = &parcel.message
        {
            let command = command.clone();
            return self.run_queued(inbox, parcel.clone(), &command, node);
        }
        let function = self.deliveries.inboxes[inbox].function.clone();
        let runtime = self.node(node).runtime.clone();
        let trigger = trigger(&parcels);
        let task = self.scheduler.next_task();
        let parts = Parts(&parcels);
        let told = format_args!("{function} hears{parts}: task {task} on node {node}");
        self.world.lock().tell(told);
        let invoke = async move { runtime.invoke(&function, trigger).await };
        self.spawn(node, Work::Serve { inbox, parcels }, invoke);
    }

    fn run_queued(
        &mut self,
        inbox: usize,
        parcel: Parcel,
        command: &Arc<QueuedCommand>,
        node: usize,
    ) {
        let stream = StreamName::new(&command.category, &command.request.stream);
        let (began, attempt) = (self.moment(&stream), self.history.attempts.len());
        let source = Source::Queue { due: command.due, skew: self.node(node).skew };
        let firing = command.timer.clone().map(|timer| {
            let head = self.world.lock().log.head(&timer.saga);
            Firing { timer, began: head, ended: head }
        });
        self.history.attempts.push(Attempt {
            source,
            stream,
            request: Arc::new(command.request.clone()),
            firing,
            began,
            ended: None,
            answer: Answer::None,
        });
        let runtime = self.node(node).runtime.clone();
        let function = command.category.clone();
        let trigger = Trigger::Queued((**command).clone());
        let invoke = async move { runtime.invoke(&function, trigger).await };
        let task = self.spawn(node, Work::Run { inbox, parcel, attempt }, invoke);
        let (category, request) = (&command.category, &command.request);
        let (stream, asked, id) = (&request.stream, &request.command, &request.id);
        self.world.lock().tell(format_args!(
            "the queue asks {category}-{stream} to {asked} as {id}: task {task} on node {node}"
        ));
    }

    /// An instance of the function is free again.
    pub(crate) fn free(&mut self, inbox: usize) {
        let place = &mut self.deliveries.inboxes[inbox];
        place.busy -= 1;
        if !place.waiting.is_empty() {
            self.call(inbox);
        }
    }

    /// Takes the outcome of deliveries: what failed comes again.
    pub(crate) fn served(&mut self, inbox: usize, parcels: Vec<Parcel>, outcome: Outcome) {
        self.free(inbox);
        match outcome {
            Ok(Reply::Handled(failed)) => {
                failed.iter().for_each(|failed| self.check_failure(inbox, failed));
                let failed: BTreeSet<EventId> = failed.into_iter().map(|f| f.event).collect();
                let again = parcels.into_iter().filter(|parcel| parcel.is_among(&failed));
                self.return_all(inbox, again.collect());
            }
            Err(error) if error.is_transient() => self.return_all(inbox, parcels),
            other => self.fail(Rule::AnswersFit, format!("{other:?}")),
        }
    }

    /// What fails for good comes again only where no letter could be written: poison deserves one.
    fn may_come_again(&self, error: &Error) -> bool {
        let has_poison = self.plan.faults.has(Fault::Poison);
        may_pass(error) || (has_poison && error.to_string().contains(MISHAP))
    }

    fn check_failure(&mut self, inbox: usize, failed: &Failed) {
        let Failed { event, error } = failed;
        if !self.may_come_again(error) {
            let function = &self.deliveries.inboxes[inbox].function;
            self.fail(Rule::NothingIsParked, format!("{event} by {function}: {error}"));
        }
    }

    /// Takes the outcome of a command that the queue delivered.
    pub(crate) fn ran(&mut self, inbox: usize, parcel: Parcel, attempt: usize, outcome: Outcome) {
        self.free(inbox);
        if let Answer::Failed(_) | Answer::None = self.record(attempt, outcome) {
            self.return_all(inbox, vec![parcel]);
        }
    }

    /// Delivers again what was not handled.
    pub(crate) fn return_all(&mut self, inbox: usize, parcels: Vec<Parcel>) {
        for parcel in parcels.into_iter().filter(|parcel| parcel.origin == Origin::Original) {
            let is_calm = !self.world.lock().faults.has_any();
            let attempts = if is_calm { parcel.attempts + 1 } else { 0 };
            if attempts > ATTEMPTS_MAX {
                let function = &self.deliveries.inboxes[inbox].function;
                let found = format!("{function}:{}", Parts(&[parcel]));
                return self.fail(Rule::HandledInTheEnd, found);
            }
            let delay = self.spread(4..12);
            self.enter_after(delay, Action::Arrive(inbox, Parcel { attempts, ..parcel }));
        }
    }

    /// Delivers all past events once more to the consumer of `inbox`.
    pub(crate) fn replay(&mut self, inbox: usize) {
        let node = self.any_node();
        let name = self.deliveries.inboxes[inbox].function.clone();
        let runtime = self.node(node).runtime.clone();
        self.world.lock().tell(format_args!("{name} hears everything again, on node {node}"));
        let replay = async move {
            let replayed = runtime.redeliver(&name, &FeedQuery::default()).await;
            replayed.map(|_| Reply::Handled(vec![]))
        };
        self.spawn(node, Work::Replay(inbox), replay);
    }

    pub(crate) fn replayed(&mut self, inbox: usize, outcome: Outcome) {
        match outcome {
            Ok(_) => {}
            Err(error) if self.may_come_again(&error) => self.replay_later(inbox),
            Err(error) => self.fail(Rule::AnswersFit, error.to_string()),
        }
    }

    pub(crate) fn replay_later(&mut self, inbox: usize) {
        let delay = self.spread(8..20);
        self.enter_after(delay, Action::Replay(inbox));
    }
}

/// How long `message` takes.
fn transit(message: &Message, state: &mut State) -> Duration {
    let usual = Duration::from_millis(state.rng.u64(0..TRANSIT_MILLIS_MAX));
    let delay = match state.strikes(Fault::Delay) {
        true => crate::faults::spread(&mut state.rng, 6..DELAY_DOUBLINGS),
        false => usual,
    };
    let Message::Command(_, wait) = message else { return delay };
    // Every second queue cannot hold a command long, and delivers it early: a hop.
    match state.rng.bool() {
        true => delay + HOLD_MAX.min(*wait),
        false => delay + *wait,
    }
}

fn trigger(parcels: &[Parcel]) -> Trigger {
    let (mut commits, mut events) = (vec![], vec![]);
    for parcel in parcels {
        match &parcel.message {
            Message::Commit(commit) => commits.push((**commit).clone()),
            Message::Event(event) => {
                let event = (**event).clone().into_announced();
                events.push(event.expect("the envelope is the relay's own"));
            }
            Message::Command(command, _) => return Trigger::Queued((**command).clone()),
        }
    }
    match events.is_empty() {
        true => Trigger::Commits(commits),
        false => Trigger::Events(events),
    }
}

/// What parcels bring, for the trace.
struct Parts<'a>(&'a [Parcel]);

impl fmt::Display for Parts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|parcel| match &parcel.message {
            Message::Commit(commit) => write!(f, " {}@{}", commit.stream, commit.last()),
            Message::Event(event) => write!(f, " {}", event.id),
            Message::Command(command, _) => write!(f, " {}", command.request.command),
        })
    }
}

impl Parcel {
    /// Whether it is about one of `events`.
    fn is_among(&self, events: &BTreeSet<EventId>) -> bool {
        match &self.message {
            Message::Commit(commit) => commit.events().any(|event| events.contains(&event.id())),
            Message::Event(event) => events.contains(&event.id),
            Message::Command(..) => false,
        }
    }
}
