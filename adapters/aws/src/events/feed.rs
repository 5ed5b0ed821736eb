use async_trait::async_trait;
use skyfold::limits::PAGE_ITEMS_MAX;
use skyfold::ports::{EventFeed, FeedPage, FeedQuery, Position};
use skyfold::{Error, ErrorKind, RecordedCommit, Result};

use super::item::{SLICES, to_commit};
use super::{Events, Feed};
use crate::item::Item;

impl Events {
    /// The commits among `items` that `query` asks for.
    pub(crate) fn matching(items: &[Item], query: &FeedQuery) -> Result<Vec<RecordedCommit>> {
        let commits = items.iter().map(to_commit);
        commits.filter(|commit| commit.as_ref().map_or(true, |c| query.matches(c))).collect()
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
        if slice >= SLICES {
            let message = format!("there is no slice {slice}, only 0 to {}", SLICES - 1);
            return Err(Error::new(ErrorKind::Invalid, message));
        }
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

/// Brings `commits` in the order of their times, and those of one time in that of their versions.
pub(crate) fn sort_newest_first(commits: &mut [RecordedCommit]) {
    commits.sort_by_key(|commit| std::cmp::Reverse((commit.commit.time(), commit.first)));
}
