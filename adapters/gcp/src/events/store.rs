use async_trait::async_trait;
use skyfold::adapter::{
    encode, feed_place, overtaken, slice_of, sort_key, unguarded, until_unreadable,
};
use skyfold::limits::PAGE_ITEMS_MAX;
use skyfold::ports::{Consistency, EventStore, Pricing, Range, Slice, Snapshot};
use skyfold::{Commit, Head, Result, StreamName, Version};

use super::Events;
use super::item::{
    COMMITS, SLICES, VERSION, commit_path, in_slice, of_commit, of_snapshot, stream_path,
    to_commit, to_snapshot,
};
use crate::firestore::{Direction, Scope, Select, create, replace};

/// What a commit costs: a write, and a read, whatever the size ("Understand Cloud Firestore
/// billing"). So a state rides along with every commit, up to a size that is not paid for a second
/// time in what it takes to store it: 16 KiB for a month cost as much as three writes.
const PRICING: Pricing = Pricing {
    write_unit_bytes: 0,
    // The name, the names and values of the fields, and what each document has besides, for a
    // stream's name of up to 43 bytes, such as a category of six letters and a UUID.
    item_overhead_bytes: 256,
    // Without write units nothing is weighed.
    read_bytes_per_write_unit: 0,
    state_bytes_max: 16 * 1024,
};

/// The query for a part of a stream; `None` if no commit could be in it.
fn part(range: Range, limit: usize) -> Option<Select<'static>> {
    let (direction, from, until) = match range {
        Range::After(Version(after)) => {
            (Direction::Ascending, Some(Version(after.checked_add(1)?)), None)
        }
        Range::Before(before) => (Direction::Descending, None, Some(before)),
    };
    Some(Select {
        collection: COMMITS,
        scope: Scope::Collection,
        field: Some(VERSION),
        direction,
        from: from.map(sort_key),
        until: until.map(sort_key),
        after: None,
        limit,
    })
}

#[async_trait]
impl EventStore for Events {
    fn pricing(&self) -> Pricing {
        PRICING
    }

    async fn append(&self, expected: &Head, commit: &Commit) -> Result<()> {
        let (stream, first) = (expected.stream(), expected.version().next());
        let body = encode(&format!("the commit {stream}@{first}"), commit)?;
        let place = feed_place(commit.time(), self.clock.now(), first);
        let fields = of_commit(first, body, in_slice(slice_of(stream, SLICES), &place));
        let write = create(self.database.at(&commit_path(stream, first)), fields);
        let commit = self.database.commit(write).await;
        commit.map(|_| ()).map_err(|error| overtaken(expected, error))
    }

    async fn read(
        &self,
        stream: &StreamName,
        range: Range,
        limit: usize,
        // Every read is strong, and costs the same.
        _: Consistency,
    ) -> Result<Slice> {
        let limit = limit.min(PAGE_ITEMS_MAX);
        let Some(query) = part(range, limit) else {
            return Ok(Slice { commits: vec![], is_end: true });
        };
        let found = self.database.query(Some(&stream_path(stream)), query.build()).await?;
        let mut slice = until_unreadable(found.iter().map(to_commit), found.len() < limit)?;
        slice.is_end |= match range {
            // Asking for one more would cost a read each time, and a stream begins at 1.
            Range::Before(_) => {
                slice.commits.last().is_some_and(|c| c.first == Version::EMPTY.next())
            }
            Range::After(_) => false,
        };
        Ok(slice)
    }

    async fn snapshot(&self, stream: &StreamName) -> Result<Option<Snapshot>> {
        let found = self.database.get(vec![self.database.at(&stream_path(stream))]).await?;
        found.first().map(|document| to_snapshot(stream, document)).transpose()
    }

    async fn save_snapshot(&self, stream: &StreamName, snapshot: &Snapshot) -> Result<()> {
        // An older one that comes late takes the place of a newer one: a load then reads some
        // commits more. Finding out would cost a read each time.
        let name = self.database.at(&stream_path(stream));
        let write = replace(name, of_snapshot(stream, snapshot)?);
        self.database.commit(write).await.map_err(unguarded)?;
        Ok(())
    }
}
