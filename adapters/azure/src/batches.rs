//! What Event Grid and Queue Storage have in common.

use std::ops::Range;

use skyfold::{Error, ErrorKind};

/// How many requests of one batch are on their way at once.
pub(crate) const CONCURRENT_MAX: usize = 16;

/// Entries of `sizes` bytes, in order, as requests of at most `entries_max` and `bytes_max`. One
/// that is larger goes alone.
pub(crate) fn requests(sizes: &[usize], entries_max: usize, bytes_max: usize) -> Vec<Range<usize>> {
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

/// The error of a batch of `count`, of at most `max`.
pub(crate) fn too_many(what: &str, count: usize, max: usize) -> Error {
    Error::new(ErrorKind::Oversized, format!("a batch of {count} {what}, of at most {max}"))
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
