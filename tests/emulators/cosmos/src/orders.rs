//! What a test orders: under `/-/`, where the service has nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};

use crate::Account;

/// How long a partition that splits answers nothing.
const SPLIT_LASTS: Duration = Duration::from_millis(50);

/// The orders.
pub(crate) fn routes() -> Router<Account> {
    Router::new()
        .route("/-/storms/{database}", get(met))
        .route("/-/storms/{database}/{seed}", post(storm))
        .route("/-/splits/{database}/{container}/{partition}", post(split))
}

/// Has it storm over a database from now on, as follows from the seed. 0 is calm.
async fn storm(
    State(account): State<Account>,
    Path((database, seed)): Path<(String, u64)>,
) -> StatusCode {
    account.storms.blow(database, seed);
    StatusCode::OK
}

/// What requests to a database met: a line for each kind, with how often.
async fn met(State(account): State<Account>, Path(database): Path<String>) -> String {
    let met: BTreeMap<&str, usize> = account.storms.met(&database);
    met.iter().map(|(kind, times)| format!("{kind} {times}\n")).collect()
}

/// Splits a partition of a container in two, and answers when that is done.
///
/// First each region has what was written: the numbers of the changes in both halves go on from
/// those of any one region, drawn by chance, and from one that is behind they are given twice, so
/// that the change feed passes over what is written next. The service's go on.
async fn split(
    State(account): State<Account>,
    Path((database, container, partition)): Path<(String, String, u32)>,
) -> StatusCode {
    let store = account.emulator.store();
    store.drain_pending_replications().await;
    store.split_partition(&database, &container, partition, SPLIT_LASTS);
    store.wait_for_split(&database, &container, partition).await;
    StatusCode::OK
}
