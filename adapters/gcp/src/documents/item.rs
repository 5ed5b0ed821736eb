//! A document of the port as one of Firestore.

use skyfold::ports::{Document, DocumentKey, Listing, Revision, Write};
use skyfold::{Error, ErrorKind, Payload, Result};
use time::OffsetDateTime;
use uuid::Uuid;

use super::revision::At;
use crate::events::BODY;
use crate::firestore::{self, Fields, decode_id, encode_id, integer, number, s, text, timestamp};

/// The collection of collections.
const DOCUMENTS: &str = "documents";

/// The collection below each collection of its documents.
pub(crate) const ITEMS: &str = "items";

/// What each write makes anew, so that no write leaves a document as it was: one that does leaves
/// the time of its last change as well, which is the revision ("WriteResult").
pub(crate) const MARK: &str = "r";

/// When a document expires, in milliseconds since 1970.
pub(crate) const EXPIRES: &str = "x";

/// When the service may forget a document: the field of its policy of time to live.
pub(crate) const FORGET_AFTER: &str = "e";

/// How many bytes of a text an index holds ("Quotas and limits").
const INDEXED_BYTES_MAX: usize = 1500;

/// Ends what a list is of, and what it is ordered by, where the id follows. None of these holds a
/// control character, so that nothing sorts before its end.
const END: char = '\n';

/// What sorts right after [`END`].
const PAST_END: char = '\u{b}';

/// Where the documents of `collection` are.
pub(crate) fn collection_path(collection: &str) -> String {
    format!("{DOCUMENTS}/{}", encode_id(collection))
}

/// Where the document of `key` is.
pub(crate) fn path(key: &DocumentKey) -> String {
    format!("{}/{ITEMS}/{}", collection_path(&key.collection), encode_id(&key.id))
}

/// The field that says where in a list a document is.
pub(crate) fn list_field(list: usize) -> String {
    format!("l{list}")
}

/// Where the entries of a list under `under` begin, and where they have ended.
pub(crate) fn entries(under: &str) -> (String, String) {
    (format!("{under}{END}"), format!("{under}{PAST_END}"))
}

/// The entry of the document `id` listed under `under` by `by`. What does not fit of a long id is
/// left out: documents that agree in all else are in the order of their names.
pub(crate) fn entry(under: &str, by: &str, id: &str) -> String {
    let mut entry = format!("{under}{END}{by}{END}");
    for character in id.chars() {
        if entry.len() + character.len_utf8() > INDEXED_BYTES_MAX {
            break;
        }
        entry.push(character);
    }
    entry
}

/// The fields that `write` gives a document of `body`.
pub(crate) fn of_write(write: &Write, body: &Payload) -> Fields {
    let Write { key, listings, expires, .. } = write;
    let mut fields = Fields::from([
        (BODY.to_owned(), s(body.get())),
        (MARK.to_owned(), s(Uuid::now_v7().simple().to_string())),
    ]);
    for Listing { list, under, by } in listings {
        fields.insert(list_field(*list), s(entry(under, by, &key.id)));
    }
    if let Some(expires) = expires {
        fields.insert(EXPIRES.to_owned(), integer(millis(*expires)));
        fields.insert(FORGET_AFTER.to_owned(), timestamp(*expires + time::Duration::SECOND));
    }
    fields
}

/// The document that `found` is, unless it has expired `now`.
pub(crate) fn to_document(
    found: &firestore::Document,
    now: OffsetDateTime,
) -> Result<Option<Document>> {
    if has_expired(found, now)? {
        return Ok(None);
    }
    let id = decode_id(&found.name)?;
    let body = Payload::parse(text(found, BODY)?).map_err(|error| {
        let message = format!("the document {id} cannot be read");
        Error::new(ErrorKind::Corrupt, message).with_source(error)
    })?;
    let Some(time) = found.update_time else {
        let message = format!("the document {id} does not say when it was changed");
        return Err(Error::new(ErrorKind::Corrupt, message));
    };
    let Revision(revision) = At { time, expires: number(found, EXPIRES)? }.revision();
    Ok(Some(Document { id, revision: Revision(revision), body }))
}

/// Whether `found` has expired `now`.
pub(crate) fn has_expired(found: &firestore::Document, now: OffsetDateTime) -> Result<bool> {
    Ok(number(found, EXPIRES)?.is_some_and(|expires| expires <= millis(now)))
}

pub(crate) fn millis(time: OffsetDateTime) -> i64 {
    i64::try_from(time.unix_timestamp_nanos() / 1_000_000).expect("times end in the year 9999")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_orders_by_text_then_by_id_and_fits() {
        let long = "😀".repeat(128);
        assert!(entry("u", "a", "z") < entry("u", "a ", "a"));
        assert!(entry("u", "a", "a") < entry("u", "a", "b"));
        assert_eq!(entry(&long, &long, &long.repeat(2)).len(), 1498, "no more of it fits");
        let (from, until) = entries("u");
        for (under, is_in) in [("u", true), ("u ", false), ("", false), ("u\u{a0}", false)] {
            let entry = entry(under, "a", "b");
            assert_eq!((from.as_str()..until.as_str()).contains(&&*entry), is_in, "{under:?}");
        }
    }
}
