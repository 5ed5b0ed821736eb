//! An app over HTTP, from the outside.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod anything;
mod app;
mod bad_input;
mod client;
mod commands;
mod described;
mod events;
mod failures;
mod forgotten;
mod operations;
mod read_models;
mod readers;
mod sagas;
mod sockets;
mod states;
mod traces;
