//! The slices of the feed.

use super::Fnv;
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

/// Brings `commits` in the order of their times, the newest first, and those of one time in that of
/// their versions.
pub fn sort_newest_first(commits: &mut [RecordedCommit]) {
    commits.sort_by_key(|commit| std::cmp::Reverse((commit.commit.time(), commit.first)));
}
