//! The indexes of the database, as they must be.
//!
//! Every query of this adapter is over one field, in the order of that field, so that the index of
//! that one field answers it. There is no composite index, and whichever projections and lists an
//! app has, the indexes are the same. What is not asked for has no index: each would be kept up
//! and stored for nothing, and one of a sequential field slows the writes of its collection
//! ("Best practices for Cloud Firestore").

use serde_json::{Value, json};
use skyfold::limits::LISTS_MAX;

use crate::documents::{EXPIRES, FORGET_AFTER, ITEMS, MARK, list_field};
use crate::events::{BODY, COMMITS, PLACE, REFLECTS, STREAMS, VERSION};
use crate::keys::{DESTROYED, RING, SUBJECTS};

/// Which index one field of the documents of one collection has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldIndex {
    /// The id of the collection.
    pub collection: &'static str,
    /// The field.
    pub field: String,
    /// What the index is of.
    pub scope: IndexScope,
    /// Whether the service deletes a document some time after the time that the field says
    /// ("Manage data retention with TTL policies").
    pub is_time_to_live: bool,
}

/// What an index of one field is of, in either direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IndexScope {
    /// The field has none.
    None,
    /// Of each collection of the id alone.
    Collection,
    /// Of all collections of the id together.
    CollectionGroup,
}

/// What every field that the database of streams and documents holds needs.
pub fn fields() -> Vec<FieldIndex> {
    let mut fields = vec![
        field(COMMITS, BODY, IndexScope::None),
        field(COMMITS, PLACE, IndexScope::CollectionGroup),
        field(COMMITS, VERSION, IndexScope::Collection),
        field(STREAMS, BODY, IndexScope::None),
        field(STREAMS, REFLECTS, IndexScope::None),
        field(ITEMS, BODY, IndexScope::None),
        FieldIndex { is_time_to_live: true, ..field(ITEMS, FORGET_AFTER, IndexScope::None) },
        field(ITEMS, MARK, IndexScope::None),
        field(ITEMS, EXPIRES, IndexScope::None),
    ];
    let lists = (0..LISTS_MAX).map(list_field);
    fields.extend(lists.map(|list| field(ITEMS, &list, IndexScope::Collection)));
    fields
}

/// What every field that the database of keys holds needs.
pub fn fields_of_keys() -> Vec<FieldIndex> {
    [RING, DESTROYED].map(|name| field(SUBJECTS, name, IndexScope::None)).into()
}

fn field(collection: &'static str, name: &str, scope: IndexScope) -> FieldIndex {
    FieldIndex { collection, field: name.to_owned(), scope, is_time_to_live: false }
}

/// `fields` in the form of a `firestore.indexes.json` ("Cloud Firestore index definition format"),
/// as `firebase deploy --only firestore:indexes` reads it.
///
/// ```
/// let definition = skyfold_gcp::indexes::definition(&skyfold_gcp::indexes::fields());
/// assert_eq!(definition["indexes"], serde_json::json!([]), "none is composite");
/// assert_eq!(definition["fieldOverrides"].as_array().unwrap().len(), 12);
/// ```
pub fn definition(fields: &[FieldIndex]) -> Value {
    let overrides = fields.iter().map(|field| {
        let scope = match field.scope {
            IndexScope::None => None,
            IndexScope::Collection => Some("COLLECTION"),
            IndexScope::CollectionGroup => Some("COLLECTION_GROUP"),
        };
        let index = |order| scope.map(|scope| json!({ "order": order, "queryScope": scope }));
        let indexes: Vec<_> = ["ASCENDING", "DESCENDING"].into_iter().filter_map(index).collect();
        json!({
            "collectionGroup": field.collection,
            "fieldPath": field.field,
            "ttl": field.is_time_to_live,
            "indexes": indexes,
        })
    });
    json!({ "indexes": [], "fieldOverrides": overrides.collect::<Vec<_>>() })
}
