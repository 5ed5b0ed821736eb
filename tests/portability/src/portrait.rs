use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use skyfold::ports::{EventFeed, FeedQuery, Listing};
use skyfold::{Payload, RecordedEvent, Result};

/// A stream, as a store returns it.
#[derive(Clone, Debug)]
pub struct Stream {
    /// Its name.
    pub name: String,
    /// Its events, oldest first.
    pub events: Vec<RecordedEvent>,
}

/// A document, as a store returns it.
#[derive(Clone, Debug)]
pub struct Document {
    /// The collection it is in.
    pub collection: String,
    /// Its id there.
    pub id: String,
    /// Its content.
    pub body: Payload,
    /// The lists it is in.
    pub listings: Vec<Listing>,
}

/// Everything that an adapter keeps.
#[derive(Clone, Debug)]
pub struct Stored {
    /// The streams.
    pub streams: Vec<Stream>,
    /// The documents.
    pub documents: Vec<Document>,
}

/// All streams that `feed` tells of.
///
/// # Errors
///
/// Those of the feed.
pub async fn streams(feed: &dyn EventFeed) -> Result<Vec<Stream>> {
    let mut streams: BTreeMap<String, Stream> = BTreeMap::new();
    for slice in 0..feed.slices() {
        let (mut from, mut is_tail) = (None, false);
        while !is_tail {
            let page = feed.read(slice, &FeedQuery::default(), from.as_ref()).await?;
            for commit in &page.commits {
                let name = commit.stream.to_string();
                let blank = || Stream { name: name.clone(), events: vec![] };
                streams.entry(name.clone()).or_insert_with(blank).events.extend(commit.events());
            }
            (from, is_tail) = (Some(page.next), page.is_tail);
        }
    }
    Ok(streams.into_values().collect())
}

impl Stored {
    /// The events of each stream of the domain, without ids and times. The streams of sagas are
    /// left out: what they hear from several streams has no order that two buses would agree on,
    /// and what they ask for shows in the streams they ask.
    pub(crate) fn streams(&self) -> Result<Value> {
        let mut streams = BTreeMap::new();
        for stream in self.streams.iter().filter(|stream| !stream.name.starts_with("saga.")) {
            let mut events = vec![];
            for event in &stream.events {
                let data = timeless(event.data.decode()?);
                events.push(json!([event.version, event.event_type, event.schema, data]));
            }
            streams.insert(stream.name.clone(), Value::Array(events));
        }
        Ok(json!(streams))
    }

    /// Each view and the lists it is in, without what the framework notes beside it.
    pub(crate) fn views(&self) -> Result<Value> {
        let mut views = BTreeMap::new();
        for document in &self.documents {
            let body: Value = document.body.decode()?;
            let Some(view) = body.get("view") else { continue };
            let mut lists: Vec<_> = document.listings.iter().map(place).collect();
            lists.sort();
            let key = format!("{}/{}", document.collection, document.id);
            views.insert(key, json!({ "view": timeless(view.clone()), "lists": lists }));
        }
        Ok(json!(views))
    }
}

/// A place in a list, without the time that it may be ordered by.
fn place(listing: &Listing) -> String {
    let by = if is_time(&listing.by) { "a time" } else { &listing.by };
    format!("{}/{}/{by}", listing.list, listing.under)
}

/// `value` with each time in it replaced, and each id that a gateway made.
fn timeless(value: Value) -> Value {
    match value {
        Value::String(text) if is_time(&text) => json!("a time"),
        Value::Array(items) => Value::Array(items.into_iter().map(timeless).collect()),
        Value::Object(fields) => {
            let named = |(name, value): (String, Value)| match name.as_str() {
                "reference" => (name, json!("an id")),
                _ => (name, timeless(value)),
            };
            Value::Object(fields.into_iter().map(named).collect::<Map<_, _>>())
        }
        other => other,
    }
}

/// Whether `text` is a moment, such as `2010-12-01T08:26:00Z`. A day is not.
fn is_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    text.ends_with('Z') && bytes.len() >= 20 && bytes[10] == b'T' && bytes[4] == b'-'
}
