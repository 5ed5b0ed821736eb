//! The app as services of Cloud Run, all of one binary.

mod answer;
mod callers;
mod certs;
mod process;
mod push;
mod service;

pub use callers::Callers;
pub use certs::Certs;
pub use process::{is_called, run};
pub use service::service;

#[cfg(test)]
mod tests;
