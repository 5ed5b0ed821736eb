use std::collections::BTreeSet;

use deploy::Tools;
use serde_json::Value;
use skyfold_gcp::indexes::{FieldIndex, IndexScope, fields, fields_of_keys};

use crate::made;

/// What matters of a field: its database, collection and name, the indexes it has, and whether what
/// holds it is forgotten at the time that it says.
type Field = (String, String, String, Vec<(String, String)>, bool);

fn of_adapter(database: &str, field: FieldIndex) -> Field {
    let scope = match field.scope {
        IndexScope::None => None,
        IndexScope::Collection => Some("COLLECTION"),
        IndexScope::CollectionGroup => Some("COLLECTION_GROUP"),
    };
    let orders = ["ASCENDING", "DESCENDING"].into_iter();
    let indexes = orders.filter_map(|order| Some((order.to_owned(), scope?.to_owned())));
    let collection = field.collection.to_owned();
    (database.to_owned(), collection, field.field, indexes.collect(), field.is_time_to_live)
}

fn of_terraform(values: &Value) -> Field {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let indexes = list(&values["index_config"][0]["indexes"]);
    let indexes = indexes.iter().map(|index| (text(&index["order"]), text(&index["query_scope"])));
    let mut indexes: Vec<_> = indexes.collect();
    indexes.sort();
    assert_eq!(list(&values["index_config"]).len(), 1, "without it a field has all indexes");
    let [database, collection, field] =
        ["database", "collection", "field"].map(|n| text(&values[n]));
    (database, collection, field, indexes, !list(&values["ttl_config"]).is_empty())
}

pub(crate) fn same(tools: &Tools) {
    let of_data = fields().into_iter().map(|field| of_adapter("order", field));
    let of_keys = fields_of_keys().into_iter().map(|field| of_adapter("order-keys", field));
    let wanted: BTreeSet<_> = of_data.chain(of_keys).collect();
    let made = made(tools).of_name("google_firestore_field", "this");
    let made: BTreeSet<_> = made.map(|field| of_terraform(&field.values)).collect();
    assert_eq!(made, wanted);
}
