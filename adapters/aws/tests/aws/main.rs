//! What is this adapter's alone: what it costs, and what it says of errors.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

#[path = "../common/mod.rs"]
mod common;
mod costs;
mod errors;
mod meter;
mod mistakes;
mod script;
mod storm;
