//! The app as services of Cloud Run, all of one binary.

mod callers;
mod process;
mod push;
mod service;

pub use callers::{Callers, GOOGLE_CERTS};
pub use process::{is_called, run};
pub use service::service;
pub use skyfold_http::deliveries::Certs;

#[cfg(test)]
mod tests;
