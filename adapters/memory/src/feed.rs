use async_trait::async_trait;
use skyfold::adapter::{asked_for, check_slice};
use skyfold::limits::PAGE_ITEMS_MAX;
use skyfold::ports::{EventFeed, FeedPage, FeedQuery, Position};
use skyfold::{Error, ErrorKind, RecordedCommit, Result};

use crate::store::{SLICES, Store};

impl Store {
    /// Looks at one page of the slice, and returns what matches: that may be nothing before the
    /// tail is reached.
    pub(crate) fn feed_page(
        &self,
        slice: u16,
        query: &FeedQuery,
        from: Option<&Position>,
    ) -> Result<FeedPage> {
        let start = self.index(slice, from)?;
        let (items, total) = self.items(slice, start, PAGE_ITEMS_MAX);
        let end = start + items.len();
        let (commits, unreadable) = asked_for(items.iter().map(|item| item.found()), query);
        let next = self.position(slice, end);
        Ok(FeedPage { commits, unreadable, next, is_tail: end >= total })
    }

    pub(crate) fn latest_commits(&self, limit: usize) -> Vec<RecordedCommit> {
        let newest = self.newest(limit.min(PAGE_ITEMS_MAX));
        newest.iter().filter_map(|item| item.found().ok()).collect()
    }

    /// How many commits the feed holds from the position `from` of `slice` on.
    pub(crate) fn left(&self, slice: u16, from: Option<&Position>) -> Result<usize> {
        let start = self.index(slice, from)?;
        Ok(self.items(slice, 0, 0).1.saturating_sub(start))
    }

    fn position(&self, slice: u16, index: usize) -> Position {
        Position(self.seal.close(&[&slice.to_string()], &index.to_string()))
    }

    /// Where to read on in `slice`.
    fn index(&self, slice: u16, from: Option<&Position>) -> Result<usize> {
        check_slice(slice, SLICES)?;
        let Some(Position(text)) = from else { return Ok(0) };
        let index = self.seal.open("position", &[&slice.to_string()], text)?;
        index.parse().map_err(|error| {
            let message = format!("the position {text:?} holds no number");
            Error::new(ErrorKind::Invalid, message).with_source(error)
        })
    }
}

#[async_trait]
impl EventFeed for Store {
    fn slices(&self) -> u16 {
        SLICES
    }

    async fn read(
        &self,
        slice: u16,
        query: &FeedQuery,
        from: Option<&Position>,
    ) -> Result<FeedPage> {
        self.feed_page(slice, query, from)
    }

    async fn latest(&self, limit: usize) -> Result<Vec<RecordedCommit>> {
        Ok(self.latest_commits(limit))
    }
}
