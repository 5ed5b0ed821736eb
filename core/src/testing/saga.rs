use std::fmt;
use std::time::Duration;

use time::OffsetDateTime;

use super::past::Past;
use super::{assert_same, json, stored};
use crate::saga::{Give, Step};
use crate::{Effect, Saga, StreamId};

/// Begins a test of `S`: one transaction that has heard nothing yet.
pub fn saga<S: Saga>() -> Story<S> {
    Story {
        past: Past::default(),
        id: None,
        state: S::State::default(),
        asked: vec![],
        waiting: vec![],
        due: vec![],
    }
}

/// One transaction of a saga, as far as it has gone.
pub struct Story<S: Saga> {
    past: Past,
    /// The transaction, once the first event has told.
    id: Option<StreamId>,
    state: S::State,
    /// What the last event made it ask for.
    asked: Vec<Effect>,
    /// What it asked for after a while, and when that is due.
    waiting: Vec<(OffsetDateTime, Effect)>,
    /// What has become due while time passed.
    due: Vec<Effect>,
}

impl<S: Saga> Story<S> {
    /// Lets it hear `event`, which happens in `stream`, such as `order-42`.
    ///
    /// # Panics
    ///
    /// If the event belongs to another transaction or to none, or the state cannot be stored and
    /// read back as it was.
    #[must_use]
    #[track_caller]
    pub fn hears(mut self, stream: &str, event: S::Input) -> Self {
        let event = self.past.record(stream, event);
        let Some(id) = S::correlate(&event) else {
            panic!("what happened in {stream} belongs to no transaction");
        };
        let known = self.id.get_or_insert_with(|| id.clone());
        assert_eq!(*known, id, "what happened in {stream} belongs to another transaction");
        let asked = S::react(&mut self.state, &event);
        self.state = stored(&self.state);
        self.asked = asked.iter().map(stored).collect();
        asked.into_iter().for_each(|effect| self.take(effect));
        if S::has_ended(&self.state) {
            self.waiting.retain(|(_, effect)| effect.timer().is_none());
        }
        self
    }

    /// Remembers what is due later, and forgets the timer that it cancels or sets anew.
    fn take(&mut self, effect: Effect) {
        if let Some(name) = effect.timer() {
            self.waiting.retain(|(_, waiting)| waiting.timer() != Some(name));
        }
        if let Step::Give(Give { after, .. }) = &effect.0
            && !after.is_zero()
        {
            self.waiting.push((self.past.now + *after, effect));
        }
    }

    /// Expects `event`, which happens in `stream`, to belong to no transaction.
    ///
    /// # Panics
    ///
    /// If it belongs to one.
    #[track_caller]
    pub fn ignores(mut self, stream: &str, event: S::Input) -> Self {
        let event = self.past.record(stream, event);
        if let Some(id) = S::correlate(&event) {
            panic!("what happened in {stream} belongs to the transaction {id}");
        }
        self
    }

    /// Expects the last event to have made it ask for this, in this order, and for nothing else.
    ///
    /// # Panics
    ///
    /// If it asked for something else.
    #[track_caller]
    pub fn asks(self, expected: impl IntoIterator<Item = Effect>) -> Self {
        let expected: Vec<_> = expected.into_iter().collect();
        assert_same(&self.asked, &expected, &"the saga asks for something else");
        self
    }

    /// Lets time pass. What the saga asked for after a while becomes due.
    #[must_use]
    pub fn waits(mut self, time: Duration) -> Self {
        self.past.pass(time);
        let now = self.past.now;
        let (mut due, waiting): (Vec<_>, Vec<_>) =
            self.waiting.into_iter().partition(|(due, _)| *due <= now);
        due.sort_by_key(|(due, _)| *due);
        self.waiting = waiting;
        self.due = due.into_iter().map(|(_, effect)| effect).collect();
        self
    }

    /// Expects this to have become due while time passed, and nothing else.
    ///
    /// # Panics
    ///
    /// If something else has.
    #[track_caller]
    pub fn sends(self, expected: impl IntoIterator<Item = Effect>) -> Self {
        let expected: Vec<_> = expected.into_iter().collect();
        assert_same(&self.due, &expected, &"something else is due");
        self
    }

    /// Expects the transaction to have come to its end.
    ///
    /// # Panics
    ///
    /// If it goes on.
    #[track_caller]
    pub fn has_ended(self) -> Self {
        assert!(S::has_ended(&self.state), "the transaction goes on: {}", json(&self.state));
        self
    }

    /// Expects the transaction not to have come to its end.
    ///
    /// # Panics
    ///
    /// If it has.
    #[track_caller]
    pub fn goes_on(self) -> Self {
        assert!(!S::has_ended(&self.state), "the transaction ended: {}", json(&self.state));
        self
    }
}

impl<S: Saga> fmt::Debug for Story<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Story").field("id", &self.id).field("state", &json(&self.state)).finish()
    }
}
