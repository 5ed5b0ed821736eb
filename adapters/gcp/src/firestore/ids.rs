//! Ids of documents. Firestore takes any text that holds no `/`, is not `.` or `..`, and does not
//! begin and end with `__` ("Quotas and limits", "Collections, documents, and fields"). Any id is
//! made one of these, and no two the same.

use skyfold::{Error, ErrorKind, Result};

/// The id of the document that `id` names.
pub(crate) fn encode_id(id: &str) -> String {
    let mut encoded = String::with_capacity(id.len());
    for (nth, character) in id.char_indices() {
        let is_reserved = match character {
            '/' | '%' => true,
            '.' => id == "." || id == "..",
            '_' => nth == 0 && id.starts_with("__"),
            _ => false,
        };
        match is_reserved {
            true => encoded.push_str(&format!("%{:02X}", u32::from(character))),
            false => encoded.push(character),
        }
    }
    encoded
}

/// The text of which the last part of `name` is the id.
///
/// # Errors
///
/// [`Corrupt`](ErrorKind::Corrupt) if it is no id of this adapter's making.
pub(crate) fn decode_id(name: &str) -> Result<String> {
    let encoded = name.rsplit('/').next().unwrap_or_default();
    let mut parts = encoded.split('%');
    let mut id = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let code = part.get(..2).and_then(|code| u8::from_str_radix(code, 16).ok());
        let (Some(code), Some(rest)) = (code.filter(u8::is_ascii), part.get(2..)) else {
            let message = format!("the document {name} has an id that was not made here");
            return Err(Error::new(ErrorKind::Corrupt, message));
        };
        id.push(char::from(code));
        id.push_str(rest);
    }
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_is_a_legal_id_and_its_own() {
        for (id, expected) in [
            ("a", "a"),
            ("a/b", "a%2Fb"),
            ("a%2Fb", "a%252Fb"),
            (".", "%2E"),
            ("..", "%2E%2E"),
            ("...", "..."),
            (".a", ".a"),
            ("__x__", "%5F_x__"),
            ("__", "%5F_"),
            ("____", "%5F___"),
            ("_a_", "_a_"),
            ("x__", "x__"),
            ("größe/日本😀", "größe%2F日本😀"),
        ] {
            assert_eq!(encode_id(id), expected);
            assert_eq!(decode_id(&format!("a/b/{expected}")).unwrap(), id);
        }
    }

    #[test]
    fn an_id_of_somebody_elses_making_is_told() {
        for foreign in ["%", "a%2", "%zz", "%é", "%FF"] {
            assert_eq!(decode_id(foreign).unwrap_err().kind(), ErrorKind::Corrupt, "{foreign}");
        }
    }
}
