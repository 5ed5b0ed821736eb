//! What is added to every port, once: the one place that retries, and the one
//! that seals personal data.

mod entrance;
mod retry;
mod sealing;

pub(crate) use entrance::opened;
pub(crate) use retry::with_retries;
pub(crate) use sealing::with_sealing;
