//! Documents and their lists, in one table.

mod item;
mod list;
mod read;
mod scan;
mod write;

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use skyfold::Result;
use skyfold::ports::{
    Clock, Document, DocumentKey, DocumentStore, ListQuery, Page, Revision, ScanQuery, Write,
};

pub(crate) use item::{FORGET_AFTER, by_attribute, list_index, under_attribute};

use crate::errors::table;

/// The table of documents.
#[derive(Clone, Debug)]
pub(crate) struct Documents {
    pub(crate) client: Client,
    pub(crate) table: String,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Documents {
    /// What an error is about.
    fn what(&self) -> String {
        table(&self.client, &self.table)
    }
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
