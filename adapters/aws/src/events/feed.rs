use async_trait::async_trait;
use skyfold::adapter::{check_slice, sort_newest_first};
use skyfold::limits::PAGE_ITEMS_MAX;
use skyfold::ports::{EventFeed, FeedPage, FeedQuery, Position};
use skyfold::{RecordedCommit, Result};

use super::item::SLICES;
use super::{Events, Feed};

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
        match self.feed {
            Feed::Index => self.indexed(slice, query, from).await,
            Feed::Scan => self.passed(slice, query, from).await,
        }
    }

    async fn latest(&self, limit: usize) -> Result<Vec<RecordedCommit>> {
        let limit = limit.min(PAGE_ITEMS_MAX);
        let mut newest = vec![];
        for slice in 0..SLICES {
            match self.feed {
                Feed::Index => newest.extend(self.latest_indexed(slice, limit).await?),
                Feed::Scan => newest.extend(self.latest_scanned(slice, limit).await?),
            }
        }
        sort_newest_first(&mut newest);
        newest.truncate(limit);
        Ok(newest)
    }
}
