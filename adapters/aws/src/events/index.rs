//! The feed from the index by slice and time.

use skyfold::adapter::{asked_for, feed_settled};
use skyfold::limits::PAGE_ITEMS_MAX;
use skyfold::ports::{FeedPage, FeedQuery, Position};
use skyfold::{Error, ErrorKind, RecordedCommit, Result};

use super::item::{AT, SLICE, found};
use super::{Events, INDEX};
use crate::SEAL;
use crate::errors::failed;
use crate::item::{Item, PARTITION, SORT, key, s, text};

/// Where a reader is: at the item of this key, appended then.
struct Place {
    stream: String,
    sort: String,
    at: String,
}

impl Events {
    /// The page of `slice` that follows `from`.
    pub(super) async fn indexed(
        &self,
        slice: u16,
        query: &FeedQuery,
        from: Option<&Position>,
    ) -> Result<FeedPage> {
        let slice = slice.to_string();
        let after = from.map(|from| Place::open(&slice, from)).transpose()?.flatten();
        let settled = feed_settled(self.clock.now());
        if after.as_ref().is_some_and(|after| after.at >= settled) {
            // The clock went back. No query may begin after its end.
            let next = Place::close(&slice, after.as_ref());
            return Ok(FeedPage { commits: vec![], unreadable: vec![], next, is_tail: true });
        }
        let read = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(INDEX)
            .key_condition_expression("F = :slice AND T < :settled")
            .expression_attribute_values(":slice", s(&slice))
            .expression_attribute_values(":settled", s(settled))
            .limit(i32::try_from(PAGE_ITEMS_MAX).unwrap_or(i32::MAX))
            .set_exclusive_start_key(after.as_ref().map(|after| after.key(&slice)));
        let read = read.send().await.map_err(|error| failed(&self.what(), error))?;
        let items = read.items.unwrap_or_default();
        let is_tail = read.last_evaluated_key.is_none();
        let last = read.last_evaluated_key.as_ref().or(items.last());
        let reached = last.map(Place::of).transpose()?.or(after);
        let (commits, unreadable) = asked_for(items.iter().map(found), query);
        let next = Place::close(&slice, reached.as_ref());
        Ok(FeedPage { commits, unreadable, next, is_tail })
    }

    /// The newest commits of `slice`, settled or not.
    pub(super) async fn latest_indexed(
        &self,
        slice: u16,
        limit: usize,
    ) -> Result<Vec<RecordedCommit>> {
        let read = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(INDEX)
            .key_condition_expression("F = :slice")
            .expression_attribute_values(":slice", s(slice.to_string()))
            .scan_index_forward(false)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX));
        let read = read.send().await.map_err(|error| failed(&self.what(), error))?;
        Ok(read.items.unwrap_or_default().iter().filter_map(|item| found(item).ok()).collect())
    }
}

impl Place {
    fn of(item: &Item) -> Result<Self> {
        let part = |name| text(item, name).map(str::to_owned);
        Ok(Self { stream: part(PARTITION)?, sort: part(SORT)?, at: part(AT)? })
    }

    /// The key of the item, in the table and in the index.
    fn key(&self, slice: &str) -> Item {
        let mut key = key(&self.stream, &self.sort);
        key.insert(SLICE.to_owned(), s(slice));
        key.insert(AT.to_owned(), s(&self.at));
        key
    }

    /// A place in `slice` as text; `None` is the beginning.
    fn close(slice: &str, place: Option<&Self>) -> Position {
        let content = place.map(|place| format!("{}\n{}\n{}", place.stream, place.sort, place.at));
        Position(SEAL.close(&["feed", slice], &content.unwrap_or_default()))
    }

    fn open(slice: &str, Position(text): &Position) -> Result<Option<Self>> {
        let content = SEAL.open("position", &["feed", slice], text)?;
        if content.is_empty() {
            return Ok(None);
        }
        let parts: Vec<_> = content.split('\n').map(str::to_owned).collect();
        let Ok([stream, sort, at]) = <[String; 3]>::try_from(parts) else {
            let message = format!("the position holds {content:?}");
            return Err(Error::new(ErrorKind::Invalid, message));
        };
        Ok(Some(Self { stream, sort, at }))
    }
}
