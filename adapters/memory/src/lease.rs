use std::collections::HashMap;
use std::sync::Arc;

use skyfold::{
    Announced, CloudEvent, Error, ErrorKind, EventId, Failed, Reply, Result, Runtime, Trigger,
};

use crate::broker::Broker;
use crate::chaos::{Chaos, Ending, Fate};
use crate::inbox::{Item, Pace, Work};

/// How often work is tried that fails for good and that core could not set aside, such as an
/// announcement that cannot be read.
const FINAL_ATTEMPTS_MAX: u32 = 5;

/// How often work is tried that fails for no reason that is known to pass. What a service fails at
/// that cannot be reached is tried for ever.
const ATTEMPTS_MAX: u32 = 30;

/// Why events were not handled.
type Failures = HashMap<EventId, Arc<Error>>;

/// Work in the hands of whoever does it. Dropped before it is finished, as when that one panics or
/// is cancelled, it counts as failed and comes again.
#[derive(Debug)]
pub(crate) struct Lease {
    broker: Arc<Broker>,
    function: String,
    pace: Pace,
    /// Deliveries of any number, or one command.
    items: Vec<Item>,
}

impl Lease {
    pub(crate) fn new(broker: Arc<Broker>, function: String, pace: Pace, items: Vec<Item>) -> Self {
        Self { broker, function, pace, items }
    }

    /// Has `runtime` do it.
    pub(crate) async fn work(mut self, runtime: &Runtime, chaos: &Chaos) -> Ending {
        let (trigger, mut failures) = self.trigger();
        chaos.note(|| format!("{} takes {}", self.function, self.describe()));
        let attempts = self.items.iter().map(|item| item.attempts).max().unwrap_or_default();
        let invoke = runtime.invoke(&self.function, trigger);
        let (reply, ending) = chaos.invoke(Fate::after(attempts), invoke).await;
        let mut whole = None;
        match reply {
            Err(error) if error.kind() == ErrorKind::Duplicate => {
                tracing::warn!(function = self.function, %error, "a command was dropped");
            }
            Err(error) => whole = Some(Arc::new(error)),
            Ok(Reply::Handled(failed)) => {
                failures.extend(failed.into_iter().map(|Failed { event, error }| (event, error)));
            }
            Ok(Reply::Refused(reason)) => {
                tracing::debug!(function = self.function, reason, "a queued command was refused");
            }
            Ok(_) => {}
        }
        let mut errors = self.errors(&failures, whole.as_ref());
        if ending == Ending::Usual {
            self.give_up(runtime, &mut errors).await;
        }
        self.finish(errors);
        ending
    }

    /// Why each of the items failed, if it did.
    fn errors(&self, failures: &Failures, whole: Option<&Arc<Error>>) -> Vec<Option<Arc<Error>>> {
        let error = |item: &Item| match &item.work {
            Work::Hear(announcement) => failures.get(&announcement.id).or(whole).cloned(),
            Work::Run(_) => whole.cloned(),
        };
        self.items.iter().map(error).collect()
    }

    /// Makes dead letters of what was tried often enough: nothing is left to be done about it here.
    async fn give_up(&self, runtime: &Runtime, errors: &mut [Option<Arc<Error>>]) {
        for (item, failed) in self.items.iter().zip(errors) {
            let Some(error) = failed.clone().filter(|error| is_exhausted(item, error)) else {
                continue;
            };
            let letters = runtime.dead_letters();
            let set_aside = match &item.work {
                Work::Hear(heard) => letters.give_up(&self.function, &heard.id, &error).await,
                Work::Run(queued) => letters.give_up_command(queued, &error).await.map(|_| ()),
            };
            match set_aside {
                Ok(()) => *failed = None,
                Err(error) => tracing::warn!(work = %item.work, %error, "it comes again"),
            }
        }
    }

    /// What the function is called with, and what cannot be read to begin with.
    fn trigger(&self) -> (Trigger, Failures) {
        let (mut announced, mut failures) = (vec![], HashMap::new());
        for item in &self.items {
            match &item.work {
                Work::Run(queued) => return (Trigger::Queued((**queued).clone()), failures),
                Work::Hear(announcement) => match open(&announcement.envelope) {
                    Ok(event) => announced.push(event),
                    Err(error) => {
                        failures.insert(announcement.id.clone(), Arc::new(error));
                    }
                },
            }
        }
        (Trigger::Events(announced), failures)
    }

    fn describe(&self) -> String {
        let work = self.items.iter().map(|item| item.work.to_string());
        work.collect::<Vec<_>>().join(", ")
    }

    fn finish(&mut self, errors: Vec<Option<Arc<Error>>>) {
        let (mut done, mut failed) = (vec![], vec![]);
        for (item, error) in std::mem::take(&mut self.items).into_iter().zip(errors) {
            match error {
                Some(error) => failed.push((item, error)),
                None => done.push(item),
            }
        }
        self.broker.finish(&self.function, self.pace, &done, failed);
    }
}

/// Whether `item`, which failed once more, was tried often enough.
fn is_exhausted(item: &Item, error: &Error) -> bool {
    let attempts_max = if error.kind().is_final() { FINAL_ATTEMPTS_MAX } else { ATTEMPTS_MAX };
    !error.is_transient() && item.attempts + 1 >= attempts_max
}

impl Drop for Lease {
    fn drop(&mut self) {
        if !self.items.is_empty() {
            let message = format!("{} was interrupted", self.function);
            let error = Arc::new(Error::new(ErrorKind::Unexpected, message));
            self.finish(vec![Some(error); self.items.len()]);
        }
    }
}

/// What an envelope announces.
fn open(envelope: &str) -> Result<Announced> {
    let event: CloudEvent = serde_json::from_str(envelope).map_err(|error| {
        Error::new(ErrorKind::Corrupt, "the announcement is no CloudEvent").with_source(error)
    })?;
    event.into_announced()
}
