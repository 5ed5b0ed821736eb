//! A commit and a snapshot as items.

use skyfold::adapter::{decode, encode, sort_key, unreadable};
use skyfold::ports::{Snapshot, Unreadable};
use skyfold::{Commit, Error, ErrorKind, RecordedCommit, Result, StreamName, Version};

use crate::item::{BODY, Item, PARTITION, SORT, key, n, number, s, text};

/// When a commit was appended, and its version: the index's sort key.
pub(crate) const AT: &str = "T";

/// The slice of the feed that a commit is in: the index's partition key.
pub(crate) const SLICE: &str = "F";

/// The version that a snapshot reflects.
pub(crate) const REFLECTS: &str = "N";

/// The sort key of a stream's snapshot, which is after that of every commit.
pub(crate) const SNAPSHOT: &str = "SNAP#";

/// How many slices there are: a partition key of an index takes 1,000 writes a second ("Best
/// practices for designing and using partition keys effectively"). Never to be made fewer.
pub(crate) const SLICES: u16 = 16;

/// The commit whose JSON is `body`, appended `at`, as an item; of `slice` where there is an index.
pub(crate) fn of_commit(
    stream: &StreamName,
    first: Version,
    body: &str,
    at: String,
    slice: Option<u16>,
) -> Item {
    let mut item = key(stream.as_str(), &sort_key(first));
    item.insert(BODY.to_owned(), s(body));
    item.insert(AT.to_owned(), s(at));
    if let Some(slice) = slice {
        item.insert(SLICE.to_owned(), s(slice.to_string()));
    }
    item
}

/// The commit that `item` is.
pub(crate) fn to_commit(item: &Item) -> Result<RecordedCommit> {
    let stream: StreamName = text(item, PARTITION)?.parse().map_err(|error| {
        let message = "the table holds an item that is not of a stream";
        Error::new(ErrorKind::Corrupt, message).with_source(error)
    })?;
    let first = text(item, SORT)?.parse().map(Version).map_err(|error| {
        let message = format!("the table holds an item of {stream} that is not a commit");
        Error::new(ErrorKind::Corrupt, message).with_source(error)
    })?;
    let commit: Commit = decode(&format!("the commit {stream}@{first}"), text(item, BODY)?)?;
    Ok(RecordedCommit { stream, first, commit })
}

/// The commit that `item` is, or which one cannot be read.
pub(crate) fn found(item: &Item) -> Result<RecordedCommit, Unreadable> {
    let part = |name| text(item, name).ok();
    to_commit(item).map_err(|error| unreadable(part(PARTITION), part(SORT), &error))
}

/// `snapshot` as an item.
pub(crate) fn of_snapshot(stream: &StreamName, snapshot: &Snapshot) -> Result<Item> {
    let mut item = key(stream.as_str(), SNAPSHOT);
    item.insert(REFLECTS.to_owned(), n(snapshot.version.0));
    let what = format!("the snapshot of {stream}");
    item.insert(BODY.to_owned(), s(encode(&what, &snapshot.state)?));
    Ok(item)
}

/// The snapshot of `stream` that `item` is.
pub(crate) fn to_snapshot(stream: &StreamName, item: &Item) -> Result<Snapshot> {
    let what = format!("the snapshot of {stream}");
    let version = number(item, REFLECTS)?.map(Version).ok_or_else(|| {
        Error::new(ErrorKind::Corrupt, format!("{what} does not say what it reflects"))
    })?;
    Ok(Snapshot { version, state: decode(&what, text(item, BODY)?)? })
}
