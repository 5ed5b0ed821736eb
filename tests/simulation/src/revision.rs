//! A new revision of some read models: deployed beside the old one in the middle of a run, built by
//! a replay, and switched to, and perhaps back.

use skyfold::{Replay, Reply, Start};

use crate::faults::Fault;
use crate::simulation::{Action, Outcome, Simulation, Work, may_pass};
use crate::violation::Rule;

/// How often the revision is built anew, at most, before it counts as never built.
const BUILDS_MAX: u32 = 200;

/// How many builds go on where the one before was interrupted, until one begins anew.
const RESUMED_MAX: u32 = 5;

/// How far the new revision is.
#[derive(Debug, Default)]
pub(crate) struct Revision {
    /// Whether the app lists it.
    pub(crate) is_listed: bool,
    builds: u32,
}

impl Simulation<'_> {
    /// Enters when the new revision is deployed.
    pub(crate) fn plan_revision(&mut self) {
        if self.plan.faults.has(Fault::Revision) {
            let at = self.any_moment();
            self.agenda.enter(at, Action::Revise);
        }
    }

    /// Replaces every process by one whose app lists the new revision as well, once.
    pub(crate) fn revise(&mut self) {
        if std::mem::replace(&mut self.revision.is_listed, true) {
            return;
        }
        for function in &self.subject.revised_consumers {
            self.deliveries.add_consumer(function);
        }
        (0..self.nodes.count()).for_each(|node| self.restart(node));
        self.build_later();
    }

    /// Builds the new revision of each read model, lets it answer, and perhaps the old one again.
    pub(crate) fn build(&mut self) {
        self.revision.builds += 1;
        if self.revision.builds > BUILDS_MAX {
            let found = format!("not within {BUILDS_MAX} replays");
            return self.fail(Rule::RevisionsAreBuilt, found);
        }
        let node = self.any_node();
        let runtime = self.node(node).runtime.clone();
        let start = match self.revision.builds % RESUMED_MAX {
            0 => Start::Anew,
            _ => Start::Resume,
        };
        let goes_back = self.rng.bool();
        let models = self.subject.revised_consumers.clone();
        let task = self.scheduler.next_task();
        let told = format_args!("a new revision is built: task {task} on node {node}");
        self.world.lock().tell(told);
        let build = async move {
            for (name, _) in models {
                let model = runtime.read_model(&name)?;
                model.replay(&Replay { start, ..Replay::default() }, |_| {}).await?;
                let newest = model.switch(None).await?;
                if goes_back {
                    model.switch(Some(newest - 1)).await?;
                }
            }
            Ok(Reply::Handled(vec![]))
        };
        self.spawn(node, Work::Build, build);
    }

    /// Takes what became of the building.
    pub(crate) fn built(&mut self, outcome: Outcome) {
        match outcome {
            Ok(_) => self.world.lock().counts.count(Fault::Revision),
            Err(error) if may_pass(&error) => self.build_later(),
            Err(error) => self.fail(Rule::AnswersFit, error.to_string()),
        }
    }

    pub(crate) fn build_later(&mut self) {
        let delay = self.spread(8..18);
        self.enter_after(delay, Action::Build);
    }
}
