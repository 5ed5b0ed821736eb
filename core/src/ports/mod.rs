//! What an adapter supplies: seven small object-safe traits, and nothing else.
//!
//! No method has a default body and none is optional. An adapter classifies and reports: it never
//! retries, sleeps, logs and continues, or falls back to a default. What two adapters would both
//! do is done once, above the ports.

mod clock;
mod documents;
mod event_feed;
mod event_store;
mod key_store;
mod publisher;
mod queue;

use std::sync::Arc;

pub use clock::Clock;
pub use documents::{
    Document, DocumentKey, DocumentStore, Guard, ListQuery, Listing, Order, Page, Revision,
    ScanQuery, Write,
};
pub use event_feed::{EventFeed, FeedPage, FeedQuery, Position, Unreadable};
pub use event_store::{Consistency, EventStore, Pricing, Range, Slice, Snapshot};
pub use key_store::{KeyStore, Keyring, SubjectKey, check_key_number};
pub use publisher::Publisher;
pub use queue::{Queue, QueuedCommand, Timer};

/// Everything an [`App`](crate::App) needs in order to run.
#[derive(Clone, Debug)]
pub struct Ports {
    /// Where streams are kept.
    pub events: Arc<dyn EventStore>,
    /// All commits, for replay and audit.
    pub feed: Arc<dyn EventFeed>,
    /// Where views and checkpoints are kept.
    pub documents: Arc<dyn DocumentStore>,
    /// Where recorded events are announced.
    pub publisher: Arc<dyn Publisher>,
    /// Where commands wait.
    pub queue: Arc<dyn Queue>,
    /// Where the keys of personal data are kept.
    pub keys: Arc<dyn KeyStore>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}
