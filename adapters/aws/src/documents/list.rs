use skyfold::Result;
use skyfold::adapter::check_query;
use skyfold::limits::PAGE_ITEMS_MAX;
use skyfold::ports::{DocumentKey, ListQuery, Order, Page};
use skyfold::{Error, ErrorKind};

use super::Documents;
use super::item::{
    by_attribute, by_key, by_of, item_key, list_index, to_document, under_attribute, under_key,
};
use crate::SEAL;
use crate::errors::failed;
use crate::item::{Item, SORT, s, text};

/// Where in a list a document is: what it is listed by, and its id.
struct Place {
    by: String,
    id: String,
}

impl Documents {
    pub(crate) async fn page(&self, query: &ListQuery) -> Result<Page> {
        check_query(query)?;
        let limit = query.limit.min(PAGE_ITEMS_MAX);
        let order = format!("{:?}", query.order);
        let list = query.list.to_string();
        let scope = ["list", query.collection.as_str(), &list, &query.under, &order];
        let from = query.cursor.as_ref().map(|cursor| Place::open(&scope, cursor)).transpose()?;
        // One more than asked for says whether there is more.
        let asked = i32::try_from(limit + 1).unwrap_or(i32::MAX);
        let read = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(list_index(query.list))
            .key_condition_expression("#under = :under")
            .expression_attribute_names("#under", under_attribute(query.list))
            .expression_attribute_values(":under", s(under_key(&query.collection, &query.under)))
            .scan_index_forward(query.order == Order::Ascending)
            .limit(asked)
            .set_exclusive_start_key(from.map(|place| place.key(query)));
        let read = read.send().await.map_err(|error| failed(&self.what(), error))?;
        let items = read.items.unwrap_or_default();
        let shown = &items[..items.len().min(limit)];
        let last = match (shown.last(), read.last_evaluated_key) {
            (Some(last), more) if items.len() > limit || more.is_some() => Some(last.clone()),
            (_, more) => more,
        };
        let next = last.map(|last| Place::of(&last, query.list)).transpose()?;
        let now = self.clock.now();
        let documents = shown.iter().map(|item| to_document(item, now));
        let documents = documents.filter_map(Result::transpose).collect::<Result<_>>()?;
        Ok(Page { documents, next: next.map(|place| place.close(&scope)) })
    }
}

impl Place {
    /// The place of `item` in `list`.
    fn of(item: &Item, list: usize) -> Result<Self> {
        let by = by_of(text(item, &by_attribute(list))?).to_owned();
        Ok(Self { by, id: text(item, SORT)?.to_owned() })
    }

    /// The key of the item at this place of what `query` asks for.
    fn key(&self, query: &ListQuery) -> Item {
        let (collection, id) = (query.collection.clone(), self.id.clone());
        let mut key = item_key(&DocumentKey { collection, id });
        let under = under_key(&query.collection, &query.under);
        key.insert(under_attribute(query.list), s(under));
        key.insert(by_attribute(query.list), s(by_key(&self.by, &self.id)));
        key
    }

    fn close(&self, scope: &[&str]) -> String {
        SEAL.close(scope, &format!("{}\n{}", self.by, self.id))
    }

    fn open(scope: &[&str], cursor: &str) -> Result<Self> {
        let text = SEAL.open("cursor", scope, cursor)?;
        let place = text.split_once('\n');
        let place = place.map(|(by, id)| Self { by: by.to_owned(), id: id.to_owned() });
        place.ok_or_else(|| Error::new(ErrorKind::Invalid, format!("the cursor holds {text:?}")))
    }
}
