//! The operator: looks for dead letters now and then, and tries again or gives up.

use skyfold::{Discard, LetterQuery, Reply};

use crate::faults::Fault;
use crate::nodes::Release;
use crate::simulation::{Action, Outcome, Simulation, Work, may_pass};
use crate::violation::Rule;

/// How often the operator looks before anybody has mended anything, at most.
const VISITS_MAX: usize = 4;

/// One letter in so many is given up rather than tried again, if it may be.
const DISCARD_ONE_IN: u32 = 4;

/// How often the operator looks after nothing goes wrong any more, at most.
const LAST_VISITS_MAX: u32 = 100;

/// What the operator knows.
#[derive(Debug, Default)]
pub(crate) struct Operator {
    /// Whether the release that cannot handle some events was replaced.
    pub(crate) is_mended: bool,
    is_busy: bool,
    last_visits: u32,
}

impl Simulation<'_> {
    /// Enters when the operator looks, and when the fragile release is replaced.
    pub(crate) fn plan_operator(&mut self) {
        if !self.plan.faults.has(Fault::Poison) {
            return;
        }
        for _ in 0..self.rng.usize(0..=VISITS_MAX) {
            let at = self.any_moment();
            self.agenda.enter(at, Action::Operate);
        }
        let at = self.any_moment();
        self.agenda.enter(at, Action::Mend);
    }

    /// Every process of the fragile release is replaced.
    pub(crate) fn mend(&mut self) {
        if std::mem::replace(&mut self.operator.is_mended, true) {
            return;
        }
        let fragile = |node: &usize| self.node(*node).release == Release::Fragile;
        let fragile: Vec<_> = (0..self.nodes.count()).filter(fragile).collect();
        fragile.into_iter().for_each(|node| self.restart(node));
    }

    /// The operator sees to every dead letter, unless at it already.
    pub(crate) fn operate(&mut self) {
        if std::mem::replace(&mut self.operator.is_busy, true) {
            return;
        }
        let node = self.any_node();
        let runtime = self.node(node).runtime.clone();
        let task = self.scheduler.next_task();
        let told = format_args!("an operator looks for dead letters: task {task} on node {node}");
        self.world.lock().tell(told);
        // Without one of its events a level is negative, a transaction never ends, and a view of
        // many streams may show it in part.
        let forgiving = self.subject.forgiving;
        let mut rng = self.rng.fork();
        let operate = async move {
            let letters = runtime.dead_letters();
            let page = letters.list(&LetterQuery::default()).await?;
            let nothing_waits = page.items.is_empty();
            for letter in page.items {
                if letter.function == forgiving && rng.u32(0..DISCARD_ONE_IN) == 0 {
                    let event = letter.event().cloned();
                    let discard = Discard { reason: "no use".into(), by: None, event };
                    letters.discard(&letter.id, &discard).await?;
                } else {
                    letters.retry(&letter.id).await?;
                }
            }
            Ok(if nothing_waits { Reply::Handled(vec![]) } else { Reply::Pending })
        };
        self.spawn(node, Work::Operate, operate);
    }

    /// Takes what became of the operator's work.
    pub(crate) fn operated(&mut self, outcome: Outcome) {
        match outcome {
            Ok(Reply::Handled(_)) => self.operator.is_busy = false,
            Err(error) if !may_pass(&error) => self.fail(Rule::AnswersFit, error.to_string()),
            _ => self.operate_later(),
        }
    }

    /// The operator was interrupted, or has not seen the end of it. In the end all is seen to.
    pub(crate) fn operate_later(&mut self) {
        self.operator.is_busy = false;
        if self.world.lock().faults.has_any() {
            return;
        }
        self.operator.last_visits += 1;
        if self.operator.last_visits > LAST_VISITS_MAX {
            let found = format!("not within {LAST_VISITS_MAX} visits");
            return self.fail(Rule::LettersAreSeenTo, found);
        }
        let delay = self.spread(10..20);
        self.enter_after(delay, Action::Operate);
    }
}
