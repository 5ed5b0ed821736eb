use futures::StreamExt as _;
use skyfold::Result;
use skyfold::adapter::check_keys;
use skyfold::ports::{Consistency, Document, DocumentKey};

use super::Documents;
use super::item::{Item, place};
use crate::CONCURRENT_MAX;

impl Documents {
    /// The documents of `keys`, each in its place.
    pub(super) async fn find(&self, keys: &[DocumentKey]) -> Result<Vec<Option<Document>>> {
        check_keys(keys)?;
        let mut reads = vec![];
        for key in keys {
            reads.push(self.stored(key));
        }
        let found: Vec<_> = futures::stream::iter(reads).buffered(CONCURRENT_MAX).collect().await;
        let now = self.clock.now();
        let document = |found: Result<Option<Item>>| match found? {
            Some(item) => item.into_document(now),
            None => Ok(None),
        };
        found.into_iter().map(document).collect()
    }

    /// What is stored under `key`, expired or not.
    pub(super) async fn stored(&self, key: &DocumentKey) -> Result<Option<Item>> {
        let (partition, id) = place(key);
        self.container.read(&partition, &id, Consistency::Strong).await
    }
}
