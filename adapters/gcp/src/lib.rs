//! The ports of Skyfold on Firestore, Pub/Sub and Cloud Tasks, and an app as services of Cloud Run.
//!
//! ```no_run
//! use skyfold_gcp::{Clients, Gcp, Names, Target, Wire};
//!
//! # async fn bind(app: skyfold::App, firestore: Wire, pubsub: Wire, tasks: Wire)
//! # -> skyfold::Result<()> {
//! let names = Names {
//!     database: "projects/order/databases/(default)".into(),
//!     keys: "projects/order/databases/keys".into(),
//!     topic: "projects/order/topics/order".into(),
//!     immediate: None,
//!     queue: "projects/order/locations/europe-west3/queues/order".into(),
//!     target: Target {
//!         url: "https://order-1234567890.europe-west3.run.app/commands".into(),
//!         account: Some("order-queue@order.iam.gserviceaccount.com".into()),
//!     },
//! };
//! let gcp = Gcp::new(Clients { firestore, pubsub, tasks }, names);
//! let runtime = app.bind(gcp.ports())?;
//! # Ok(())
//! # }
//! ```
//!
//! The wires are arguments, so that endpoint, credentials and TLS are the application's choice. The
//! feature `environment` adds `Gcp::from_environment`, for a service that takes them from where it
//! runs, and `cloud-run` adds `host`, the app as services of Cloud Run.
//!
//! # What is kept where
//!
//! - `streams/{stream}/commits/{version}`, a commit: the id is the version of its first event in 20
//!   digits, `b` the commit, `v` the version once more, `f` its slice of the feed and when it was
//!   appended;
//! - `streams/{stream}`, a snapshot: `b` the state, `n` the version that it reflects;
//! - `documents/{collection}/items/{id}`, a document: `b` the content, `r` a mark that each write
//!   makes anew, `x` and `e` when it expires, `l0` to `l2` its places in lists;
//! - in a database of its own `subjects/{subject}`, the keys of a subject: `k` the keys, or `d`
//!   that they were destroyed.
//!
//! A revision is the time of a document's last change. Each write is one commit under one
//! precondition; there are no transactions. [`indexes`] says which indexes the databases need, none
//! of them composite.
//!
//! # What it costs
//!
//! A command is one write, and before it one read if its stream is not warm, whatever the length
//! of the stream and the size of its state. A document is a read and a write, whatever lists it is
//! in. A conflict of a view that was to be new costs a read more.

mod bus;
mod calls;
mod clients;
mod clock;
mod documents;
#[cfg(feature = "environment")]
mod environment;
mod errors;
pub mod eventarc;
mod events;
mod firestore;
mod gcp;
#[cfg(feature = "cloud-run")]
pub mod host;
pub mod indexes;
mod keys;
mod queue;
#[cfg(feature = "environment")]
mod settings;
mod topic;

pub use clients::{Clients, Wire};
pub use gcp::{Gcp, Names};
pub use queue::Target;

/// Marks positions and cursors. They are taken in every process: there is no key.
const SEAL: skyfold::adapter::Seal = skyfold::adapter::Seal::new(0);
