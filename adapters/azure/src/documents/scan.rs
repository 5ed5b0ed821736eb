use skyfold::adapter::check_scan;
use skyfold::limits::PAGE_ITEMS_MAX;
use skyfold::ports::{Consistency, Page, ScanQuery};
use skyfold::{Error, ErrorKind, Result};

use super::Documents;
use super::item::{Item, SHARDS, shard};
use crate::SEAL;
use crate::cosmos::{Reach, Rows, Select};

/// Where in a collection a scan is: in which shard, and after which id of it.
struct Place {
    shard: u64,
    after: String,
}

impl Documents {
    /// Reads a collection shard by shard.
    pub(super) async fn scanned(&self, query: &ScanQuery) -> Result<Page> {
        check_scan(query)?;
        let (limit, scope) = (query.limit.min(PAGE_ITEMS_MAX), ["scan", &query.collection]);
        let cursor = query.cursor.as_ref().map(|cursor| Place::open(&scope, cursor));
        let mut at = cursor.transpose()?.unwrap_or(Place { shard: 0, after: String::new() });
        let (mut documents, now) = (vec![], self.clock.now());
        while at.shard < SHARDS {
            if documents.len() >= limit {
                return Ok(Page { documents, next: Some(at.close(&scope)) });
            }
            let select = Select {
                reach: Reach::Partition(&shard(&query.collection, at.shard)),
                rest: "WHERE c.id > @p0 ORDER BY c.id",
                values: &[&at.after],
                limit: limit - documents.len(),
                consistency: Consistency::Eventual,
            };
            let Rows { items, is_end } = self.container.query::<Item>(select).await?;
            at = match items.last() {
                Some(last) if !is_end => Place { shard: at.shard, after: last.id.clone() },
                _ => Place { shard: at.shard + 1, after: String::new() },
            };
            for item in items {
                documents.extend(item.into_document(now)?);
            }
        }
        Ok(Page { documents, next: None })
    }
}

impl Place {
    fn close(&self, scope: &[&str]) -> String {
        SEAL.close(scope, &format!("{}\n{}", self.shard, self.after))
    }

    fn open(scope: &[&str], cursor: &str) -> Result<Self> {
        let text = SEAL.open("cursor", scope, cursor)?;
        let place = text.split_once('\n').and_then(|(shard, after)| {
            Some(Self { shard: shard.parse().ok()?, after: after.to_owned() })
        });
        place.ok_or_else(|| Error::new(ErrorKind::Invalid, format!("the cursor holds {text:?}")))
    }
}
