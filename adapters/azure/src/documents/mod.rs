//! Documents and their lists, in one container.

mod item;
mod list;
mod read;
mod revision;
mod scan;
mod write;

use std::sync::Arc;

use async_trait::async_trait;
use skyfold::Result;
use skyfold::ports::{
    Clock, Document, DocumentKey, DocumentStore, ListQuery, Page, Revision, ScanQuery, Write,
};

use crate::cosmos::Container;

pub(crate) use item::list_field;

/// The container of documents.
#[derive(Clone, Debug)]
pub(crate) struct Documents {
    pub(crate) container: Container,
    pub(crate) clock: Arc<dyn Clock>,
}

#[async_trait]
impl DocumentStore for Documents {
    async fn get(&self, keys: &[DocumentKey]) -> Result<Vec<Option<Document>>> {
        self.find(keys).await
    }

    async fn write(&self, batch: &[Write]) -> Vec<Result<Revision>> {
        self.put(batch).await
    }

    async fn list(&self, query: &ListQuery) -> Result<Page> {
        self.page(query).await
    }

    async fn scan(&self, query: &ScanQuery) -> Result<Page> {
        self.scanned(query).await
    }
}
