//! What EventBridge and SQS have in common: requests of ten entries, of text that XML could carry.

use skyfold::{Error, ErrorKind};

/// How many entries a request may have, on both ("PutEvents", "SendMessageBatch").
pub(crate) const ENTRIES_MAX: usize = 10;

/// How many requests of one batch are on their way at once.
pub(crate) const CONCURRENT_MAX: usize = 8;

/// `json` without the two characters that SQS refuses in a message and JSON does not escape
/// ("SendMessage"). They stand in strings alone, where their escape says the same.
pub(crate) fn as_message(json: String) -> String {
    match json.contains(['\u{fffe}', '\u{ffff}']) {
        true => json.replace('\u{fffe}', "\\ufffe").replace('\u{ffff}', "\\uffff"),
        false => json,
    }
}

/// The outcome of an entry that the answer does not mention.
pub(crate) fn unmentioned(what: &str) -> Error {
    Error::new(ErrorKind::Unavailable, format!("{what}: the answer does not mention this entry"))
}

#[cfg(test)]
mod tests {
    use super::*;

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
