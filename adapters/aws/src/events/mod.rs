//! Streams and their feed, in one table.

mod feed;
mod index;
mod item;
mod passes;
mod store;

use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use skyfold::ports::Clock;

pub(crate) use item::{AT, SLICE};
#[cfg(feature = "lambda")]
pub(crate) use item::{SNAPSHOT, found};

use crate::errors::table;

/// The index by slice and time.
pub(crate) const INDEX: &str = "feed";

/// How the commits of all streams are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Feed {
    /// From an index by slice and time, which costs as many write units again as the commits.
    #[default]
    Index,
    /// From the table itself, which costs nothing to keep up, and reads everything on each pass:
    /// where the feed is for the rare rebuild alone.
    Scan,
}

/// The table of events.
#[derive(Clone, Debug)]
pub(crate) struct Events {
    pub(crate) client: Client,
    pub(crate) table: String,
    pub(crate) feed: Feed,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Events {
    /// What an error is about.
    fn what(&self) -> String {
        table(&self.client, &self.table)
    }
}
