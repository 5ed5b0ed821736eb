//! What tools need of an app to tell whether this release reads what earlier ones wrote.

use crate::functions::Function;
use crate::{App, Error, ErrorKind, NewEvent, Payload, RecordedEvent, Result};

/// A state as it would be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoldedState {
    /// Its form, as [`Snapshots::format`](crate::Snapshots::format) has it.
    pub format: u32,
    /// The state.
    pub state: Payload,
}

impl App {
    /// What `event`, recorded in a stream of `category`, is by now: read as any event is read, and
    /// written as it would be recorded today. One that is up to date comes back as it was.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound) if there is no decider of `category`;
    /// [`Corrupt`](ErrorKind::Corrupt) or [`Newer`](ErrorKind::Newer) if the event cannot be read.
    pub fn upcast(&self, category: &str, event: &NewEvent) -> Result<NewEvent> {
        let upcast = |function: &dyn Function| function.upcast(event);
        self.ask(category, "records no events", upcast)
    }

    /// The state of the decider or saga `name` after `history`, as it would be stored. A saga takes
    /// those events that belong to a transaction, as if all belonged to the same.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound) if there is no such decider or saga;
    /// [`Corrupt`](ErrorKind::Corrupt) or [`Newer`](ErrorKind::Newer) if an event cannot be read.
    pub fn state_after(&self, name: &str, history: &[RecordedEvent]) -> Result<FoldedState> {
        self.ask(name, "keeps no state", |function| function.state_after(history))
    }

    fn ask<T>(
        &self,
        name: &str,
        otherwise: &str,
        ask: impl FnOnce(&dyn Function) -> Option<Result<T>>,
    ) -> Result<T> {
        let function = self.functions().get(name);
        let missing = || Error::new(ErrorKind::NotFound, format!("{name} {otherwise}"));
        function.and_then(|function| ask(&**function)).ok_or_else(missing)?
    }
}
