//! The feed: the container's own change feed, which costs nothing to keep up, goes back to the
//! first commit, and brings those of one partition in their order ("Change feed in Azure Cosmos
//! DB"). A commit never changes, so that it is there once.

use async_trait::async_trait;
use azure_data_cosmos::feed::FeedRange;
use serde_json::{Value, json};
use skyfold::adapter::{asked_for, check_slice, sort_newest_first};
use skyfold::limits::PAGE_ITEMS_MAX;
use skyfold::ports::{Consistency, EventFeed, FeedPage, FeedQuery, Position};
use skyfold::{Error, ErrorKind, RecordedCommit, Result};

use super::Events;
use super::item::found;
use crate::SEAL;
use crate::cosmos::{Changes, Reach, Rows, Select};

/// How many slices there are: parts of the space of hashes by which the service itself spreads
/// partition keys, so that each is on as few physical partitions as can be. Never to be made fewer.
const SLICES: u16 = 16;

/// How many values the first byte of a hash has: its two highest bits are never set ("Partitioning
/// version 2").
const FIRST_BYTES: u16 = 64;

/// The hashes of the streams of `slice`.
fn hashes(slice: u16) -> Result<FeedRange> {
    let begin = |slice: u16| format!("{:02X}", slice * (FIRST_BYTES / SLICES));
    let min = if slice == 0 { String::new() } else { begin(slice) };
    let max = if slice + 1 == SLICES { "FF".to_owned() } else { begin(slice + 1) };
    let range = json!({
        "Range": { "min": min, "max": max, "isMinInclusive": true, "isMaxInclusive": false },
    });
    serde_json::from_value(range).map_err(|error| {
        Error::new(ErrorKind::Unexpected, format!("{slice} is no slice")).with_source(error)
    })
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
        let number = slice.to_string();
        let scope = ["feed", number.as_str()];
        let from = from.map(|Position(text)| SEAL.open("position", &scope, text)).transpose()?;
        let range = hashes(slice)?;
        let changes = self.commits.changes::<Value>(range, from, PAGE_ITEMS_MAX).await?;
        let Changes { items, next } = changes;
        let (commits, unreadable) = asked_for(items.iter().map(found), query);
        let next = Position(SEAL.close(&scope, &next));
        // What is there is there: only a page without any is the end.
        Ok(FeedPage { commits, unreadable, next, is_tail: items.is_empty() })
    }

    async fn latest(&self, limit: usize) -> Result<Vec<RecordedCommit>> {
        let select = Select {
            reach: Reach::All,
            rest: "ORDER BY c.t DESC",
            values: &[],
            limit: limit.min(PAGE_ITEMS_MAX),
            consistency: Consistency::Eventual,
        };
        let Rows { items, .. } = self.commits.query::<Value>(select).await?;
        let mut newest: Vec<_> = items.iter().filter_map(|item| found(item).ok()).collect();
        sort_newest_first(&mut newest);
        Ok(newest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slices_are_all_hashes_and_none_twice() {
        let ranges: Vec<_> = (0..SLICES).map(|slice| hashes(slice).unwrap()).collect();
        let bounds: Vec<_> = ranges
            .iter()
            .map(|range| (range.min_inclusive().to_hex(), range.max_exclusive().to_hex()))
            .collect();
        assert_eq!((&*bounds[0].0, &*bounds[15].1), ("", "FF"));
        assert_eq!((&*bounds[1].0, &*bounds[15].0), ("04", "3C"));
        assert!(bounds.windows(2).all(|pair| pair[0].1 == pair[1].0), "{bounds:?}");
    }
}
