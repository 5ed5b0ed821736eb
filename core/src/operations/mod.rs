//! What an operator does with a running app, beside what its users ask of it.

mod privacy;

pub use privacy::{ForgetRequest, Forgotten, ForgottenPage, Privacy};
