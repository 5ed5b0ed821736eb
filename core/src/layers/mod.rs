//! What is added to every port, once: the one place that retries.

mod retry;

pub(crate) use retry::with_retries;
