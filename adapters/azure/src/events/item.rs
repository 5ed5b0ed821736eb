//! A commit and a snapshot as items.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use skyfold::adapter::{decode, encode, sort_key, unreadable};
use skyfold::ports::{Snapshot, Unreadable};
use skyfold::{Commit, Error, ErrorKind, RecordedCommit, Result, StreamName, Version};

/// The id of every snapshot, of which a partition has one.
pub(super) const SNAPSHOT: &str = "snapshot";

/// A commit.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct CommitItem {
    /// The version of its first event, in 20 digits.
    pub(crate) id: String,
    /// Its stream: the partition key.
    #[serde(rename = "s")]
    pub(crate) stream: String,
    /// The commit as JSON: as text, since the service keeps numbers as floats of 64 bits.
    #[serde(rename = "b")]
    pub(crate) body: String,
    /// When it was recorded, and its version: what the newest are found by.
    #[serde(rename = "t")]
    pub(crate) at: String,
}

/// A snapshot.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SnapshotItem {
    pub(crate) id: String,
    /// Its stream after an `@`, which no collection of documents has: the partition key.
    #[serde(rename = "p")]
    pub(crate) partition: String,
    /// The state as JSON.
    #[serde(rename = "b")]
    pub(crate) body: String,
    /// The version that it reflects, in 20 digits.
    #[serde(rename = "n")]
    pub(crate) reflects: String,
}

/// The partition of the snapshot of `stream`.
pub(super) fn snapshot_partition(stream: &StreamName) -> String {
    format!("@{stream}")
}

/// The commit that `item` is.
fn to_commit(item: &CommitItem) -> Result<RecordedCommit> {
    let CommitItem { id, stream, body, .. } = item;
    let stream: StreamName = stream.parse().map_err(|error| {
        let message = format!("the container holds an item of {stream}, which is no stream");
        Error::new(ErrorKind::Corrupt, message).with_source(error)
    })?;
    let first = id.parse().map(Version).map_err(|error| {
        let message = format!("the container holds an item of {stream} that is not a commit");
        Error::new(ErrorKind::Corrupt, message).with_source(error)
    })?;
    let commit: Commit = decode(&format!("the commit {stream}@{first}"), body)?;
    Ok(RecordedCommit { stream, first, commit })
}

/// The commit that `item` is, whatever may have become of it.
pub(crate) fn read_commit(item: &Value) -> Result<RecordedCommit> {
    let item = CommitItem::deserialize(item).map_err(|error| {
        let message = "the container holds an item that is no commit";
        Error::new(ErrorKind::Corrupt, message).with_source(error)
    })?;
    to_commit(&item)
}

/// The commit that `item` is, or which one cannot be read: nobody can alter the partition key and
/// the id of an item.
pub(crate) fn found(item: &Value) -> Result<RecordedCommit, Unreadable> {
    read_commit(item).map_err(|error| unreadable(item["s"].as_str(), item["id"].as_str(), &error))
}

/// `snapshot` as an item.
pub(super) fn of_snapshot(stream: &StreamName, snapshot: &Snapshot) -> Result<SnapshotItem> {
    Ok(SnapshotItem {
        id: SNAPSHOT.to_owned(),
        partition: snapshot_partition(stream),
        body: encode(&format!("the snapshot of {stream}"), &snapshot.state)?,
        reflects: sort_key(snapshot.version),
    })
}

/// The snapshot of `stream` that `item` is.
pub(super) fn to_snapshot(stream: &StreamName, item: &SnapshotItem) -> Result<Snapshot> {
    let what = format!("the snapshot of {stream}");
    let version = item.reflects.parse().map(Version).map_err(|error| {
        let message = format!("{what} does not say what it reflects");
        Error::new(ErrorKind::Corrupt, message).with_source(error)
    })?;
    Ok(Snapshot { version, state: decode(&what, &item.body)? })
}
