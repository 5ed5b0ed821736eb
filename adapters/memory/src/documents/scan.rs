use std::collections::BTreeMap;
use std::ops::Bound;

use skyfold::Result;
use skyfold::adapter::check_scan;
use skyfold::limits::PAGE_ITEMS_MAX;
use skyfold::ports::{Clock, DocumentKey, Page, ScanQuery};
use time::OffsetDateTime;

use super::{Documents, Kept, Stored};

/// What the cursor of a scan is sealed for, beside the collection: no list has such a name.
const SCOPE: &str = "scan";

impl Documents {
    /// Reads a collection in order of id, as if the newest `lag` writes had not been made yet.
    pub(crate) fn scanned(&self, query: &ScanQuery, lag: usize) -> Result<Page> {
        check_scan(query)?;
        let ScanQuery { collection, limit, cursor } = query;
        let (limit, scope) = ((*limit).min(PAGE_ITEMS_MAX), [SCOPE, collection]);
        let after = cursor.as_ref().map(|cursor| self.seal.open("cursor", &scope, cursor));
        let after = after.transpose()?.unwrap_or_default();
        let kept = self.lock();
        let found = kept.found(collection, &after, limit + 1, (lag, self.time.now()));
        let last = found.keys().nth(limit.saturating_sub(1)).filter(|_| found.len() > limit);
        let next = last.map(|id| self.seal.close(&scope, id));
        let documents = found.iter().take(limit).map(|(id, stored)| stored.document(id));
        Ok(Page { documents: documents.collect(), next })
    }
}

impl Kept {
    /// The documents of `collection` whose ids follow `after`, the first `count` of them at least.
    fn found(
        &self,
        collection: &str,
        after: &str,
        count: usize,
        (lag, now): (usize, OffsetDateTime),
    ) -> BTreeMap<&str, &Stored> {
        let lagging = self.lagging(lag, now);
        let key = |id: &str| DocumentKey { collection: collection.to_owned(), id: id.to_owned() };
        let range = (Bound::Excluded(key(after)), Bound::Unbounded);
        let current = self.documents.range(range);
        let current = current.take_while(|(key, _)| key.collection == collection);
        let current = current.filter(|(key, _)| !lagging.contains_key(key)).take(count);
        let current = current.map(|(key, stored)| (key.id.as_str(), stored));
        let is_due = |key: &DocumentKey| key.collection == collection && key.id.as_str() > after;
        let earlier = lagging.iter().filter(|(key, _)| is_due(key));
        let earlier = earlier.filter_map(|(key, stored)| Some((key.id.as_str(), (*stored)?)));
        current.chain(earlier).collect()
    }
}
