//! The containers, as they must be: for tests, and for whoever makes them. Each is the body of a
//! request for one ("Create a Collection"), of which infrastructure as code says the same.
//!
//! An index is kept of nothing but what is asked for ("Indexing policies in Azure Cosmos DB"): a
//! write is charged for each path, and what is stored as text would be one long path. `id` always
//! has one.

use serde_json::{Value, json};
use skyfold::limits::LISTS_MAX;

use crate::documents::list_field;

/// The container `name` of events.
///
/// ```
/// let container = skyfold_azure::containers::events("order-events");
/// assert_eq!(container["partitionKey"]["paths"], serde_json::json!(["/s"]));
/// assert_eq!(container["indexingPolicy"]["excludedPaths"][0]["path"], "/*");
/// ```
pub fn events(name: &str) -> Value {
    container(name, "s", &["t".to_owned()])
}

/// The container `name` of documents, which forgets those whose time to live has passed.
pub fn documents(name: &str) -> Value {
    let lists: Vec<_> = (0..LISTS_MAX).map(list_field).collect();
    let mut definition = container(name, "p", &lists);
    // What has a time to live of its own expires by that, and nothing else does ("Time to live").
    definition["defaultTtl"] = json!(-1);
    definition
}

/// The container `name` of the keys of personal data: in an account of its own, since backups are
/// of whole accounts and a restored one would bring back who was forgotten.
pub fn keys(name: &str) -> Value {
    let mut definition = container(name, "p", &[]);
    definition["indexingPolicy"] = json!({ "indexingMode": "none", "automatic": false });
    definition
}

/// A container partitioned by `partition`, with an index of that and of `indexed`. Version 2 of
/// partitioning takes keys of up to 2 KB ("Create containers with large partition keys").
fn container(name: &str, partition: &str, indexed: &[String]) -> Value {
    let path = |field: &str| json!({ "path": format!("/{field}/?") });
    let mut included = vec![path(partition)];
    included.extend(indexed.iter().map(|field| path(field)));
    json!({
        "id": name,
        "partitionKey": { "paths": [format!("/{partition}")], "kind": "Hash", "version": 2 },
        "indexingPolicy": {
            "indexingMode": "consistent",
            "automatic": true,
            "includedPaths": included,
            "excludedPaths": [{ "path": "/*" }],
        },
    })
}
