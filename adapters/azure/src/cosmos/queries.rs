//! Queries, and the change feed of a part of a container.

use std::num::NonZeroU32;

use azure_data_cosmos::Query;
use azure_data_cosmos::feed::{ContinuationToken, FeedRange, FeedScope};
use azure_data_cosmos::models::ChangeFeedItem;
use azure_data_cosmos::options::{
    ChangeFeedOptions, ChangeFeedStartFrom, MaxItemCountHint, QueryOptions,
};
use futures::StreamExt as _;
use serde::de::DeserializeOwned;
use skyfold::Result;
use skyfold::ports::Consistency;

use super::{Container, charges, operation, reading};

/// Where a query looks.
pub(crate) enum Reach<'a> {
    /// In one logical partition.
    Partition(&'a str),
    /// In all of them, which costs a request and some units for each physical one.
    All,
}

/// A query for at most `limit` items.
pub(crate) struct Select<'a> {
    pub(crate) reach: Reach<'a>,
    /// What follows `FROM c`, in which `@p0`, `@p1` and so on stand for `values`.
    pub(crate) rest: &'a str,
    pub(crate) values: &'a [&'a str],
    pub(crate) limit: usize,
    pub(crate) consistency: Consistency,
}

/// What a query found.
pub(crate) struct Rows<T> {
    pub(crate) items: Vec<T>,
    /// Whether it found no more than that, though more was asked for.
    pub(crate) is_end: bool,
}

/// Part of a change feed.
pub(crate) struct Changes<T> {
    pub(crate) items: Vec<T>,
    /// Where to read on.
    pub(crate) next: String,
}

impl Container {
    /// Reads what `select` asks for. An answer holds 4 MB, so that it may be less than the limit.
    pub(crate) async fn query<T>(&self, select: Select<'_>) -> Result<Rows<T>>
    where
        T: DeserializeOwned + Send + 'static,
    {
        let Select { reach, rest, values, limit, consistency } = select;
        let mut query = Query::from(format!("SELECT TOP {limit} * FROM c {rest}"));
        for (nth, value) in values.iter().enumerate() {
            let named = query.with_parameter(format!("@p{nth}"), value);
            query = named.map_err(|error| self.failed(error))?;
        }
        let scope = match reach {
            Reach::Partition(partition) => FeedScope::partition(partition.to_owned()),
            Reach::All => FeedScope::full_container(),
        };
        let options = QueryOptions::default()
            .with_operation_options(reading(consistency))
            .with_max_item_count(page(limit));
        let pages = self.client.query_items::<T>(query, scope, Some(options)).await;
        let mut pages = pages.map_err(|error| self.failed(error))?.into_pages();
        let mut items: Vec<T> = vec![];
        while items.len() < limit {
            let span = charges::span("query_items", &self.name);
            let page = match pages.next().await {
                None => return Ok(Rows { items, is_end: true }),
                Some(Ok(page)) => page,
                Some(Err(error)) => {
                    charges::charge_failed(&span, &error);
                    return Err(self.failed(error));
                }
            };
            charges::charge(&span, 200, page.headers());
            items.extend(page.into_items());
        }
        Ok(Rows { items, is_end: false })
    }

    /// Reads at most `limit` changes of `range`, from where `from` says, or the first of all.
    pub(crate) async fn changes<T>(
        &self,
        range: FeedRange,
        from: Option<String>,
        limit: usize,
    ) -> Result<Changes<T>>
    where
        T: Clone + DeserializeOwned + Send + 'static,
    {
        let mut options = ChangeFeedOptions::default()
            .with_operation_options(operation())
            .with_max_item_count(page(limit));
        if let Some(token) = from {
            options = options.with_continuation_token(ContinuationToken::from_string(token));
        }
        let (scope, start) = (FeedScope::range(range.clone()), ChangeFeedStartFrom::Beginning);
        let feed = self.client.query_change_feed::<T>(scope, start, Some(options)).await;
        let mut feed = feed.map_err(|error| self.failed(error))?;
        let mut partitions = None;
        let mut empty = 0;
        loop {
            let span = charges::span("query_change_feed", &self.name);
            let page = match feed.next().await {
                Some(Ok(page)) => page,
                Some(Err(error)) => {
                    charges::charge_failed(&span, &error);
                    return Err(self.failed(error));
                }
                None => break,
            };
            charges::charge(&span, if page.items().is_empty() { 304 } else { 200 }, page.headers());
            let current = |item: &ChangeFeedItem<T>| item.current().cloned();
            let items: Vec<T> = page.items().iter().filter_map(current).collect();
            let token = feed.to_continuation_token().map_err(|error| self.failed(error))?;
            if !items.is_empty() {
                return Ok(Changes { items, next: token.as_str().to_owned() });
            }
            // An empty page is of one physical partition: the end is as many of them in a row as
            // there are.
            empty += 1;
            let of = match partitions {
                Some(of) => of,
                None => *partitions.insert(self.partitions(&range).await?),
            };
            if empty >= of {
                return Ok(Changes { items, next: token.as_str().to_owned() });
            }
        }
        let token = feed.to_continuation_token().map_err(|error| self.failed(error))?;
        Ok(Changes { items: vec![], next: token.as_str().to_owned() })
    }

    /// How many physical partitions `range` is spread over, at least 1.
    async fn partitions(&self, range: &FeedRange) -> Result<usize> {
        let all = self.client.read_feed_ranges(None).await;
        let all = all.map_err(|error| self.failed(error))?;
        Ok(all.iter().filter(|part| part.overlaps(range)).count().max(1))
    }
}

fn page(limit: usize) -> MaxItemCountHint {
    let limit = u32::try_from(limit).ok().and_then(NonZeroU32::new);
    limit.map_or(MaxItemCountHint::ServerDecides, MaxItemCountHint::Limit)
}
