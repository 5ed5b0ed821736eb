use async_trait::async_trait;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use skyfold::adapter::{encode, feed_place, overtaken, slice_of, sort_key, until_unreadable};
use skyfold::limits::PAGE_ITEMS_MAX;
use skyfold::ports::{Consistency, EventStore, Pricing, Range, Slice, Snapshot};
use skyfold::{Commit, ErrorKind, Head, Result, StreamName, Version};

use super::item::{REFLECTS, SLICES, SNAPSHOT, of_commit, of_snapshot, to_commit, to_snapshot};
use super::{Events, Feed};
use crate::errors::failed;
use crate::item::{PARTITION, key, n, s};

/// What a commit costs ("Read and write operations" and "On-demand capacity mode"): a write unit
/// for each KB; a read unit costs a fifth of a write unit, and an eventually consistent one reads
/// 8 KB.
const PRICING: Pricing = Pricing {
    write_unit_bytes: 1024,
    // Names and values of the keys, of the place and of the slice, for a stream's name of up to 43
    // bytes, such as a category of six letters and a UUID.
    item_overhead_bytes: 128,
    read_bytes_per_write_unit: 40_960,
    state_bytes_max: 16 * 1024,
};

impl Events {
    /// The query for a part of `stream`; `None` if no commit could be in it.
    fn part(&self, stream: &StreamName, range: Range) -> Option<QueryFluentBuilder> {
        let query = self.client.query().table_name(&self.table);
        let query = query.expression_attribute_values(":stream", s(stream.as_str()));
        match range {
            Range::After(Version(after)) => {
                let from = after.checked_add(1)?;
                let query = query
                    .key_condition_expression("PK = :stream AND SK BETWEEN :from AND :last")
                    .expression_attribute_values(":from", s(sort_key(Version(from))))
                    .expression_attribute_values(":last", s(sort_key(Version(u64::MAX))));
                Some(query.scan_index_forward(true))
            }
            Range::Before(before) => {
                let query = query
                    .key_condition_expression("PK = :stream AND SK < :before")
                    .expression_attribute_values(":before", s(sort_key(before)));
                Some(query.scan_index_forward(false))
            }
        }
    }
}

#[async_trait]
impl EventStore for Events {
    fn pricing(&self) -> Pricing {
        PRICING
    }

    async fn append(&self, expected: &Head, commit: &Commit) -> Result<()> {
        let (stream, first) = (expected.stream(), expected.version().next());
        let body = encode(&format!("the commit {stream}@{first}"), commit)?;
        let at = feed_place(commit.time(), self.clock.now(), first);
        let slice = (self.feed == Feed::Index).then(|| slice_of(stream, SLICES));
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(of_commit(stream, first, &body, at, slice)))
            .condition_expression("attribute_not_exists(PK)");
        let put = put.send().await.map_err(|error| failed(&self.what(), error));
        put.map(|_| ()).map_err(|error| overtaken(expected, error))
    }

    async fn read(
        &self,
        stream: &StreamName,
        range: Range,
        limit: usize,
        consistency: Consistency,
    ) -> Result<Slice> {
        let limit = limit.min(PAGE_ITEMS_MAX);
        let Some(query) = self.part(stream, range) else {
            return Ok(Slice { commits: vec![], is_end: true });
        };
        let query = query
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .consistent_read(consistency == Consistency::Strong);
        let mut from = None;
        loop {
            let read = query.clone().set_exclusive_start_key(from).send().await;
            let read = read.map_err(|error| failed(&self.what(), error))?;
            let is_end = read.last_evaluated_key.is_none();
            let items = read.items.unwrap_or_default();
            if items.is_empty() && !is_end {
                // A page may end before its first item.
                from = read.last_evaluated_key;
                continue;
            }
            return until_unreadable(items.iter().map(to_commit), is_end);
        }
    }

    async fn snapshot(&self, stream: &StreamName) -> Result<Option<Snapshot>> {
        let get = self.client.get_item().table_name(&self.table);
        let get = get.set_key(Some(key(stream.as_str(), SNAPSHOT))).send().await;
        let item = get.map_err(|error| failed(&self.what(), error))?.item;
        item.map(|item| to_snapshot(stream, &item)).transpose()
    }

    async fn save_snapshot(&self, stream: &StreamName, snapshot: &Snapshot) -> Result<()> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(of_snapshot(stream, snapshot)?))
            .condition_expression("attribute_not_exists(#pk) OR #reflects <= :version")
            .expression_attribute_names("#pk", PARTITION)
            .expression_attribute_names("#reflects", REFLECTS)
            .expression_attribute_values(":version", n(snapshot.version.0));
        match put.send().await {
            Ok(_) => Ok(()),
            Err(error) => {
                let error = failed(&self.what(), error);
                // A newer one is there.
                if error.kind() == ErrorKind::Conflict { Ok(()) } else { Err(error) }
            }
        }
    }
}
