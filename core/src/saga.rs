use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{Decider, Payload, RecordedEvent, Snapshots, StreamId, Subscription};

/// What the category of a saga's own streams begins with, which no decider's can.
pub(crate) const CATEGORY_PREFIX: &str = "saga.";

/// The category of the own streams of the saga `name`.
pub(crate) fn own_category(name: &str) -> String {
    format!("{CATEGORY_PREFIX}{name}")
}

/// What a saga asks for: a command for another stream, at once or later, or the end of a timer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Effect(pub(crate) Step);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Give(Give),
    /// Cancels the timer of this name.
    Cancel(String),
}

/// A command that a saga gives to another stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Give {
    pub(crate) category: String,
    pub(crate) id: StreamId,
    pub(crate) command: Payload,
    pub(crate) after: Duration,
    pub(crate) timer: Option<String>,
}

impl Effect {
    /// Gives `command` to the stream `id` of `D`.
    ///
    /// # Panics
    ///
    /// If the command has no JSON form, such as a map whose keys are not text: a mistake in its
    /// type, which the first test of the saga shows.
    pub fn send<D: Decider>(id: &StreamId, command: D::Command) -> Self {
        let command = Payload::encode(&command).expect("a command has a JSON form");
        let (category, id) = (D::CATEGORY.into(), id.clone());
        Self(Step::Give(Give { category, id, command, after: Duration::ZERO, timer: None }))
    }

    /// Gives it only after `delay`, in whole seconds. This is what a timeout is: the decider will
    /// know whether the command is still of use.
    #[must_use]
    pub fn after(mut self, delay: Duration) -> Self {
        if let Step::Give(give) = &mut self.0 {
            give.after = delay;
        }
        self
    }

    /// Makes it the timer `name` of the transaction, in place of the one that is set under this
    /// name. Its command is run unless the timer is cancelled first, set anew, or the transaction
    /// has ended, however late, early or often the queue delivers it.
    ///
    /// A transaction may have [`TIMERS_MAX`](crate::limits::TIMERS_MAX) timers set, each of a name
    /// of up to [`NAME_CHARS_MAX`](crate::limits::NAME_CHARS_MAX) characters. When it fires, a
    /// timer costs one read more than a command that was only delayed.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        if let Step::Give(give) = &mut self.0 {
            give.timer = Some(name.to_owned());
        }
        self
    }

    /// Cancels the timer `name` of the transaction, if it is set. What has run before stays.
    pub fn cancel(name: &str) -> Self {
        Self(Step::Cancel(name.to_owned()))
    }

    /// The timer that it sets or cancels.
    pub(crate) fn timer(&self) -> Option<&str> {
        match &self.0 {
            Step::Give(give) => give.timer.as_deref(),
            Step::Cancel(name) => Some(name),
        }
    }
}

/// An effect as a record holds it.
#[derive(Clone, Serialize, Deserialize)]
struct Stored {
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    category: Option<String>,
    #[serde(rename = "i", default, skip_serializing_if = "Option::is_none")]
    id: Option<StreamId>,
    #[serde(rename = "d", default, skip_serializing_if = "Option::is_none")]
    command: Option<Payload>,
    #[serde(rename = "a", default, skip_serializing_if = "is_zero")]
    after_seconds: u64,
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    timer: Option<String>,
}

fn is_zero(seconds: &u64) -> bool {
    *seconds == 0
}

impl From<Effect> for Stored {
    fn from(Effect(step): Effect) -> Self {
        match step {
            Step::Give(Give { category, id, command, after, timer }) => {
                let (category, id, command) = (Some(category), Some(id), Some(command));
                Self { category, id, command, after_seconds: after.as_secs(), timer }
            }
            Step::Cancel(name) => {
                let timer = Some(name);
                Self { category: None, id: None, command: None, after_seconds: 0, timer }
            }
        }
    }
}

impl TryFrom<Stored> for Effect {
    type Error = &'static str;

    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        let Stored { category, id, command, after_seconds, timer } = stored;
        match (category, id, command, timer) {
            (Some(category), Some(id), Some(command), timer) => {
                let after = Duration::from_secs(after_seconds);
                Ok(Self(Step::Give(Give { category, id, command, after, timer })))
            }
            (None, None, None, Some(name)) => Ok(Self(Step::Cancel(name))),
            _ => Err("an effect gives a command to a stream, or cancels a timer"),
        }
    }
}

/// A business transaction over several streams, as a pure function.
///
/// What it heard and what it asked for are recorded in a stream of its own, `saga.{NAME}-{id}`,
/// before anything is sent, so that a redelivered event asks again for exactly what it asked for
/// the first time. A step is undone by an ordinary command: compensation is not a special case.
/// A step that must not take for ever is accompanied by a command that comes [after] a while, and
/// that may be [named] in order to be cancelled; the end of the transaction cancels all of them.
///
/// The state before any event is its `Default`.
///
/// [after]: Effect::after
/// [named]: Effect::named
#[diagnostic::on_unimplemented(
    note = "a saga has a NAME, the types Input and State, and the functions subscription, \
            correlate, react and has_ended"
)]
pub trait Saga: Send + Sync + 'static {
    /// Names the saga. Letters a-z, digits and dots.
    const NAME: &'static str;
    /// In which form the state is stored, and when.
    const SNAPSHOTS: Snapshots = Snapshots::DEFAULT;

    /// What is heard.
    type Input: Clone + Send + Sync + 'static;
    /// What past inputs amount to.
    type State: Default + Serialize + DeserializeOwned + Clone + Send + Sync + 'static;

    /// Whose events are heard.
    fn subscription() -> Subscription<Self::Input>;

    /// The transaction that `event` belongs to, if any.
    fn correlate(event: &RecordedEvent<Self::Input>) -> Option<StreamId>;

    /// Brings `state` up to date after `event`, and says what to ask for.
    fn react(state: &mut Self::State, event: &RecordedEvent<Self::Input>) -> Vec<Effect>;

    /// Whether the transaction has come to its end, one way or the other.
    fn has_ended(state: &Self::State) -> bool;
}
