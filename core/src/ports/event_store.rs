use std::fmt;

use async_trait::async_trait;

use crate::{Commit, Head, RecordedCommit, Result, StoredState, StreamName, Version};

/// What a commit costs at a store, so that a state rides along where that is worth it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pricing {
    /// How many bytes one write unit pays for; 0 if a write costs the same whatever its size.
    pub write_unit_bytes: usize,
    /// How many bytes of an item the store adds to a commit: keys, names, bookkeeping.
    pub item_overhead_bytes: usize,
    /// How many bytes can be read for the price of one write unit.
    pub read_bytes_per_write_unit: usize,
    /// How large a state may be that is carried in a commit. A larger one becomes a snapshot.
    pub state_bytes_max: usize,
}

/// How fresh a read must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consistency {
    /// It may miss the latest commits, as long as it shows a prefix of the stream.
    Eventual,
    /// It sees every append that returned before it began.
    Strong,
}

/// Which commits of a stream to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// Those whose first event is later than this version, oldest first.
    After(Version),
    /// Those whose first event is earlier than this version, newest first.
    Before(Version),
}

impl Range {
    /// The newest commits, newest first.
    pub const NEWEST: Self = Self::Before(Version(u64::MAX));
}

/// Part of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slice {
    /// Commits in the order that was asked for.
    pub commits: Vec<RecordedCommit>,
    /// Whether nothing followed the last of them when this was read.
    pub is_end: bool,
}

/// The state of a stream, kept beside it because it is too large for a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The version that the state reflects.
    pub version: Version,
    /// The state.
    pub state: StoredState,
}

/// Keeps streams of commits, each of them one item.
///
/// # Contract
///
/// - A commit's events take the versions after `expected`, all of them or none.
/// - If the stream no longer ends at `expected`, an append fails with
///   [`Conflict`](crate::ErrorKind::Conflict) and writes nothing, however many writers race.
/// - After [`Unavailable`](crate::ErrorKind::Unavailable) the commit may or may not be there.
///   Appending it again is safe: it is there once.
/// - A strong read sees every append that returned before it began. An eventual one may be behind
///   but never shows a gap.
/// - A read returns at most `limit` commits, of at most
///   [`PAGE_ITEMS_MAX`](crate::limits::PAGE_ITEMS_MAX); fewer does not mean the end unless the
///   slice says so, and none always does.
/// - What was read back equals what was appended.
/// - A read ends before a commit that cannot be read, and is [`Corrupt`](crate::ErrorKind::Corrupt)
///   if that is the first.
/// - A snapshot replaces an older one of its stream, and losing it makes loads slower, never
///   different.
#[async_trait]
pub trait EventStore: fmt::Debug + Send + Sync + 'static {
    /// What a commit costs here.
    fn pricing(&self) -> Pricing;

    /// Records `commit` after `expected`: one conditional create, and no other request.
    async fn append(&self, expected: &Head, commit: &Commit) -> Result<()>;

    /// Reads a part of `stream`. A stream that does not exist is empty.
    async fn read(
        &self,
        stream: &StreamName,
        range: Range,
        limit: usize,
        consistency: Consistency,
    ) -> Result<Slice>;

    /// The snapshot of `stream`, if it has one. It may be an older one.
    async fn snapshot(&self, stream: &StreamName) -> Result<Option<Snapshot>>;

    /// Keeps `snapshot` as the one of `stream`.
    async fn save_snapshot(&self, stream: &StreamName, snapshot: &Snapshot) -> Result<()>;
}
