use std::fmt;

use super::{assert_same, json, stored};
use crate::{Decider, codec};

/// Begins a test of `D`, in which `history` has happened.
///
/// # Panics
///
/// If an event cannot be stored and read back as it was.
#[track_caller]
pub fn given<D: Decider>(history: impl IntoIterator<Item = D::Event>) -> Given<D> {
    Given { state: D::State::default() }.and(history)
}

/// A decider with a history.
pub struct Given<D: Decider> {
    state: D::State,
}

impl<D: Decider> Given<D> {
    /// Lets more happen.
    ///
    /// # Panics
    ///
    /// If an event cannot be stored and read back as it was.
    #[must_use]
    #[track_caller]
    pub fn and(mut self, events: impl IntoIterator<Item = D::Event>) -> Self {
        for event in events {
            D::evolve(&mut self.state, &read_back::<D>(&event));
        }
        self.state = stored(&self.state);
        self
    }

    /// Gives it `command`.
    ///
    /// # Panics
    ///
    /// If the command cannot be sent and read back as it was.
    #[track_caller]
    pub fn when(self, command: D::Command) -> When<D> {
        let decided = D::decide(&self.state, stored(&command));
        When { given: self, decided }
    }
}

/// An event as a store returns it.
#[track_caller]
fn read_back<D: Decider>(event: &D::Event) -> D::Event {
    let upcasters = D::upcasters();
    let read = codec::encode(event, &upcasters)
        .and_then(|new| codec::decode(&new.event_type, new.schema, &new.data, &upcasters));
    let read: D::Event = match read {
        Ok(read) => read,
        Err(error) => panic!("the event cannot be stored and read back: {error}"),
    };
    assert_same(&read, event, &"an event is read back as it was written");
    read
}

/// What a decider made of a command.
pub struct When<D: Decider> {
    given: Given<D>,
    decided: Result<Vec<D::Event>, D::Error>,
}

impl<D: Decider> When<D> {
    /// Expects these events, and no others; none if there was nothing to do. They have happened
    /// for what comes after.
    ///
    /// # Panics
    ///
    /// If other events happened, or the command was refused.
    #[track_caller]
    pub fn then(self, expected: impl IntoIterator<Item = D::Event>) -> Given<D> {
        let expected: Vec<_> = expected.into_iter().collect();
        match self.decided {
            Ok(happened) => assert_same(&happened, &expected, &"the command has other outcomes"),
            Err(refusal) => panic!("the command was refused: {refusal}"),
        }
        self.given.and(expected)
    }

    /// Expects the command to be refused for `reason`.
    ///
    /// # Panics
    ///
    /// If it is accepted, or refused for another reason.
    #[track_caller]
    pub fn refused(self, reason: &str) -> Given<D> {
        match self.decided {
            Ok(happened) => panic!("the command was accepted: {}", json(&happened)),
            Err(refusal) => assert_eq!(refusal.to_string(), reason, "it was refused otherwise"),
        }
        self.given
    }
}

impl<D: Decider> fmt::Debug for Given<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Given({})", json(&self.state))
    }
}

impl<D: Decider> fmt::Debug for When<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.decided {
            Ok(happened) => write!(f, "When({})", json(happened)),
            Err(refusal) => write!(f, "When(refused: {refusal})"),
        }
    }
}
