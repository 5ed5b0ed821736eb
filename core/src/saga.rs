use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{Decider, Payload, RecordedEvent, Snapshots, StreamId, Subscription};

/// A command that a saga gives to another stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effect {
    #[serde(rename = "c")]
    pub(crate) category: String,
    #[serde(rename = "i")]
    pub(crate) id: StreamId,
    #[serde(rename = "d")]
    pub(crate) command: Payload,
    #[serde(rename = "a", default, skip_serializing_if = "Duration::is_zero", with = "seconds")]
    pub(crate) after: Duration,
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
        Self { category: D::CATEGORY.into(), id: id.clone(), command, after: Duration::ZERO }
    }

    /// Gives it only after `delay`, in whole seconds. This is what a timeout is: the decider will
    /// know whether the command is still of use.
    #[must_use]
    pub fn after(self, delay: Duration) -> Self {
        Self { after: delay, ..self }
    }
}

mod seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(after: &Duration, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_u64(after.as_secs())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Duration, D::Error> {
        u64::deserialize(d).map(Duration::from_secs)
    }
}

/// A business transaction over several streams, as a pure function.
///
/// What it heard and what it asked for are recorded in a stream of its own, `saga.{NAME}-{id}`,
/// before anything is sent, so that a redelivered event asks again for exactly what it asked for
/// the first time. A step is undone by an ordinary command: compensation is not a special case.
/// A step that must not take for ever is accompanied by a command that comes [after] a while.
///
/// The state before any event is its `Default`.
///
/// [after]: Effect::after
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
