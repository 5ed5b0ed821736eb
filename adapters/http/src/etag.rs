use axum::http::{HeaderMap, HeaderValue, header};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// What a revision may hold that an entity tag may not.
const ILLEGAL: AsciiSet = CONTROLS.add(b' ').add(b'"').add(b'%');

/// The entity tag of `revision`.
pub(crate) fn tag(revision: &str) -> HeaderValue {
    let tag = format!("\"{}\"", utf8_percent_encode(revision, &ILLEGAL));
    HeaderValue::try_from(tag).expect("what is encoded is printable ASCII")
}

/// Whether the caller has what `tag` names already ("HTTP Semantics", RFC 9110, section 13.1.2).
pub(crate) fn is_known(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    let tag = tag.as_bytes();
    let lists = headers.get_all(header::IF_NONE_MATCH).iter().map(HeaderValue::as_bytes);
    lists.into_iter().any(|list| list.trim_ascii() == b"*" || tags(list).contains(&tag))
}

/// The tags of a list, weak or not, as far as it is one.
fn tags(mut list: &[u8]) -> Vec<&[u8]> {
    let mut tags = vec![];
    loop {
        list = list.trim_ascii_start();
        list = list.strip_prefix(b"W/").unwrap_or(list);
        let Some(quoted) = list.strip_prefix(b"\"") else { return tags };
        let Some(end) = quoted.iter().position(|b| *b == b'"') else { return tags };
        tags.push(&list[..end + 2]);
        list = quoted[end + 1..].trim_ascii_start();
        let Some(rest) = list.strip_prefix(b",") else { return tags };
        list = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_of_any_text_is_a_tag() {
        for (revision, expected) in
            [("7", "\"7\""), ("a\"b c%", "\"a%22b%20c%25\""), ("größe,1", "\"gr%C3%B6%C3%9Fe,1\"")]
        {
            assert_eq!(tag(revision), expected);
        }
    }

    #[test]
    fn a_caller_knows_what_it_lists() {
        let knows = |list: &str| {
            let value = HeaderValue::from_str(list).unwrap();
            is_known(&HeaderMap::from_iter([(header::IF_NONE_MATCH, value)]), &tag("7,8"))
        };
        for list in ["*", "\"7,8\"", "W/\"7,8\"", "\"1\" , \"7,8\"", "W/\"1\",W/\"7,8\",\"2\""] {
            assert!(knows(list), "{list}");
        }
        for list in ["", "7,8", "\"7\", \"8\"", "\"1\" \"7,8\"", "\"7,8", "w/\"7,8\"", "\"*\""] {
            assert!(!knows(list), "{list}");
        }
        assert!(!is_known(&HeaderMap::new(), &tag("7")));
    }
}
