//! The ports of Skyfold on DynamoDB, EventBridge and SQS.
//!
//! ```no_run
//! use skyfold_aws::{Aws, Clients, Names};
//!
//! # fn bind(config: &aws_types::SdkConfig, app: skyfold::App) -> skyfold::Result<()> {
//! let names = Names {
//!     events: "order-events".into(),
//!     documents: "order-documents".into(),
//!     keys: "order-keys".into(),
//!     bus: "order".into(),
//!     queue: "https://sqs.eu-central-1.amazonaws.com/123456789012/order-commands".into(),
//! };
//! let aws = Aws::new(Clients::new(config), names);
//! let runtime = app.bind(aws.ports())?;
//! # Ok(())
//! # }
//! ```
//!
//! The clients are arguments, so that region, credentials, endpoint and TLS are the application's
//! choice. The feature `environment` adds `Clients::from_environment`, for a function that takes
//! them from where it runs.
//!
//! # What is kept where
//!
//! Every item has a partition key `PK` and a sort key `SK`.
//!
//! - events, a commit: `PK` its stream, `SK` the version of its first event in 20 digits, `B` the
//!   commit, `T` when it was appended, `F` its slice of the feed;
//! - events, a snapshot: `PK` its stream, `SK` the text `SNAP#`, `B` the state, `N` the version
//!   that it reflects;
//! - documents, a document: `PK` its collection, `#` and one of 16 shards by its id, `SK` its id,
//!   `B` the content, `V` the revision, `X` and `E` when it expires, `U0` to `U2` and `O0` to `O2`
//!   its places in lists;
//! - keys, the keys of a subject: `PK` the subject, `SK` the text `KEYS`, `K` the keys, or `D` that
//!   they were destroyed.
//!
//! The events have an index `feed` by `F` and `T`, unless the feed is [read otherwise](Feed); the
//! documents an index `list-0` to `list-2` for each list. [`tables`] makes them.
//!
//! # What it costs
//!
//! A command is one put of one item, and before it a query for one item if its stream is not warm.
//! The index of the feed costs as much again as the put; each list that a document is in costs as
//! much again as its write.

mod aws;
mod batches;
mod bus;
mod clients;
mod clock;
mod documents;
#[cfg(feature = "environment")]
mod environment;
mod errors;
mod events;
mod gets;
#[cfg(feature = "lambda")]
pub mod host;
mod item;
mod keys;
mod queue;
#[cfg(feature = "environment")]
mod settings;
pub mod tables;

pub use aws::{Aws, Names};
pub use clients::Clients;
pub use events::Feed;

/// Marks positions and cursors. They are taken in every process: there is no key.
const SEAL: skyfold::adapter::Seal = skyfold::adapter::Seal::new(0);
