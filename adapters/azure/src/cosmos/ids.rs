use std::fmt::Write as _;

use uuid::Uuid;

/// How many characters an id of an item may have ("Azure Cosmos DB service quotas"; newer editions
/// say 1,023 bytes).
const ID_CHARS_MAX: usize = 255;

/// How many characters of an id stay in front of the hash of one that is too long.
const PREFIX_CHARS: usize = 200;

/// What escapes a byte, in two digits. No URL and no tool changes it.
const ESCAPE: char = '~';

/// The text `id` as the id of an item, which takes no `/ \ ? #`, and of which Microsoft asks that
/// it be ASCII ("Azure Cosmos DB service quotas", "Naming"). Two different texts are two ids. What
/// does not fit is cut off, and a hash of all of it put in its place.
pub(crate) fn encode_id(id: &str) -> String {
    let mut encoded = String::with_capacity(id.len());
    for (nth, byte) in id.bytes().enumerate() {
        let is_safe = byte.is_ascii_alphanumeric() || b"-_@:".contains(&byte);
        // Only dots would be a way through folders, and one at the end is cut off by some.
        let is_inside = nth > 0 && nth + 1 < id.len();
        if is_safe || (byte == b'.' && is_inside) {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "{ESCAPE}{byte:02X}").expect("text takes all text");
        }
    }
    if encoded.len() > ID_CHARS_MAX {
        let hash = Uuid::new_v5(&Uuid::NAMESPACE_OID, id.as_bytes());
        encoded.truncate(PREFIX_CHARS);
        // No encoded byte begins so.
        write!(encoded, "{ESCAPE}{ESCAPE}{}", hash.simple()).expect("text takes all text");
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_holds_nothing_that_the_service_refuses() {
        for (id, expected) in [
            ("order-42", "order-42"),
            ("a/b", "a~2Fb"),
            ("a\\b?c#d", "a~5Cb~3Fc~23d"),
            (".", "~2E"),
            ("..", "~2E~2E"),
            ("a.", "a~2E"),
            (".a", "~2Ea"),
            ("a.b", "a.b"),
            ("~2F", "~7E2F"),
            (" a ", "~20a~20"),
            ("ö", "~C3~B6"),
            ("a%2Fb", "a~252Fb"),
        ] {
            assert_eq!(encode_id(id), expected);
        }
    }

    #[test]
    fn the_longest_ids_fit_and_stay_different() {
        let long = "😀".repeat(176);
        let (one, other) = (encode_id(&format!("{long}a")), encode_id(&format!("{long}b")));
        assert_ne!(one, other);
        assert!(one.len() <= ID_CHARS_MAX && one.is_ascii(), "{one}");
        assert_eq!(encode_id(&"a".repeat(177)).len(), 177);
    }
}
