use std::fmt;

use async_trait::async_trait;

use crate::{CloudEvent, Result};

/// Announces recorded events to whoever subscribed.
///
/// # Contract
///
/// - An announcement that succeeded reaches every subscriber at least once, in any order.
/// - Announcements of one batch succeed or fail each on its own, and the outcomes are in the order
///   of the batch.
/// - After [`Unavailable`](crate::ErrorKind::Unavailable) it may have been made: make it again.
/// - One that is larger than the bus carries goes out
///   [by reference](CloudEvent::by_reference).
#[async_trait]
pub trait Publisher: fmt::Debug + Send + Sync + 'static {
    /// Announces each event of `batch`, and returns each outcome in the same place. At most
    /// [`PAGE_ITEMS_MAX`](crate::limits::PAGE_ITEMS_MAX) times
    /// [`COMMIT_EVENTS_MAX`](crate::limits::COMMIT_EVENTS_MAX) events.
    async fn publish(&self, batch: &[CloudEvent]) -> Vec<Result<()>>;
}
