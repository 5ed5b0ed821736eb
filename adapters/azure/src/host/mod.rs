//! The app as a custom handler of Azure Functions: one program that answers for every function.
//!
//! The Functions host starts it, forwards requests to it as they are, and posts what other
//! triggers bring to `/{function}` ("Azure Functions custom handlers"). Which triggers there are,
//! and which requests are forwarded, the `function.json` of each function says: `package` writes
//! them.

mod functions;
mod invocation;
mod messages;
mod process;
mod triggers;

pub use functions::router;
pub use process::{is_called, run};

#[cfg(test)]
mod tests;
