use std::collections::HashMap;

use skyfold::Result;
use skyfold::adapter::check_keys;
use skyfold::ports::{Document, DocumentKey};

use super::Documents;
use super::item::{item_key, shard, shard_of, to_document};
use crate::gets::get;
use crate::item::{Item, PARTITION, SORT, text};

/// An item's partition and sort key.
type Place = (String, String);

impl Documents {
    /// The documents of `keys`, each in its place.
    pub(crate) async fn find(&self, keys: &[DocumentKey]) -> Result<Vec<Option<Document>>> {
        check_keys(keys)?;
        let mut found: HashMap<Place, Item> = HashMap::new();
        for item in get(&self.client, &self.table, keys.iter().map(item_key).collect()).await? {
            found.insert((text(&item, PARTITION)?.into(), text(&item, SORT)?.into()), item);
        }
        let now = self.clock.now();
        let document = |key: &DocumentKey| match found.get(&place(key)) {
            Some(item) => to_document(item, now),
            None => Ok(None),
        };
        keys.iter().map(document).collect()
    }
}

fn place(key: &DocumentKey) -> Place {
    (shard(&key.collection, shard_of(&key.id)), key.id.clone())
}
