//! Streams and their feed.

mod feed;
mod item;
mod store;

#[cfg(feature = "functions")]
pub(crate) use self::item::found;
use crate::cosmos::Container;

/// The container of events; snapshots, which are rewritten, are among the documents, so that the
/// change feed brings commits alone.
#[derive(Clone, Debug)]
pub(crate) struct Events {
    pub(crate) commits: Container,
    pub(crate) snapshots: Container,
}
