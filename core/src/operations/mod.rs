//! What an operator does with a running app, beside what its users ask of it.

mod dead_letters;
mod events;
mod health;
mod pace;
mod privacy;
mod progress;
mod queued;
mod read_model;
mod redeliver;
mod rehearsal;
mod removal;
mod replay;
mod sagas;
mod sweep;
mod switch;
mod unbuilt;
mod verify;
mod walk;

pub use dead_letters::{DeadLetters, LetterPage, LetterQuery, Retried};
pub use events::{EventPage, Events, StreamPage};
pub(crate) use health::health;
pub use health::{Health, Lag, LetterCount};
pub(crate) use privacy::check_text;
pub use privacy::{ForgetRequest, Forgotten, ForgottenPage, Privacy};
pub use progress::{Progress, Unhandled};
pub(crate) use queued::set_aside;
pub use read_model::{Built, ReadModel, RevisionState};
pub use rehearsal::Rehearsed;
pub use replay::{Pause, Replay, ReplayStep, Replayed, Start};
pub use sagas::{
    ByHand, Deed, Intervened, SagaInstance, SagaPage, SagaQuery, SagaRecord, Sagas, SendRequest,
    SkipRequest, Skipped,
};
pub use sweep::Swept;
pub use unbuilt::Unbuilt;
pub use verify::{Difference, Drift, DriftKind, OnDrift, Verified, Verify};
