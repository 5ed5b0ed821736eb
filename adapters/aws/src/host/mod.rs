//! The app as functions of AWS Lambda, all of one binary.

mod call;
mod direct;
mod failure;
mod lambda;
mod messages;
mod process;
mod records;
mod reply;

pub use lambda::Lambda;
pub use process::{is_called, run};

#[cfg(test)]
mod tests;
