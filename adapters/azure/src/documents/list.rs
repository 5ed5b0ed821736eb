use skyfold::Result;
use skyfold::adapter::check_query;
use skyfold::limits::PAGE_ITEMS_MAX;
use skyfold::ports::{Consistency, ListQuery, Order, Page};

use super::Documents;
use super::item::{Item, entries, list_field};
use crate::SEAL;
use crate::cosmos::{Reach, Rows, Select};

impl Documents {
    /// Reads a list: a query over all partitions, in the order of an index.
    pub(super) async fn page(&self, query: &ListQuery) -> Result<Page> {
        check_query(query)?;
        let limit = query.limit.min(PAGE_ITEMS_MAX);
        let (order, list) = (format!("{:?}", query.order), query.list.to_string());
        let scope = ["list", query.collection.as_str(), &list, &query.under, &order];
        let reached = query.cursor.as_ref().map(|cursor| SEAL.open("cursor", &scope, cursor));
        let (mut from, mut until) = entries(&query.collection, &query.under);
        let (bound, direction) = match query.order {
            Order::Ascending => (&mut from, ""),
            Order::Descending => (&mut until, " DESC"),
        };
        if let Some(entry) = reached.transpose()? {
            *bound = entry;
        }
        let field = list_field(query.list);
        let select = Select {
            reach: Reach::All,
            rest: &format!(
                "WHERE c.{field} > @p0 AND c.{field} < @p1 ORDER BY c.{field}{direction}"
            ),
            values: &[&from, &until],
            // One more than asked for says whether there is more.
            limit: limit + 1,
            consistency: Consistency::Eventual,
        };
        let Rows { mut items, .. } = self.container.query::<Item>(select).await?;
        let has_more = items.len() > limit;
        items.truncate(limit);
        let last = items.last().filter(|_| has_more).and_then(|item| item.entry(query.list));
        let next = last.map(|entry| SEAL.close(&scope, entry));
        let now = self.clock.now();
        let documents = items.into_iter().map(|item| item.into_document(now));
        let documents = documents.filter_map(Result::transpose).collect::<Result<_>>()?;
        Ok(Page { documents, next })
    }
}
