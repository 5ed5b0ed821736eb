//! Streams and their feed.

mod feed;
mod item;
mod store;

use std::sync::Arc;

use skyfold::ports::Clock;

use crate::firestore::Database;

#[cfg(feature = "cloud-run")]
pub(crate) use item::found;
pub(crate) use item::{BODY, COMMITS, PLACE, REFLECTS, STREAMS, VERSION, is_commit, to_commit};
#[cfg(test)]
pub(crate) use item::{commit_path, of_commit};

/// The streams of a database.
#[derive(Clone, Debug)]
pub(crate) struct Events {
    pub(crate) database: Database,
    pub(crate) clock: Arc<dyn Clock>,
}
