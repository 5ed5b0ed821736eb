use skyfold::adapter::check_scan;
use skyfold::limits::PAGE_ITEMS_MAX;
use skyfold::ports::{DocumentKey, Page, ScanQuery};
use skyfold::{Error, ErrorKind, Result};

use super::Documents;
use super::item::{SHARDS, item_key, shard, to_document};
use crate::SEAL;
use crate::errors::failed;
use crate::item::{Item, SORT, s, text};

/// Where in a collection a scan is: in which shard, and after which id of it.
struct Place {
    shard: u64,
    after: Option<String>,
}

impl Documents {
    /// Reads a collection shard by shard.
    pub(crate) async fn scanned(&self, query: &ScanQuery) -> Result<Page> {
        check_scan(query)?;
        let (limit, scope) = (query.limit.min(PAGE_ITEMS_MAX), ["scan", &query.collection]);
        let cursor = query.cursor.as_ref().map(|cursor| Place::open(&scope, cursor));
        let mut at = cursor.transpose()?.unwrap_or(Place { shard: 0, after: None });
        let (mut documents, now) = (vec![], self.clock.now());
        while at.shard < SHARDS {
            if documents.len() >= limit {
                return Ok(Page { documents, next: Some(at.close(&scope)) });
            }
            let (items, next) = self.shard(query, &at, limit - documents.len()).await?;
            for item in items {
                documents.extend(to_document(&item, now)?);
            }
            at = next;
        }
        Ok(Page { documents, next: None })
    }

    /// The items that follow `at` in its shard, at most `limit`, and where to read on.
    async fn shard(
        &self,
        query: &ScanQuery,
        at: &Place,
        limit: usize,
    ) -> Result<(Vec<Item>, Place)> {
        let collection = &query.collection;
        let from = at
            .after
            .clone()
            .map(|id| item_key(&DocumentKey { collection: collection.clone(), id }));
        let read = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("PK = :shard")
            .expression_attribute_values(":shard", s(shard(collection, at.shard)))
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .set_exclusive_start_key(from);
        let read = read.send().await.map_err(|error| failed(&self.what(), error))?;
        let next = match read.last_evaluated_key {
            Some(last) => Place { shard: at.shard, after: Some(text(&last, SORT)?.to_owned()) },
            None => Place { shard: at.shard + 1, after: None },
        };
        Ok((read.items.unwrap_or_default(), next))
    }
}

impl Place {
    fn close(&self, scope: &[&str]) -> String {
        let after = self.after.as_deref().unwrap_or_default();
        SEAL.close(scope, &format!("{}\n{after}", self.shard))
    }

    fn open(scope: &[&str], cursor: &str) -> Result<Self> {
        let text = SEAL.open("cursor", scope, cursor)?;
        let place = text.split_once('\n').and_then(|(shard, after)| {
            let after = Some(after.to_owned()).filter(|after| !after.is_empty());
            Some(Self { shard: shard.parse().ok()?, after })
        });
        place.ok_or_else(|| Error::new(ErrorKind::Invalid, format!("the cursor holds {text:?}")))
    }
}
