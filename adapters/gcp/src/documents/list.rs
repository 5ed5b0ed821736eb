use skyfold::adapter::check_query;
use skyfold::limits::PAGE_ITEMS_MAX;
use skyfold::ports::{DocumentKey, ListQuery, Order, Page};
use skyfold::{Error, ErrorKind, Result};

use super::Documents;
use super::item::{ITEMS, collection_path, entries, list_field, path, to_document};
use crate::SEAL;
use crate::firestore::{Direction, Document, Scope, Select, decode_id, text};

/// Where in a list a document is: its entry, and its id.
struct Place {
    entry: String,
    id: String,
}

impl Documents {
    pub(super) async fn page(&self, query: &ListQuery) -> Result<Page> {
        check_query(query)?;
        let limit = query.limit.min(PAGE_ITEMS_MAX);
        let (order, list) = (format!("{:?}", query.order), query.list.to_string());
        let scope = ["list", query.collection.as_str(), &list, &query.under, &order];
        let from = query.cursor.as_ref().map(|cursor| Place::open(&scope, cursor)).transpose()?;
        let (least, past) = entries(&query.under);
        let (collection, field) = (&query.collection, list_field(query.list));
        let select = Select {
            collection: ITEMS,
            scope: Scope::Collection,
            field: Some(&field),
            direction: match query.order {
                Order::Ascending => Direction::Ascending,
                Order::Descending => Direction::Descending,
            },
            from: Some(least),
            until: Some(past),
            after: from.map(|Place { entry, id }| {
                let key = DocumentKey { collection: collection.clone(), id };
                (Some(entry), self.database.at(&path(&key)))
            }),
            // One more than asked for says whether there is more.
            limit: limit + 1,
        };
        let found = self.database.query(Some(&collection_path(collection)), select.build()).await?;
        let shown = &found[..found.len().min(limit)];
        let last = shown.last().filter(|_| found.len() > limit);
        let next = last.map(|last| Place::of(last, &field)).transpose()?;
        let now = self.clock.now();
        let documents = shown.iter().map(|document| to_document(document, now));
        let documents = documents.filter_map(Result::transpose).collect::<Result<_>>()?;
        Ok(Page { documents, next: next.map(|place| place.close(&scope)) })
    }
}

impl Place {
    /// The place of `document` in the list of `field`.
    fn of(document: &Document, field: &str) -> Result<Self> {
        Ok(Self { entry: text(document, field)?.to_owned(), id: decode_id(&document.name)? })
    }

    fn close(&self, scope: &[&str]) -> String {
        SEAL.close(scope, &format!("{}\n{}", self.entry, self.id))
    }

    fn open(scope: &[&str], cursor: &str) -> Result<Self> {
        let text = SEAL.open("cursor", scope, cursor)?;
        // An id holds no line's end, an entry does.
        let place = text.rsplit_once('\n');
        let place = place.map(|(entry, id)| Self { entry: entry.to_owned(), id: id.to_owned() });
        place.ok_or_else(|| Error::new(ErrorKind::Invalid, format!("the cursor holds {text:?}")))
    }
}
