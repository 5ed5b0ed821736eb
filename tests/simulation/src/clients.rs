//! The clients: they give commands, ask again under the same id when they hear nothing, and look
//! at what they did.

use std::sync::Arc;
use std::time::Duration;

use skyfold::{
    After, CommandRequest, Error, ErrorKind, EventId, Metadata, Receipt, Reply, Trigger, Version,
    ViewRequest,
};

use crate::faults::Fault;
use crate::history::{Answer, Attempt, Look, Moment, Source};
use crate::plan::Expects;
use crate::simulation::{Action, Outcome, Simulation, Work};
use crate::violation::Rule;

/// How often a client asks before it gives up.
const ATTEMPTS_MAX: u32 = 6;

/// One receipt in so many makes the client look at a view.
const LOOK_ONE_IN: u32 = 6;

/// How long a client waits for a view to show its event, at most.
const LOOK_WAIT_MAX_MILLIS: u64 = 2_000;

/// What clients know.
#[derive(Debug)]
pub(crate) struct Clients {
    /// By the place of the command in the plan.
    commands: Vec<Command>,
}

#[derive(Clone, Debug, Default)]
struct Command {
    request: Option<Arc<CommandRequest>>,
    attempts: u32,
    /// Whether the client knows how it ended.
    is_settled: bool,
}

impl Clients {
    pub(crate) fn new(commands: usize) -> Self {
        Self { commands: vec![Command::default(); commands] }
    }
}

