//! The timers of sagas: which are set follows from the newest record of each transaction.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::functions::Context;
use crate::functions::record::Record;
use crate::limits::{NAME_CHARS_MAX, TIMERS_MAX};
use crate::ports::{Consistency, QueuedCommand, Range};
use crate::saga::Step;
use crate::{CommandId, Effect, Error, ErrorKind, RecordedCommit, Result, StreamName};

/// The timers of one transaction that are set: by name, the id of the command that each gives.
///
/// Every record holds them all, so that whoever has a timer's command in hand needs to read the
/// newest record and nothing else.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Timers(BTreeMap<String, CommandId>);

impl Timers {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Cancels the timer that gives `command`, if it is set.
    pub(crate) fn drop_of(&mut self, command: &CommandId) {
        self.0.retain(|_, id| id != command);
    }

    /// The timers after a transaction in `stream` has `asked` for this, each under the id that
    /// `id` gives.
    pub(crate) fn after(
        mut self,
        stream: &StreamName,
        asked: &[Effect],
        id: impl Fn(usize) -> CommandId,
    ) -> Result<Self> {
        for (nth, Effect(step)) in asked.iter().enumerate() {
            match step {
                Step::Cancel(name) => drop(self.0.remove(name)),
                Step::Give(give) => {
                    if let Some(name) = &give.timer {
                        check(stream, name)?;
                        self.0.insert(name.clone(), id(nth));
                    }
                }
            }
        }
        if self.0.len() > TIMERS_MAX {
            let message = format!("{stream} sets {} timers, of at most {TIMERS_MAX}", self.0.len());
            return Err(Error::new(ErrorKind::Oversized, message));
        }
        Ok(self)
    }
}

fn check(stream: &StreamName, name: &str) -> Result<()> {
    if (1..=NAME_CHARS_MAX).contains(&name.chars().count()) {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "a timer of {stream} is named {name:?}: 1 to {NAME_CHARS_MAX} characters"
    )))
}

/// Whether `queued` may run: it is of no timer, or of one that is still set for it.
pub(crate) async fn is_set(context: &Context, queued: &QueuedCommand) -> Result<bool> {
    let Some(timer) = &queued.timer else { return Ok(true) };
    // A stale record could say that the timer is set when it has been cancelled.
    let store = &context.ports.events;
    let newest = store.read(&timer.saga, Range::NEWEST, 1, Consistency::Strong).await?;
    let Some(record) = newest.commits.iter().flat_map(RecordedCommit::events).last() else {
        return Ok(false);
    };
    let timers = Record::read(&record)?.timers();
    Ok(timers.0.get(&timer.name) == Some(&queued.request.id))
}
