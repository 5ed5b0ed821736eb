//! What EventBridge and SQS have in common: requests of ten entries, of text that XML could carry.

use std::ops::Range;

use skyfold::{Error, ErrorKind};

/// How many entries a request may have, on both ("PutEvents", "SendMessageBatch").
pub(crate) const ENTRIES_MAX: usize = 10;

/// How many requests of one batch are on their way at once.
pub(crate) const CONCURRENT_MAX: usize = 8;

/// Entries of `sizes` bytes, in order, as requests of at most `bytes_max`. One that is larger goes
/// alone.
pub(crate) fn requests(sizes: &[usize], bytes_max: usize) -> Vec<Range<usize>> {
    let mut requests = vec![];
    let (mut start, mut bytes) = (0, 0);
    for (nth, size) in sizes.iter().enumerate() {
        if nth > start && (nth - start == ENTRIES_MAX || bytes + size > bytes_max) {
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

/// `json` without the two characters that SQS refuses in a message and JSON does not escape
/// ("SendMessage"). They stand in strings alone, where their escape says the same.
pub(crate) fn as_message(json: String) -> String {
    match json.contains(['\u{fffe}', '\u{ffff}']) {
        true => json.replace('\u{fffe}', "\\ufffe").replace('\u{ffff}', "\\uffff"),
        false => json,
    }
}

/// The error of a batch of `count`, of at most `max`.
pub(crate) fn too_many(what: &str, count: usize, max: usize) -> Error {
    Error::new(ErrorKind::Oversized, format!("a batch of {count} {what}, of at most {max}"))
}

/// The outcome of an entry that the answer does not mention.
pub(crate) fn unmentioned(what: &str) -> Error {
    Error::new(ErrorKind::Unavailable, format!("{what}: the answer does not mention this entry"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_hold_ten_entries_and_no_more_bytes_than_fit() {
        assert!(requests(&[], 9).is_empty());
        assert_eq!(requests(&[1; 21], 99), [0..10, 10..20, 20..21]);
        assert_eq!(requests(&[3, 3, 3, 1, 9, 10, 1], 9), [0..3, 3..4, 4..5, 5..6, 6..7]);
    }

    #[test]
    fn a_message_holds_no_character_that_is_refused() {
        let json = serde_json::to_string("a\u{fffe}b\u{ffff}\u{fffd}\0").unwrap();
        let message = as_message(json.clone());
        assert_eq!(message, "\"a\\ufffeb\\uffff\u{fffd}\\u0000\"");
        let (one, other): (String, String) =
            (serde_json::from_str(&json).unwrap(), serde_json::from_str(&message).unwrap());
        assert_eq!(one, other);
    }
}
