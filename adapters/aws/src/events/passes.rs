//! The feed from the table itself: pass after pass, each over what was appended since the last.
//!
//! A scan goes by the hash of the stream, not by time, so that what comes meanwhile may come behind
//! it. A pass therefore shows what was placed between the end of the pass before it and the time
//! when it began, and nothing else.

use skyfold::adapter::{asked_for, feed_settled, sort_newest_first};
use skyfold::limits::PAGE_ITEMS_MAX;
use skyfold::ports::{FeedPage, FeedQuery, Position};
use skyfold::{Error, ErrorKind, RecordedCommit, Result};

use super::Events;
use super::item::{SLICES, found};
use crate::SEAL;
use crate::errors::failed;
use crate::item::{Item, PARTITION, SORT, key, s, text};

/// Before every place, and after every place.
const ENDS: (&str, &str) = ("0", "9");

/// A pass over a segment of the table.
struct Pass {
    since: String,
    until: String,
    /// The key of the last item seen; `None` once it has ended.
    at: Option<(String, String)>,
}

/// Part of a segment.
struct Segment {
    items: Vec<Item>,
    /// Where to read on, if it has not ended.
    next: Option<(String, String)>,
}

impl Events {
    /// The page of the segment `slice` that follows `from`.
    pub(super) async fn passed(
        &self,
        slice: u16,
        query: &FeedQuery,
        from: Option<&Position>,
    ) -> Result<FeedPage> {
        let settled = feed_settled(self.clock.now());
        let pass = match from.map(|from| Pass::open(slice, from)).transpose()? {
            None => Pass { since: ENDS.0.to_owned(), until: settled, at: None },
            Some(Pass { until, at: None, .. }) => {
                Pass { until: settled.max(until.clone()), since: until, at: None }
            }
            Some(pass) => pass,
        };
        if pass.since >= pass.until {
            let (commits, unreadable, next) = (vec![], vec![], pass.close(slice));
            return Ok(FeedPage { commits, unreadable, next, is_tail: true });
        }
        let Segment { items, next } = self.segment(slice, &pass).await?;
        let (commits, unreadable) = asked_for(items.iter().map(found), query);
        let (is_tail, next) = (next.is_none(), Pass { at: next, ..pass }.close(slice));
        Ok(FeedPage { commits, unreadable, next, is_tail })
    }

    /// The newest commits of the segment `slice`, settled or not.
    pub(super) async fn latest_scanned(
        &self,
        slice: u16,
        limit: usize,
    ) -> Result<Vec<RecordedCommit>> {
        let (mut newest, (since, until)) = (vec![], ENDS);
        let mut pass = Pass { since: since.to_owned(), until: until.to_owned(), at: None };
        loop {
            let Segment { items, next } = self.segment(slice, &pass).await?;
            newest.extend(items.iter().filter_map(|item| found(item).ok()));
            sort_newest_first(&mut newest);
            newest.truncate(limit);
            if next.is_none() {
                return Ok(newest);
            }
            pass.at = next;
        }
    }

    async fn segment(&self, slice: u16, pass: &Pass) -> Result<Segment> {
        let read = self
            .client
            .scan()
            .table_name(&self.table)
            .total_segments(SLICES.into())
            .segment(slice.into())
            // Snapshots have no place, and so are left out.
            .filter_expression("T >= :since AND T < :until")
            .expression_attribute_values(":since", s(&pass.since))
            .expression_attribute_values(":until", s(&pass.until))
            .limit(i32::try_from(PAGE_ITEMS_MAX).unwrap_or(i32::MAX))
            .set_exclusive_start_key(pass.at.as_ref().map(|(stream, sort)| key(stream, sort)));
        let read = read.send().await.map_err(|error| failed(&self.what(), error))?;
        let place =
            |item: &Item| Ok((text(item, PARTITION)?.to_owned(), text(item, SORT)?.to_owned()));
        let next = read.last_evaluated_key.as_ref().map(place).transpose()?;
        Ok(Segment { items: read.items.unwrap_or_default(), next })
    }
}

impl Pass {
    fn close(&self, slice: u16) -> Position {
        let (stream, sort) = self.at.clone().unwrap_or_default();
        let content = format!("{}\n{}\n{stream}\n{sort}", self.since, self.until);
        Position(SEAL.close(&["passes", &slice.to_string()], &content))
    }

    fn open(slice: u16, Position(text): &Position) -> Result<Self> {
        let content = SEAL.open("position", &["passes", &slice.to_string()], text)?;
        let parts: Vec<_> = content.split('\n').map(str::to_owned).collect();
        let Ok([since, until, stream, sort]) = <[String; 4]>::try_from(parts) else {
            let message = format!("the position holds {content:?}");
            return Err(Error::new(ErrorKind::Invalid, message));
        };
        let at = Some((stream, sort)).filter(|(stream, _)| !stream.is_empty());
        Ok(Self { since, until, at })
    }
}
