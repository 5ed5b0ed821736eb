//! The ports of Skyfold on Cosmos DB, Event Grid and Queue Storage.
//!
//! ```no_run
//! use azure_data_cosmos::CosmosClient;
//! use skyfold_azure::{Access, Azure, Clients, Names};
//!
//! # async fn bind(app: skyfold::App, cosmos: CosmosClient, keys: CosmosClient, topic: Access,
//! # queue: Access) -> skyfold::Result<()> {
//! let names = Names {
//!     database: "order".into(),
//!     events: "events".into(),
//!     documents: "documents".into(),
//!     keys: "keys".into(),
//!     topic: "https://order.westeurope-1.eventgrid.azure.net/api/events".into(),
//!     queue: "https://order.queue.core.windows.net/commands".into(),
//! };
//! let clients = Clients { cosmos, keys, http: Clients::http()?, topic, queue };
//! let azure = Azure::open(clients, names).await?;
//! let runtime = app.bind(azure.ports())?;
//! # Ok(())
//! # }
//! ```
//!
//! The clients are arguments, so that region, credentials, endpoint and TLS are the application's
//! choice. The feature `environment` adds `Azure::from_environment`, for a function that takes them
//! from where it runs, and `functions` the app as a custom handler of Azure Functions, and
//! `container-apps` the same as a program of Container Apps.
//!
//! # What is kept where
//!
//! - events, a commit: `s` its stream, which is the partition key, `id` the version of its first
//!   event in 20 digits, `b` the commit, `t` when it was recorded;
//! - documents, a document: `p` its collection, `#` and one of 16 shards by its id, which is the
//!   partition key, `id` and `i` its id, `b` the content, `x` and `ttl` when it expires, `l0` to
//!   `l2` its places in lists;
//! - documents, a snapshot: `p` an `@` and its stream, `id` the text `snapshot`, `b` the state, `n`
//!   the version that it reflects;
//! - documents, a command that is too large for a message: `p` the text `@command-` and a mark, `b`
//!   the command;
//! - keys, the keys of a subject: `p` the subject, `id` the text `keys`, `k` the keys, or `d` that
//!   they were destroyed.
//!
//! Ids are encoded, since the service takes no `/ \ ? #` in them; where a revision is asked for, it
//! is the etag. [`containers`] says how each is partitioned and indexed: nothing that is not asked
//! for has an index.
//!
//! # What it is consistent with
//!
//! The accounts have session consistency, which is what the service makes them with. A strong read
//! asks a quorum of the replicas of the region it writes to; with writes in one region that shows
//! every write that has returned. So an app runs in the region that its account writes to, and a
//! client made by [`Clients::account`] reads nowhere else, whatever fails.
//!
//! # What it costs
//!
//! A command is one create of one item, and before it a query for one item if its stream is not
//! warm. The feed is the container's own change feed, which costs nothing to keep up. Each request
//! has a span `cosmosdb` that tells its charge in request units,
//! `azure.cosmosdb.operation.request_charge`.

mod access;
mod azure;
mod bus;
mod clients;
mod clock;
pub mod containers;
mod cosmos;
mod documents;
#[cfg(feature = "environment")]
mod environment;
mod errors;
mod events;
#[cfg(feature = "functions")]
pub mod host;
mod http;
#[cfg(feature = "container-apps")]
mod inbox;
mod keys;
#[cfg(feature = "environment")]
mod lasting;
mod queue;
#[cfg(feature = "environment")]
mod settings;
mod tokens;

pub use access::Access;
pub use azure::{Azure, Names};
pub use clients::Clients;

/// How many requests of one batch are on their way at once: there is none that reads or writes
/// items of several partitions, and each command is a request of its own.
const CONCURRENT_MAX: usize = 16;

/// Marks positions and cursors. They are taken in every process: there is no key.
const SEAL: skyfold::adapter::Seal = skyfold::adapter::Seal::new(0);
