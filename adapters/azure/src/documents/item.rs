//! A document of the port as an item.

use serde::{Deserialize, Serialize};
use skyfold::adapter::Fnv;
use skyfold::ports::{Document, DocumentKey, Listing, Write};
use skyfold::{Error, ErrorKind, Payload, Result};
use time::OffsetDateTime;

use super::revision::At;
use crate::cosmos::encode_id;

/// Over how many partition keys a collection is spread: each holds 20 GB and takes 10,000 units a
/// second ("Azure Cosmos DB service quotas"). Never to be changed.
pub(super) const SHARDS: u64 = 16;

/// How many seconds the service can be told to keep an item at most ("Time to live (TTL) in Azure
/// Cosmos DB").
const TTL_SECONDS_MAX: i64 = 2_147_483_647;

/// Ends each part of an entry. No part holds a control character, so that nothing sorts before its
/// end.
const END: char = '\n';

/// What sorts right after [`END`].
const PAST_END: char = '\u{b}';

/// A document.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Item {
    /// Its id in the form that the service takes.
    pub(crate) id: String,
    /// Its collection, `#`, and one of 16 shards by its id: the partition key.
    #[serde(rename = "p")]
    pub(crate) partition: String,
    /// Its id as it is.
    #[serde(rename = "i")]
    pub(crate) name: String,
    /// Its content as JSON.
    #[serde(rename = "b")]
    pub(crate) body: String,
    /// When it expires, in milliseconds since 1970.
    #[serde(rename = "x", default, skip_serializing_if = "Option::is_none")]
    pub(crate) expires: Option<i64>,
    /// After how many seconds since its last write the service may forget it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ttl: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) l0: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) l1: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) l2: Option<String>,
    /// What each write makes anew.
    #[serde(rename = "_etag", default, skip_serializing)]
    pub(crate) etag: String,
}

/// The partition key of the shard `shard` of `collection`, whose name holds no `#`.
pub(super) fn shard(collection: &str, shard: u64) -> String {
    format!("{collection}#{shard:x}")
}

/// The partition key and the id of a document's item.
pub(super) fn place(key: &DocumentKey) -> (String, String) {
    let mut hash = Fnv::new();
    hash.write(key.id.as_bytes());
    (shard(&key.collection, hash.finish() % SHARDS), encode_id(&key.id))
}

/// The field that says where in a list a document is.
pub(crate) fn list_field(list: usize) -> String {
    format!("l{list}")
}

/// `text` so that it sorts by code point among its like. The service compares text as UTF-16 does,
/// in which what is beyond U+FFFF comes before what ends there: each character from U+E000 on
/// follows one that says of which of the two it is.
fn ordered(text: &str) -> String {
    let mut ordered = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\u{e000}'..='\u{ffff}' => ordered.push('\u{e000}'),
            '\u{10000}'.. => ordered.push('\u{e001}'),
            _ => {}
        }
        ordered.push(character);
    }
    ordered
}

/// Where the entries of a list of `collection` under `under` begin, and where they have ended.
pub(super) fn entries(collection: &str, under: &str) -> (String, String) {
    let under = ordered(under);
    (format!("{collection}{END}{under}{END}"), format!("{collection}{END}{under}{PAST_END}"))
}

/// The item that `write` makes of `body`, written `now`.
pub(super) fn of_write(write: &Write, body: &Payload, now: OffsetDateTime) -> Item {
    let Write { key, listings, expires, .. } = write;
    let (partition, id) = place(key);
    let mut lists = [None, None, None];
    for Listing { list, under, by } in listings {
        let (begin, _) = entries(&key.collection, under);
        let entry = format!("{begin}{}{END}{}", ordered(by), ordered(&key.id));
        if let Some(place) = lists.get_mut(*list) {
            *place = Some(entry);
        }
    }
    let [l0, l1, l2] = lists;
    let expires = expires.map(millis);
    // Rather a second more than too few, and one at least. What lives for longer than the service
    // can say expires here all the same, and stays there.
    let ttl = expires.map(|expires| ((expires - millis(now)).max(0) / 1_000) + 1);
    let ttl = ttl.filter(|ttl| *ttl <= TTL_SECONDS_MAX);
    let (name, body) = (key.id.clone(), body.get().to_owned());
    Item { id, partition, name, body, expires, ttl, l0, l1, l2, etag: String::new() }
}

