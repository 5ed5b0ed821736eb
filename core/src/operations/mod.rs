//! What an operator does with a running app, beside what its users ask of it.

mod pace;
mod privacy;
mod progress;
mod read_model;
mod redeliver;
mod removal;
mod replay;
mod sagas;
mod switch;
mod verify;

pub use privacy::{ForgetRequest, Forgotten, ForgottenPage, Privacy};
pub use progress::{Progress, Unhandled};
pub use read_model::{Built, ReadModel, RevisionState};
pub use replay::{Replay, Replayed, Start};
pub use sagas::{SagaInstance, SagaPage, SagaQuery, SagaRecord, Sagas};
pub use verify::{Difference, Drift, DriftKind, OnDrift, Verified, Verify};
