#![doc = include_str!("../README.md")]

#[doc(hidden)]
pub mod adapter;
mod app;
mod cloud_event;
mod codec;
mod command_id;
mod commit;
mod dead_letter;
mod decider;
mod error;
mod event;
mod functions;
mod guard;
#[doc(hidden)]
pub mod host;
mod layers;
mod letters;
pub mod limits;
mod manifest;
mod name;
mod operations;
mod payload;
pub mod ports;
mod privacy;
mod projection;
mod requests;
mod revisions;
mod runtime;
mod saga;
mod schemas;
mod stored_state;
mod stores;
mod subscription;
pub mod testing;
mod upcast;
mod window;

pub use app::{App, Edge};
pub use cloud_event::{Announced, CloudEvent};
pub use command_id::CommandId;
pub use commit::{Commit, Head, RecordedCommit};
pub use dead_letter::{DeadLetter, Discard, LetterEntry, LetterEvent, LetterStatus, Undone};
pub use decider::{Decider, Snapshots};
pub use error::{Error, ErrorKind, Result};
pub use event::{EventId, Metadata, NewEvent, RecordedEvent, Version};
pub use functions::{ReadModels, ViewPage};
pub use manifest::{CommandDescriptor, Descriptor, EventDescriptor, Kind, Manifest};
pub use name::{Category, StreamId, StreamName};
pub use operations::{
    Built, ByHand, DeadLetters, Deed, Difference, Drift, DriftKind, EventPage, Events,
    ForgetRequest, Forgotten, ForgottenPage, Health, Intervened, Lag, LetterCount, LetterPage,
    LetterQuery, OnDrift, Pause, Privacy, Progress, ReadModel, Rehearsed, Replay, ReplayStep,
    Replayed, Retried, RevisionState, SagaInstance, SagaPage, SagaQuery, SagaRecord, Sagas,
    SendRequest, SkipRequest, Skipped, Start, StreamPage, Swept, Unbuilt, Unhandled, Verified,
    Verify,
};
pub use payload::Payload;
pub use ports::Ports;
pub use privacy::Personal;
pub use projection::{Listed, Projection, Route};
pub use requests::{
    After, Answer, AsOf, CommandRequest, Failed, ListRequest, QueryRequest, Receipt, Reply,
    StateAsOf, Trigger, ViewRequest,
};
pub use runtime::Runtime;
pub use saga::{Effect, Saga};
pub use schemas::FoldedState;
pub use stored_state::StoredState;
pub use subscription::Subscription;
pub use upcast::Upcasters;

/// What every command, event, view, question and answer is: plain data that can be stored, sent
/// and described.
#[diagnostic::on_unimplemented(
    note = "derive Clone, serde::Serialize, serde::Deserialize and schemars::JsonSchema"
)]
pub trait Data:
    serde::Serialize
    + serde::de::DeserializeOwned
    + schemars::JsonSchema
    + Clone
    + Send
    + Sync
    + 'static
{
}
impl<T> Data for T where
    T: serde::Serialize
        + serde::de::DeserializeOwned
        + schemars::JsonSchema
        + Clone
        + Send
        + Sync
        + 'static
{
}