impl Item {
    /// Whether it has expired `now`.
    pub(super) fn has_expired(&self, now: OffsetDateTime) -> bool {
        self.expires.is_some_and(|expires| expires <= millis(now))
    }

    /// Where in the list `list` it is.
    pub(super) fn entry(&self, list: usize) -> Option<&str> {
        [&self.l0, &self.l1, &self.l2].get(list)?.as_deref()
    }

    /// The document that it is, unless it has expired `now`.
    pub(super) fn into_document(self, now: OffsetDateTime) -> Result<Option<Document>> {
        if self.has_expired(now) {
            return Ok(None);
        }
        let Self { name: id, body, expires, etag, .. } = self;
        let body = Payload::parse(&body).map_err(|error| {
            let message = format!("the document {id} cannot be read");
            Error::new(ErrorKind::Corrupt, message).with_source(error)
        })?;
        Ok(Some(Document { id, revision: At { etag, expires }.revision(), body }))
    }
}

pub(super) fn millis(time: OffsetDateTime) -> i64 {
    i64::try_from(time.unix_timestamp_nanos() / 1_000_000).expect("times end in the year 9999")
}

#[cfg(test)]
mod tests {
    use skyfold::limits::LISTS_MAX;
    use skyfold::ports::Guard;
    use time::macros::datetime;

    use super::*;

    fn write(by: &str, id: &str, expires: Option<OffsetDateTime>) -> Write {
        Write {
            key: DocumentKey { collection: "views".into(), id: id.into() },
            body: None,
            listings: vec![Listing { list: 2, under: "u".into(), by: by.into() }],
            guard: Guard::None,
            expires,
        }
    }

    #[test]
    fn an_entry_orders_by_text_then_by_id_within_what_the_list_is_of() {
        let now = datetime!(2010-12-01 08:26 UTC);
        let item = |by, id| of_write(&write(by, id, None), &Payload::default(), now);
        let entry = |by, id| item(by, id).entry(2).unwrap().to_owned();
        assert!(entry("a", "z") < entry("a ", "a"));
        assert!(entry("a", "a") < entry("a", "b"));
        assert_eq!((item("a", "a").entry(0), item("a", "a").entry(LISTS_MAX)), (None, None));
        for (under, is_in) in [("u", true), ("u ", false), ("", false), ("u\u{a0}", false)] {
            let (from, until) = entries("views", under);
            let entry = entry("a", "b");
            assert_eq!((from.as_str()..until.as_str()).contains(&&*entry), is_in, "{under:?}");
        }
    }

    #[test]
    fn text_sorts_by_code_point_in_utf_16_as_well() {
        let texts = ["", "a", "\u{d7ff}", "\u{e000}", "\u{e001}z", "ｚ", "\u{ffff}", "😀", "😀a"];
        assert!(texts.is_sorted());
        let ordered = texts.map(ordered);
        assert!(ordered.is_sorted_by_key(|text| text.encode_utf16().collect::<Vec<_>>()));
        assert!(ordered.is_sorted() && ordered[1] == "a");
    }

    #[test]
    fn what_expires_lives_a_second_longer_at_the_service() {
        let now = datetime!(2010-12-01 08:26 UTC);
        let longest = TTL_SECONDS_MAX * 1_000;
        for (millis, ttl) in [
            (-5_000, Some(1)),
            (0, Some(1)),
            (999, Some(1)),
            (1_000, Some(2)),
            (60_500, Some(61)),
            (longest - 1, Some(TTL_SECONDS_MAX)),
            (longest, None),
        ] {
            let expires = Some(now + time::Duration::milliseconds(millis));
            let item = of_write(&write("a", "a", expires), &Payload::default(), now);
            assert_eq!(item.ttl, ttl, "{millis}");
            assert_eq!(item.has_expired(now), millis <= 0);
            assert!(item.has_expired(now + time::Duration::milliseconds(longest)));
        }
    }
}
