//! The adapter as its users see it: the ports' own promises, the local host, and the fault mode.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod documents;
mod domain;
mod driver;
mod faults;
mod host;
mod store;
