//! The feed, from the index of all commits by slice and time.

use async_trait::async_trait;
use futures::future::try_join_all;
use skyfold::adapter::{asked_for, check_slice, feed_settled, sort_newest_first};
use skyfold::limits::PAGE_ITEMS_MAX;
use skyfold::ports::{EventFeed, FeedPage, FeedQuery, Position};
use skyfold::{Error, ErrorKind, RecordedCommit, Result};

use super::Events;
use super::item::{COMMITS, PLACE, SLICES, found, in_slice};
use crate::SEAL;
use crate::firestore::{Direction, Document, Scope, Select, text};

/// After every place of a slice: places are digits.
const END: &str = ":";

/// Where a reader is: at this place, of the document of this path.
struct Place {
    at: String,
    path: String,
}

impl Events {
    /// The documents of `slice` with places before `until`.
    async fn placed(
        &self,
        slice: u16,
        direction: Direction,
        until: &str,
        after: Option<&Place>,
        limit: usize,
    ) -> Result<Vec<Document>> {
        let query = Select {
            collection: COMMITS,
            scope: Scope::Group,
            field: Some(PLACE),
            direction,
            from: Some(in_slice(slice, "")),
            until: Some(in_slice(slice, until)),
            after: after.map(|place| (Some(place.at.clone()), self.database.at(&place.path))),
            limit,
        };
        self.database.query(None, query.build()).await
    }
}

#[async_trait]
impl EventFeed for Events {
    fn slices(&self) -> u16 {
        SLICES
    }

    async fn read(
        &self,
        slice: u16,
        query: &FeedQuery,
        from: Option<&Position>,
    ) -> Result<FeedPage> {
        check_slice(slice, SLICES)?;
        let after = from.map(|from| Place::open(slice, from)).transpose()?.flatten();
        let settled = feed_settled(self.clock.now());
        if after.as_ref().is_some_and(|after| after.at >= in_slice(slice, &settled)) {
            // The clock went back. No query may begin after its end.
            let next = Place::close(slice, after.as_ref());
            return Ok(FeedPage { commits: vec![], unreadable: vec![], next, is_tail: true });
        }
        let ascending = Direction::Ascending;
        let items = self.placed(slice, ascending, &settled, after.as_ref(), PAGE_ITEMS_MAX).await?;
        let reached = items.last().map(Place::of).transpose()?.or(after);
        let is_tail = items.len() < PAGE_ITEMS_MAX;
        let (commits, unreadable) = asked_for(items.iter().map(found), query);
        let next = Place::close(slice, reached.as_ref());
        Ok(FeedPage { commits, unreadable, next, is_tail })
    }

    async fn latest(&self, limit: usize) -> Result<Vec<RecordedCommit>> {
        let limit = limit.min(PAGE_ITEMS_MAX);
        let descending = Direction::Descending;
        let slices = (0..SLICES).map(|slice| self.placed(slice, descending, END, None, limit));
        let pages = try_join_all(slices).await?;
        let mut newest: Vec<_> =
            pages.iter().flatten().filter_map(|item| found(item).ok()).collect();
        sort_newest_first(&mut newest);
        newest.truncate(limit);
        Ok(newest)
    }
}

impl Place {
    fn of(document: &Document) -> Result<Self> {
        let path = document.name.split_once("/documents/").map_or("", |(_, path)| path).to_owned();
        Ok(Self { at: text(document, PLACE)?.to_owned(), path })
    }

    /// A place in `slice` as text; `None` is the beginning.
    fn close(slice: u16, place: Option<&Self>) -> Position {
        let content = place.map(|place| format!("{}\n{}", place.at, place.path));
        Position(SEAL.close(&["feed", &slice.to_string()], &content.unwrap_or_default()))
    }

    fn open(slice: u16, Position(text): &Position) -> Result<Option<Self>> {
        let content = SEAL.open("position", &["feed", &slice.to_string()], text)?;
        if content.is_empty() {
            return Ok(None);
        }
        let Some((at, path)) = content.split_once('\n') else {
            let message = format!("the position holds {content:?}");
            return Err(Error::new(ErrorKind::Invalid, message));
        };
        Ok(Some(Self { at: at.to_owned(), path: path.to_owned() }))
    }
}
