//! A container of Cosmos DB, and what every request to one has: a time after which it has failed,
//! nobody below that makes it again, and what it was charged as part of its span.

mod charges;
mod ids;
mod queries;

use std::fmt;
use std::time::Duration;

use azure_data_cosmos::models::ItemResponse;
use azure_data_cosmos::options::{
    ItemReadOptions, ItemWriteOptions, OperationOptions, Precondition, ReadConsistencyStrategy,
    ThrottlingRetryOptions,
};
use azure_data_cosmos::{ContainerClient, CosmosError, DatabaseClient};
use serde::Serialize;
use serde::de::DeserializeOwned;
use skyfold::ports::Consistency;
use skyfold::{Error, ErrorKind, Result};

pub(crate) use ids::encode_id;
pub(crate) use queries::{Changes, Reach, Rows, Select};

use crate::errors::failed;

/// How long a request may take that is answered within milliseconds, or not at all.
const REQUEST_MAX: Duration = Duration::from_secs(5);

/// A container of Cosmos DB.
#[derive(Clone)]
pub(crate) struct Container {
    client: ContainerClient,
    name: String,
}

impl fmt::Debug for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Container").field(&self.name).finish()
    }
}

impl Container {
    /// The container `name` of `database`, of which it asks how it is partitioned.
    pub(crate) async fn open(database: &DatabaseClient, name: &str) -> Result<Self> {
        let client = database.container_client(name.to_owned(), None).await;
        let client = client.map_err(|error| failed(&what(name), error))?;
        Ok(Self { client, name: name.to_owned() })
    }

    /// Makes the item `id`, unless there is one, and returns its etag.
    pub(crate) async fn create<T: Serialize + Sync>(
        &self,
        partition: &str,
        id: &str,
        item: &T,
    ) -> Result<String> {
        let options = Some(writing(None));
        let create = self.client.create_item(partition.to_owned(), id, item, options);
        self.etag(charges::item("create_item", &self.name, create).await)
    }

    /// Makes the item `id`, or puts it in the place of the one that there is.
    pub(crate) async fn upsert<T: Serialize + Sync>(
        &self,
        partition: &str,
        id: &str,
        item: &T,
    ) -> Result<String> {
        let options = Some(writing(None));
        let upsert = self.client.upsert_item(partition.to_owned(), id, item, options);
        self.etag(charges::item("upsert_item", &self.name, upsert).await)
    }

    /// Puts `item` in the place of the item `id`, if that has the etag `at`.
    pub(crate) async fn replace<T: Serialize + Sync>(
        &self,
        partition: &str,
        id: &str,
        at: &str,
        item: &T,
    ) -> Result<String> {
        let options = Some(writing(Some(at)));
        let replace = self.client.replace_item(partition.to_owned(), id, item, options);
        let replaced = charges::item("replace_item", &self.name, replace).await;
        self.etag(replaced).map_err(if_gone)
    }

    /// Deletes the item `id`, if it has the etag `at`, where one is named. Says whether there was
    /// one.
    pub(crate) async fn delete(&self, partition: &str, id: &str, at: Option<&str>) -> Result<bool> {
        let delete = self.client.delete_item(partition.to_owned(), id, Some(writing(at)));
        match charges::item("delete_item", &self.name, delete).await {
            Ok(_) => Ok(true),
            Err(error) if error.status().is_not_found() => Ok(false),
            Err(error) => Err(self.failed(error)),
        }
    }

    /// The item `id`, if there is one.
    pub(crate) async fn read<T: DeserializeOwned>(
        &self,
        partition: &str,
        id: &str,
        consistency: Consistency,
    ) -> Result<Option<T>> {
        let options = ItemReadOptions::default().with_operation_options(reading(consistency));
        let read = self.client.read_item(partition.to_owned(), id, Some(options));
        match charges::item("read_item", &self.name, read).await {
            Ok(found) => found.into_model().map(Some).map_err(|error| self.failed(error)),
            Err(error) if error.status().is_not_found() => Ok(None),
            Err(error) => Err(self.failed(error)),
        }
    }

    fn etag(&self, written: Result<ItemResponse, CosmosError>) -> Result<String> {
        let written = written.map_err(|error| self.failed(error))?;
        let etag = written.headers().etag().map(ToString::to_string);
        etag.ok_or_else(|| {
            let message = format!("{}: the answer names no etag", what(&self.name));
            Error::new(ErrorKind::Unavailable, message)
        })
    }

    fn failed(&self, error: CosmosError) -> Error {
        failed(&what(&self.name), error)
    }
}

/// What an error is about.
fn what(name: &str) -> String {
    format!("the container {name}")
}

/// An item that was to have some etag and is gone has another one.
fn if_gone(error: Error) -> Error {
    match error.kind() {
        ErrorKind::NotFound => Error::new(ErrorKind::Conflict, error.message()).with_source(error),
        _ => error,
    }
}

/// What every operation has. Core makes requests again, and knows when that is safe: the SDK must
/// not.
fn operation() -> OperationOptions {
    let mut throttling = ThrottlingRetryOptions::default();
    throttling.max_retry_count = Some(0);
    let mut options = OperationOptions::default();
    options.end_to_end_latency_policy = Some(REQUEST_MAX.into());
    options.hedging_enabled = Some(false);
    options.max_failover_retry_count = Some(0);
    options.max_session_retry_count = Some(0);
    // A region in which something failed is asked again: another one is behind it.
    options.endpoint_unavailability_ttl = Some(Duration::ZERO);
    options.throttling_retry_options = Some(throttling);
    options
}

fn writing(at: Option<&str>) -> ItemWriteOptions {
    let options = ItemWriteOptions::default().with_operation_options(operation());
    match at {
        Some(etag) => options.with_precondition(Precondition::if_match(etag.to_owned())),
        None => options,
    }
}

/// A strong read asks a quorum of the region's replicas, at twice the charge; another one asks one
/// of them, which may be behind, though not behind what this process has written ("Consistency
/// levels in Azure Cosmos DB").
fn reading(consistency: Consistency) -> OperationOptions {
    let mut options = operation();
    options.read_consistency_strategy = Some(match consistency {
        Consistency::Strong => ReadConsistencyStrategy::LatestCommitted,
        Consistency::Eventual => ReadConsistencyStrategy::Session,
    });
    options
}
