use std::collections::HashMap;

use skyfold::Result;
use skyfold::adapter::check_keys;
use skyfold::ports::{Document, DocumentKey};

use super::Documents;
use super::item::{path, to_document};
use crate::firestore;

impl Documents {
    /// The documents of `keys`, each in its place.
    pub(super) async fn find(&self, keys: &[DocumentKey]) -> Result<Vec<Option<Document>>> {
        check_keys(keys)?;
        let found = self.stored(keys.iter()).await?;
        let now = self.clock.now();
        let document = |key: &DocumentKey| match found.get(&self.database.at(&path(key))) {
            Some(found) => to_document(found, now),
            None => Ok(None),
        };
        keys.iter().map(document).collect()
    }

    /// What is stored under `keys`, expired or not, by full name.
    pub(super) async fn stored(
        &self,
        keys: impl Iterator<Item = &DocumentKey>,
    ) -> Result<HashMap<String, firestore::Document>> {
        let names = keys.map(|key| self.database.at(&path(key))).collect();
        let found = self.database.get(names).await?;
        Ok(found.into_iter().map(|document| (document.name.clone(), document)).collect())
    }
}
