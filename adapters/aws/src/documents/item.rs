//! A document as an item.

use skyfold::adapter::Fnv;
use skyfold::ports::{Document, DocumentKey, Listing, Revision, Write};
use skyfold::{Error, ErrorKind, Payload, Result};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::item::{BODY, Item, SORT, key, n, number, s, text};

/// What each write of a document makes anew.
pub(crate) const REVISION: &str = "V";

/// When a document expires, in milliseconds since 1970.
pub(crate) const EXPIRES: &str = "X";

/// When the table may forget a document, in seconds since 1970: its attribute of time to live.
pub(crate) const FORGET_AFTER: &str = "E";

/// Over how many partition keys a collection is spread: each takes 1,000 writes a second at once,
/// before the table splits it ("Best practices for designing and using partition keys
/// effectively"). Never to be changed.
pub(crate) const SHARDS: u64 = 16;

/// How many bytes a sort key may have ("Quotas in Amazon DynamoDB").
const SORT_KEY_BYTES_MAX: usize = 1024;

/// Ends what a list is ordered by, where the id follows. It holds no control character, so that
/// nothing sorts before its end.
const END: char = '\n';

/// The partition key of the shard `shard` of `collection`, whose name holds no `#`.
pub(crate) fn shard(collection: &str, shard: u64) -> String {
    format!("{collection}#{shard:x}")
}

/// The shard that the document `id` is in.
pub(crate) fn shard_of(id: &str) -> u64 {
    let mut hash = Fnv::new();
    hash.write(id.as_bytes());
    hash.finish() % SHARDS
}

/// The key of a document's item.
pub(crate) fn item_key(document: &DocumentKey) -> Item {
    let DocumentKey { collection, id } = document;
    key(&shard(collection, shard_of(id)), id)
}

/// The name of the index of a list.
pub(crate) fn list_index(list: usize) -> String {
    format!("list-{list}")
}

/// The attribute that says what a list is of: its index's partition key.
pub(crate) fn under_attribute(list: usize) -> String {
    format!("U{list}")
}

/// The attribute that says where in a list a document is: its index's sort key.
pub(crate) fn by_attribute(list: usize) -> String {
    format!("O{list}")
}

/// The partition key of what is listed under `under`.
pub(crate) fn under_key(collection: &str, under: &str) -> String {
    format!("{collection}#{under}")
}

/// The sort key of the document `id` listed by `by`. What does not fit of a long id is left out:
/// documents that agree in `by` and in that much of their ids have no order among each other.
pub(crate) fn by_key(by: &str, id: &str) -> String {
    let mut key = format!("{by}{END}");
    for character in id.chars() {
        if key.len() + character.len_utf8() > SORT_KEY_BYTES_MAX {
            break;
        }
        key.push(character);
    }
    key
}

/// What a list is ordered by, of its sort key.
pub(crate) fn by_of(key: &str) -> &str {
    key.split_once(END).map_or(key, |(by, _)| by)
}

/// The document of `body` that `write` makes, and its revision.
pub(crate) fn of_write(write: &Write, body: &Payload) -> (Item, Revision) {
    let Write { key, listings, expires, .. } = write;
    let revision = Uuid::now_v7().simple().to_string();
    let mut item = item_key(key);
    item.insert(BODY.to_owned(), s(body.get()));
    item.insert(REVISION.to_owned(), s(&revision));
    for Listing { list, under, by } in listings {
        item.insert(under_attribute(*list), s(under_key(&key.collection, under)));
        item.insert(by_attribute(*list), s(by_key(by, &key.id)));
    }
    if let Some(expires) = expires {
        let millis = millis(*expires);
        item.insert(EXPIRES.to_owned(), n(millis));
        item.insert(FORGET_AFTER.to_owned(), n(millis.div_euclid(1_000) + 1));
    }
    (item, Revision(revision))
}

/// The document that `item` is, unless it has expired `now`.
pub(crate) fn to_document(item: &Item, now: OffsetDateTime) -> Result<Option<Document>> {
    if number::<i64>(item, EXPIRES)?.is_some_and(|expires| expires <= millis(now)) {
        return Ok(None);
    }
    let (id, body) = (text(item, SORT)?, text(item, BODY)?);
    let body = Payload::parse(body).map_err(|error| {
        let message = format!("the document {id} cannot be read");
        Error::new(ErrorKind::Corrupt, message).with_source(error)
    })?;
    let revision = Revision(text(item, REVISION)?.to_owned());
    Ok(Some(Document { id: id.to_owned(), revision, body }))
}

pub(crate) fn millis(time: OffsetDateTime) -> i64 {
    i64::try_from(time.unix_timestamp_nanos() / 1_000_000).expect("times end in the year 9999")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sort_key_orders_by_text_then_by_id_and_fits() {
        let long = "😀".repeat(128);
        assert!(by_key("a", "z") < by_key("a ", "a"));
        assert!(by_key("a", "a") < by_key("a", "b"));
        assert_eq!(by_key(&long, &long).len(), 1021, "the last character does not fit");
        assert_eq!(by_of(&by_key("a b", "c\u{85}d")), "a b");
    }
}
