use serde::Serialize;
use serde_json::Value;
use skyfold::ports::Listing;
use skyfold::{RecordedCommit, Result};

use crate::documents::Documents;
use crate::store::Store;

/// Everything that is kept, in an order that does not depend on when it came: for comparing one
/// store with another.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Dump {
    /// The streams, in order of name.
    pub streams: Vec<DumpedStream>,
    /// The documents, in order of collection and id.
    pub documents: Vec<DumpedDocument>,
}

/// A stream.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DumpedStream {
    /// Its name.
    pub stream: String,
    /// Its events, oldest first.
    pub events: Vec<DumpedEvent>,
}

/// What an event says, without when and on whose behalf it did.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DumpedEvent {
    /// Its position in the stream, from 1.
    pub version: u64,
    /// The variant's name.
    #[serde(rename = "type")]
    pub event_type: String,
    /// The version of the schema that `data` follows.
    pub schema: u32,
    /// The variant's fields.
    pub data: Value,
}

/// A document, without its revision.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DumpedDocument {
    /// The collection it is in.
    pub collection: String,
    /// Its id there.
    pub id: String,
    /// Its content.
    pub body: Value,
    /// The lists it appears in, in their order.
    pub listings: Vec<DumpedListing>,
}

/// A place of a document in a list.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DumpedListing {
    /// Which list of the collection.
    pub list: usize,
    /// What the list is of.
    pub under: String,
    /// What the list is ordered by.
    pub by: String,
}

pub(crate) fn dump(store: &Store, documents: &Documents) -> Result<Dump> {
    let streams = store.everything().into_iter().map(|(name, items)| {
        let commits = items.iter().map(|item| item.decode()).collect::<Result<Vec<_>>>()?;
        let events = commits.iter().flat_map(RecordedCommit::events).map(|event| {
            let data = event.data.decode()?;
            let (version, event_type) = (event.version.0, event.event_type);
            Ok(DumpedEvent { version, event_type, schema: event.schema, data })
        });
        Ok(DumpedStream { stream: name.to_string(), events: events.collect::<Result<_>>()? })
    });
    let streams = streams.collect::<Result<_>>()?;
    let documents = documents.everything().into_iter().map(|(key, stored)| {
        let mut listings = stored.listings;
        listings.sort();
        let listing = |Listing { list, under, by }| DumpedListing { list, under, by };
        Ok(DumpedDocument {
            collection: key.collection,
            id: key.id,
            body: stored.body.decode()?,
            listings: listings.into_iter().map(listing).collect(),
        })
    });
    Ok(Dump { streams, documents: documents.collect::<Result<_>>()? })
}
