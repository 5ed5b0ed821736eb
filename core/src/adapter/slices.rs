//! The slices of the feed.

use super::Fnv;
use crate::ports::{FeedQuery, Slice, Unreadable};
use crate::{Error, ErrorKind, RecordedCommit, Result, StreamName};

/// The slice, of so many `slices`, that `stream` is in for good.
pub fn slice_of(stream: &StreamName, slices: u16) -> u16 {
    let mut hash = Fnv::new();
    hash.write(stream.as_str().as_bytes());
    u16::try_from(hash.finish() % u64::from(slices)).expect("it is less than the number of slices")
}

/// Refuses a slice that is none of so many `slices`.
///
/// # Errors
///
/// [`Invalid`](ErrorKind::Invalid) if it is none.
pub fn check_slice(slice: u16, slices: u16) -> Result<()> {
    if slice < slices {
        return Ok(());
    }
    let message = format!("there is no slice {slice}, only 0 to {}", slices.saturating_sub(1));
    Err(Error::new(ErrorKind::Invalid, message))
}

/// An item that `error` says is no commit, though it is kept as one of `stream` under `version`, as
/// far as it says.
pub fn unreadable(stream: Option<&str>, version: Option<&str>, error: &Error) -> Unreadable {
    let named = stream.zip(version).map(|(stream, version)| format!("{stream}@{version}"));
    Unreadable { event: named.and_then(|name| name.parse().ok()), why: error.to_string() }
}

/// The part of a stream that `items` are, up to the first that cannot be read; `is_end` says that
/// nothing follows the last of them.
///
/// # Errors
///
/// That of the first item, if it cannot be read.
pub fn until_unreadable(
    items: impl Iterator<Item = Result<RecordedCommit>>,
    is_end: bool,
) -> Result<Slice> {
    let mut commits = vec![];
    for item in items {
        match item {
            Ok(commit) => commits.push(commit),
            Err(_) if !commits.is_empty() => return Ok(Slice { commits, is_end: false }),
            Err(error) => return Err(error),
        }
    }
    Ok(Slice { commits, is_end })
}

/// What of the `items` of a page `query` asks for, in their order: the commits, and what cannot be
/// read, of which the stream alone is told.
pub fn asked_for(
    items: impl Iterator<Item = Result<RecordedCommit, Unreadable>>,
    query: &FeedQuery,
) -> (Vec<RecordedCommit>, Vec<Unreadable>) {
    let (mut commits, mut unreadable) = (vec![], vec![]);
    for item in items {
        match item {
            Ok(commit) if query.matches(&commit) => commits.push(commit),
            Ok(_) => {}
            Err(item) => {
                if item.event.as_ref().is_none_or(|event| query.is_of(&event.stream)) {
                    unreadable.push(item);
                }
            }
        }
    }
    (commits, unreadable)
}

/// Brings `commits` in the order of their times, the newest first, and those of one time in that of
/// their versions.
pub fn sort_newest_first(commits: &mut [RecordedCommit]) {
    commits.sort_by_key(|commit| std::cmp::Reverse((commit.commit.time(), commit.first)));
}
