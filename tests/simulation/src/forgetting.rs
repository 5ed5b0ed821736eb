//! An operator forgets a customer in the middle of a run, and clients go on looking.

use skyfold::{ErrorKind, EventId, ForgetRequest, Reply, StreamId, StreamName, Version};

use crate::faults::{Fault, spread};
use crate::history::Forgetting;
use crate::personal::secrets;
use crate::plan::Op;
use crate::simulation::{Action, Outcome, Simulation, Work, may_pass};
use crate::violation::Rule;
use crate::world::START;

/// How often a client looks at what concerns somebody who was forgotten.
const LOOKS: usize = 4;

/// How often an operator tries to forget somebody, at most.
const ATTEMPTS_MAX: usize = 200;

impl Simulation<'_> {
    /// Enters when one of those of whom the plan has personal data is forgotten, and when the same
    /// or another is given another key.
    pub(crate) fn plan_forgetting(&mut self) {
        if !self.plan.faults.has(Fault::Forgetting) {
            return;
        }
        let op = |op: &Op| secrets(&op.command).pop().map(|(subject, _)| (op.at, subject));
        let said: Vec<_> = self.plan.ops.iter().filter_map(op).collect();
        if said.is_empty() {
            return;
        }
        for action in [Action::Forget, Action::Renew] {
            let (at, subject) = said[self.rng.usize(0..said.len())].clone();
            // What has just been said of somebody is on its way everywhere.
            let at = match self.rng.bool() {
                true => START + at + spread(&mut self.rng, 2..14),
                false => self.any_moment(),
            };
            self.agenda.enter(at, action(subject));
        }
    }

    /// Whoever is at hand forgets `subject`.
    pub(crate) fn forget(&mut self, subject: StreamId) {
        let nth = self.history.forgettings.len();
        if nth >= ATTEMPTS_MAX {
            let found = format!("not within {ATTEMPTS_MAX} attempts");
            return self.fail(Rule::ForgettingEnds, found);
        }
        let (node, began) = (self.any_node(), self.now_and_here());
        let (runtime, process) = (self.node(node).runtime.clone(), self.node(node).process);
        let request = ForgetRequest {
            subject: subject.clone(),
            by: "office".into(),
            reason: "asked by letter".into(),
        };
        self.history.forgettings.push(Forgetting { subject, process, began, ended: None });
        let forget = async move {
            runtime.privacy().forget(&request).await?;
            Ok(Reply::Handled(vec![]))
        };
        let subject = self.history.forgettings[nth].subject.clone();
        let task = self.spawn(node, Work::Forget(nth), forget);
        let told = format_args!("an operator forgets {subject}: task {task} on node {node}");
        self.world.lock().tell(told);
    }

    /// Takes what became of an attempt at forgetting somebody.
    pub(crate) fn forgot(&mut self, nth: usize, outcome: Outcome) {
        match outcome {
            Ok(_) => {
                let ended = self.now_and_here();
                self.history.forgettings[nth].ended = Some(ended);
                self.world.lock().counts.count(Fault::Forgetting);
                self.plan_looks(nth);
            }
            Err(error) if may_pass(&error) => self.forget_later(nth),
            Err(error) => self.fail(Rule::AnswersFit, error.to_string()),
        }
    }

    pub(crate) fn forget_later(&mut self, nth: usize) {
        let subject = self.history.forgettings[nth].subject.clone();
        let delay = self.spread(6..18);
        self.enter_after(delay, Action::Forget(subject));
    }

    /// Clients look at whatever concerns who was forgotten, for a while.
    fn plan_looks(&mut self, nth: usize) {
        let subject = &self.history.forgettings[nth].subject;
        let concerns = |command| secrets(command).iter().any(|(whom, _)| whom == subject);
        let ops = self.plan.ops.iter().filter(|op| concerns(&op.command));
        let streams: Vec<_> = ops.map(|op| op.stream.clone()).collect();
        for stream in streams {
            for _ in 0..LOOKS {
                let delay = self.spread(2..20);
                self.enter_after(delay, Action::Look(stream.clone()));
            }
        }
    }

    /// A client looks at what has become of `stream`, if anything has.
    pub(crate) fn look_back(&mut self, stream: StreamName) {
        if self.moment(&stream).head > Version::EMPTY {
            self.look(EventId { stream, version: Version(1) });
        }
    }

    /// `subject` is given another key.
    pub(crate) fn renew(&mut self, subject: StreamId) {
        let node = self.any_node();
        let runtime = self.node(node).runtime.clone();
        let told = format_args!("an operator gives {subject} another key on node {node}");
        self.world.lock().tell(told);
        let renew = async move {
            runtime.privacy().renew_key(&subject).await?;
            Ok(Reply::Handled(vec![]))
        };
        self.spawn(node, Work::Renew, renew);
    }

    /// Takes what became of that: who was forgotten has no keys.
    pub(crate) fn renewed(&mut self, outcome: Outcome) {
        match outcome {
            Err(error) if !may_pass(&error) && error.kind() != ErrorKind::NotFound => {
                self.fail(Rule::AnswersFit, error.to_string());
            }
            _ => {}
        }
    }
}