impl Simulation<'_> {
    /// Gives the command in the `nth` place of the plan to any node.
    pub(crate) fn ask(&mut self, nth: usize) {
        let op = &self.plan.ops[nth];
        let began = self.moment(&op.stream);
        let request = self.request(nth, began.head);
        self.clients.commands[nth].attempts += 1;
        let node = self.any_node();
        let attempt = self.history.attempts.len();
        self.history.attempts.push(Attempt {
            source: Source::Client(nth),
            stream: op.stream.clone(),
            request: request.clone(),
            firing: None,
            began,
            ended: None,
            answer: Answer::None,
        });
        let (runtime, category) =
            (self.node(node).runtime.clone(), op.stream.category().to_owned());
        let trigger = Trigger::Command((*request).clone());
        let invoke = async move { runtime.invoke(&category, trigger).await };
        let task = self.spawn(node, Work::Ask(attempt), invoke);
        let (id, stream, command) = (&op.id, &op.stream, &op.command);
        let expected = request.expected.map_or(String::new(), |version| format!(" at {version}"));
        self.world.lock().tell(format_args!(
            "client asks {stream}{expected} to {command} as {id}: task {task} on node {node}"
        ));
    }

    /// The request of the command in the `nth` place: the same whenever it is made.
    fn request(&mut self, nth: usize, head: Version) -> Arc<CommandRequest> {
        if let Some(request) = &self.clients.commands[nth].request {
            return request.clone();
        }
        let op = &self.plan.ops[nth];
        let expected = match op.expects {
            Expects::Anything => None,
            Expects::Current => Some(head),
            Expects::Former => Some(Version(head.0.saturating_sub(1))),
        };
        let request = Arc::new(CommandRequest {
            stream: op.stream.id(),
            id: op.id.clone(),
            command: op.command.clone(),
            expected,
            metadata: Metadata { correlation: Some(format!("c{}", op.nth)), ..Metadata::default() },
        });
        self.clients.commands[nth].request = Some(request.clone());
        request
    }

    /// Takes the outcome of an attempt, which the client may or may not hear of.
    pub(crate) fn answered(&mut self, attempt: usize, outcome: Outcome) {
        let answer = self.record(attempt, outcome);
        if self.strikes(Fault::LostReply) {
            return self.unanswered(attempt);
        }
        let Source::Client(place) = self.history.attempts[attempt].source else { return };
        match answer {
            Answer::Accepted(receipt) => {
                self.look_at(&receipt);
                self.settle(place);
            }
            Answer::Refused(_) => self.clients.commands[place].is_settled = true,
            Answer::Failed(kind) if is_settled(kind) => {
                self.clients.commands[place].is_settled = true;
            }
            _ => self.ask_later(place),
        }
    }

    /// Enters what became of an attempt in the history.
    pub(crate) fn record(&mut self, attempt: usize, outcome: Outcome) -> Answer {
        let stream = self.history.attempts[attempt].stream.clone();
        let ended = self.moment(&stream);
        let answer = match outcome {
            Ok(Reply::Accepted(receipt)) => Answer::Accepted(receipt),
            Ok(Reply::Refused(reason)) => Answer::Refused(reason),
            Ok(Reply::Deferred) => Answer::Deferred,
            Ok(Reply::Cancelled) => Answer::Cancelled,
            Ok(Reply::DeadLetter(id)) => {
                let request = &self.history.attempts[attempt].request;
                self.fail(Rule::NothingIsParked, format!("{} as {id}", request.command));
                Answer::Deferred
            }
            Ok(other) => {
                self.fail(Rule::AnswersFit, format!("{other:?}"));
                Answer::None
            }
            Err(error) => self.failed(attempt, &error),
        };
        self.world.lock().note(&answer);
        let attempt = &mut self.history.attempts[attempt];
        (attempt.ended, attempt.answer) = (Some(ended), answer.clone());
        if let Some(firing) = &mut attempt.firing {
            firing.ended = self.world.lock().log.head(&firing.timer.saga);
        }
        answer
    }

    fn failed(&mut self, attempt: usize, error: &Error) -> Answer {
        let Attempt { stream, request, source, .. } = &self.history.attempts[attempt];
        let is_client = matches!(source, Source::Client(_));
        let legal = error.is_transient()
            || error.kind() == ErrorKind::Conflict
            || (is_client && error.kind() == ErrorKind::Duplicate);
        if !legal {
            let found = format!("{} for {stream}: {error}", request.command);
            self.fail(Rule::NothingIsParked, found);
        }
        Answer::Failed(error.kind())
    }

    /// The client heard nothing, and asks again.
    pub(crate) fn unanswered(&mut self, attempt: usize) {
        if let Source::Client(place) = self.history.attempts[attempt].source {
            self.ask_later(place);
        }
    }

    fn ask_later(&mut self, place: usize) {
        let Command { attempts, is_settled, .. } = self.clients.commands[place];
        if is_settled || attempts >= ATTEMPTS_MAX {
            return;
        }
        let delay = self.spread(2..4 + 4 * attempts);
        self.enter_after(delay, Action::Ask(place));
    }

    /// The client knows that its command was accepted. It may send it again all the same.
    fn settle(&mut self, place: usize) {
        if std::mem::replace(&mut self.clients.commands[place].is_settled, true) {
            return;
        }
        for delay in self.plan.ops[place].again.clone() {
            self.enter_after(delay, Action::Ask(place));
        }
    }

    /// Looks whether a view shows what `receipt` says.
    fn look_at(&mut self, receipt: &Receipt) {
        let category = receipt.stream.category();
        let has_view = self.subject.own_views.iter().any(|view| view.category == category);
        if !has_view || receipt.events.is_empty() || self.rng.u32(0..LOOK_ONE_IN) > 0 {
            return;
        }
        self.look(receipt.events[0].clone());
    }

    /// Looks whether a view of its stream shows the event `after`.
    pub(crate) fn look(&mut self, after: EventId) {
        let category = after.stream.category();
        let views = self.subject.own_views.iter().filter(|view| view.category == category);
        let views: Vec<_> = views.map(|view| view.projection).collect();
        let projection = views[self.rng.usize(0..views.len())];
        let wait = Duration::from_millis(self.rng.u64(0..LOOK_WAIT_MAX_MILLIS));
        let key = after.stream.id().as_str().to_owned();
        let request = ViewRequest { key, after: Some(After { event: after.clone(), wait }) };
        let (node, look) = (self.any_node(), self.history.looks.len());
        let (process, began) = (self.node(node).process, self.now_and_here());
        let look_at = Look { projection, after, process, began, ended: None, found: None };
        self.history.looks.push(look_at);
        let runtime = self.node(node).runtime.clone();
        let invoke = async move { runtime.invoke(projection, Trigger::View(request)).await };
        self.spawn(node, Work::Look(look), invoke);
    }

    /// Takes what a look at a view came to.
    pub(crate) fn looked(&mut self, look: usize, outcome: Outcome) {
        let ended = Some(self.moment(&self.history.looks[look].after.stream));
        match outcome {
            Ok(Reply::Answer(answer)) => {
                self.history.looks[look].found = Some(answer.body);
                self.history.looks[look].ended = ended;
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.history.looks[look].ended = ended;
            }
            Ok(Reply::Pending) => {}
            Err(error) if error.is_transient() => {}
            other => self.fail(Rule::AnswersFit, format!("{other:?}")),
        }
    }

    pub(crate) fn moment(&self, stream: &skyfold::StreamName) -> Moment {
        let state = self.world.lock();
        Moment { step: self.turns, head: state.log.head(stream), time: state.now }
    }

    /// A moment that is not of any stream.
    pub(crate) fn now_and_here(&self) -> Moment {
        Moment { step: self.turns, head: Version::EMPTY, time: self.now() }
    }
}

/// Whether the client learns from `kind` that there is no use in asking again.
fn is_settled(kind: ErrorKind) -> bool {
    !kind.is_transient() && kind != ErrorKind::Conflict
}
