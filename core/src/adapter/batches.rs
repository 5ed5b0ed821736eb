//! How many there may be at once, and how they are cut into requests.

use std::collections::BTreeSet;
use std::ops::Range;

use super::check_key;
use crate::limits::{BATCH_DOCUMENTS_MAX, BATCH_SUBJECTS_MAX, COMMAND_BYTES_MAX};
use crate::ports::{DocumentKey, QueuedCommand, Write};
use crate::{Error, ErrorKind, Result};

/// The error of a batch of `count`, of at most `max`; `what` is what it is of.
pub fn too_many(what: &str, count: usize, max: usize) -> Error {
    Error::new(ErrorKind::Oversized, format!("a batch of {count} {what}, of at most {max}"))
}

fn check_count(count: usize) -> Result<()> {
    match count <= BATCH_DOCUMENTS_MAX {
        true => Ok(()),
        false => Err(too_many("documents", count, BATCH_DOCUMENTS_MAX)),
    }
}

/// Refuses a batch of more changes than a batch may have, or that changes a document twice.
///
/// # Errors
///
/// [`Oversized`](ErrorKind::Oversized) or [`Invalid`](ErrorKind::Invalid) if it does.
pub fn check_changes(batch: &[Write]) -> Result<()> {
    check_count(batch.len())?;
    check_different(batch.iter().map(|write| &write.key))
}

/// Refuses keys that could not all be read at once.
///
/// # Errors
///
/// [`Oversized`](ErrorKind::Oversized) if there are more than a batch may have,
/// [`Invalid`](ErrorKind::Invalid) if one is there twice, or not legal everywhere.
pub fn check_keys(keys: &[DocumentKey]) -> Result<()> {
    check_count(keys.len())?;
    check_different(keys.iter())?;
    keys.iter().try_for_each(check_key)
}

fn check_different<'a>(keys: impl Iterator<Item = &'a DocumentKey>) -> Result<()> {
    let mut seen = BTreeSet::new();
    for key in keys {
        if !seen.insert(key) {
            let message = format!("{key:?} is named twice in one batch");
            return Err(Error::new(ErrorKind::Invalid, message));
        }
    }
    Ok(())
}

/// Refuses a command that is larger than a queue takes.
///
/// # Errors
///
/// [`Oversized`](ErrorKind::Oversized) if it is.
pub fn check_command(command: &QueuedCommand) -> Result<()> {
    let bytes = command.request.command.bytes();
    if bytes <= COMMAND_BYTES_MAX {
        return Ok(());
    }
    let message = format!("the command has {bytes} bytes, of at most {COMMAND_BYTES_MAX}");
    Err(Error::new(ErrorKind::Oversized, message))
}

/// Refuses a batch of more subjects than a batch may have.
///
/// # Errors
///
/// [`Oversized`](ErrorKind::Oversized) if it has.
pub fn check_subjects(count: usize) -> Result<()> {
    match count <= BATCH_SUBJECTS_MAX {
        true => Ok(()),
        false => Err(too_many("subjects", count, BATCH_SUBJECTS_MAX)),
    }
}

/// Entries of `sizes` bytes, in order, as requests of at most `entries_max` and `bytes_max`. One
/// that is larger goes alone.
pub fn requests(sizes: &[usize], entries_max: usize, bytes_max: usize) -> Vec<Range<usize>> {
    let mut requests = vec![];
    let (mut start, mut bytes) = (0, 0);
    for (nth, size) in sizes.iter().enumerate() {
        if nth > start && (nth - start == entries_max || bytes + size > bytes_max) {
            requests.push(start..nth);
            (start, bytes) = (nth, 0);
        }
        bytes += size;
    }
    if start < sizes.len() {
        requests.push(start..sizes.len());
    }
    requests
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_hold_no_more_entries_and_bytes_than_fit() {
        assert!(requests(&[], 10, 9).is_empty());
        assert_eq!(requests(&[1; 21], 10, 99), [0..10, 10..20, 20..21]);
        assert_eq!(requests(&[3, 3, 3, 1, 9, 10, 1], 10, 9), [0..3, 3..4, 4..5, 5..6, 6..7]);
    }
}
