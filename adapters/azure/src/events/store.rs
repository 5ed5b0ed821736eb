use async_trait::async_trait;
use serde_json::Value;
use skyfold::adapter::{encode, overtaken, sort_key, time_key, unguarded, until_unreadable};
use skyfold::limits::PAGE_ITEMS_MAX;
use skyfold::ports::{Consistency, EventStore, Pricing, Range, Slice, Snapshot};
use skyfold::{Commit, Head, Result, StreamName, Version};

use super::Events;
use super::item::{
    CommitItem, SNAPSHOT, SnapshotItem, of_snapshot, read_commit, snapshot_partition, to_snapshot,
};
use crate::cosmos::{Reach, Rows, Select};

/// What a commit costs ("Request Units in Azure Cosmos DB", and the model of charges of Microsoft's
/// emulator): some 5 units for each KB; a read is a unit for each KB.
const PRICING: Pricing = Pricing {
    write_unit_bytes: 1024,
    // Names and values of the fields, and what quotes in the text of the commit take, for a
    // stream's name of up to 43 bytes, such as a category of six letters and a UUID.
    item_overhead_bytes: 256,
    read_bytes_per_write_unit: 5 * 1024,
    state_bytes_max: 16 * 1024,
};

#[async_trait]
impl EventStore for Events {
    fn pricing(&self) -> Pricing {
        PRICING
    }

    async fn append(&self, expected: &Head, commit: &Commit) -> Result<()> {
        let (stream, first) = (expected.stream(), expected.version().next());
        let item = CommitItem {
            id: sort_key(first),
            stream: stream.as_str().to_owned(),
            body: encode(&format!("the commit {stream}@{first}"), commit)?,
            at: time_key(commit.time(), first),
        };
        let create = self.commits.create(stream.as_str(), &item.id, &item).await;
        create.map(|_| ()).map_err(|error| overtaken(expected, error))
    }

    async fn read(
        &self,
        stream: &StreamName,
        range: Range,
        limit: usize,
        consistency: Consistency,
    ) -> Result<Slice> {
        let limit = limit.min(PAGE_ITEMS_MAX);
        let (rest, bound) = match range {
            Range::After(after) => ("WHERE c.id > @p0 ORDER BY c.id", after),
            Range::Before(before) => ("WHERE c.id < @p0 ORDER BY c.id DESC", before),
        };
        let select = Select {
            reach: Reach::Partition(stream.as_str()),
            rest,
            values: &[&sort_key(bound)],
            limit,
            consistency,
        };
        let Rows { items, is_end } = self.commits.query::<Value>(select).await?;
        let mut slice = until_unreadable(items.iter().map(read_commit), is_end)?;
        slice.is_end |= match range {
            // Asking for one more would cost units each time, and a stream begins at 1.
            Range::Before(_) => {
                slice.commits.last().is_some_and(|c| c.first == Version::EMPTY.next())
            }
            Range::After(_) => false,
        };
        Ok(slice)
    }

    async fn snapshot(&self, stream: &StreamName) -> Result<Option<Snapshot>> {
        let (partition, eventual) = (snapshot_partition(stream), Consistency::Eventual);
        let found = self.snapshots.read::<SnapshotItem>(&partition, SNAPSHOT, eventual).await?;
        found.map(|item| to_snapshot(stream, &item)).transpose()
    }

    async fn save_snapshot(&self, stream: &StreamName, snapshot: &Snapshot) -> Result<()> {
        // An older one that comes late takes the place of a newer one: a load then reads some
        // commits more. Finding out would cost a read each time.
        let item = of_snapshot(stream, snapshot)?;
        let saved = self.snapshots.upsert(&item.partition, &item.id, &item).await;
        saved.map_err(unguarded)?;
        Ok(())
    }
}
