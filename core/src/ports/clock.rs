use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use time::OffsetDateTime;

/// Tells the time, and lets it pass.
///
/// # Contract
///
/// - Times are in UTC. They may jump either way: nothing above the port relies on their order.
/// - A sleep ends no earlier than asked for, by this clock.
#[async_trait]
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The time now, in UTC.
    fn now(&self) -> OffsetDateTime;

    /// Waits for `duration`.
    async fn sleep(&self, duration: Duration);
}
