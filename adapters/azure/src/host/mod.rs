//! The app as one program that answers for every function: as a custom handler of Azure Functions,
//! or as an app of Container Apps.
//!
//! The Functions host starts it, forwards requests to it as they are, and posts what other
//! triggers bring to `/{function}` ("Azure Functions custom handlers"). Which triggers there are,
//! and which requests are forwarded, the `function.json` of each function says: `package` writes
//! them.
//!
//! In Container Apps nobody brings it the change feed and the queue: it asks for them itself, and
//! Event Grid delivers to `/deliveries/{function}` (feature `container-apps`).

#[cfg(feature = "container-apps")]
mod callers;
#[cfg(feature = "container-apps")]
mod container;
mod functions;
mod invocation;
mod messages;
mod process;
#[cfg(feature = "container-apps")]
mod program;
mod triggers;
#[cfg(feature = "container-apps")]
mod work;

#[cfg(feature = "container-apps")]
pub use callers::{Callers, entra_certs};
#[cfg(feature = "container-apps")]
pub use container::container;
pub use functions::router;
pub use process::{is_called, run};
#[cfg(feature = "container-apps")]
pub use program::program;
#[cfg(feature = "container-apps")]
pub use skyfold_http::deliveries::Certs;

#[cfg(test)]
mod tests;
