use skyfold::Result;
use skyfold::adapter::check_scan;
use skyfold::limits::PAGE_ITEMS_MAX;
use skyfold::ports::{DocumentKey, Page, ScanQuery};

use super::Documents;
use super::item::{ITEMS, collection_path, path, to_document};
use crate::SEAL;
use crate::firestore::{Direction, Scope, Select, decode_id};

impl Documents {
    /// Reads a collection in the order of the names of its documents.
    pub(super) async fn scanned(&self, query: &ScanQuery) -> Result<Page> {
        check_scan(query)?;
        let (limit, scope) = (query.limit.min(PAGE_ITEMS_MAX), ["scan", &query.collection]);
        let after = query.cursor.as_ref().map(|cursor| SEAL.open("cursor", &scope, cursor));
        let name = |id| {
            let collection = query.collection.clone();
            self.database.at(&path(&DocumentKey { collection, id }))
        };
        let select = Select {
            collection: ITEMS,
            scope: Scope::Collection,
            field: None,
            direction: Direction::Ascending,
            from: None,
            until: None,
            after: after.transpose()?.map(|id| (None, name(id))),
            limit,
        };
        let collection = collection_path(&query.collection);
        let found = self.database.query(Some(&collection), select.build()).await?;
        let last = found.last().filter(|_| found.len() == limit);
        let next = last.map(|last| decode_id(&last.name)).transpose()?;
        let now = self.clock.now();
        let documents = found.iter().map(|document| to_document(document, now));
        let documents = documents.filter_map(Result::transpose).collect::<Result<_>>()?;
        Ok(Page { documents, next: next.map(|id| SEAL.close(&scope, &id)) })
    }
}
