//! Holds an app to the form of what its earlier releases recorded.
//!
//! What was recorded once is read for ever. So the form of every event is locked: in a folder of
//! the app, under version control, there are for each event type and version its JSON Schema and
//! golden data, which stay when the type moves on. [`check`] compares the code with them, and
//! [`accept`] locks what is new. An app has a test that says so:
//!
//! ```
//! # use schemars::JsonSchema;
//! # use serde::{Deserialize, Serialize};
//! # struct Tally;
//! # #[derive(Clone, Serialize, Deserialize, JsonSchema)]
//! # enum Command { Add { amount: u32 } }
//! # #[derive(Clone, Serialize, Deserialize, JsonSchema)]
//! # enum Event { Added { amount: u32 } }
//! # impl skyfold::Decider for Tally {
//! #     const CATEGORY: skyfold::Category = "tally";
//! #     type State = u32;
//! #     type Command = Command;
//! #     type Event = Event;
//! #     type Error = std::convert::Infallible;
//! #     fn decide(_: &u32, Command::Add { amount }: Command) -> Result<Vec<Event>, Self::Error> {
//! #         Ok(vec![Event::Added { amount }])
//! #     }
//! #     fn evolve(total: &mut u32, Event::Added { amount }: &Event) {
//! #         *total += amount;
//! #     }
//! # }
//! use skyfold::App;
//! use skyfold_schemas::{Folder, accept, check};
//!
//! # let temporary = std::env::temp_dir().join(format!("schemas-doc-{}", std::process::id()));
//! # let folder = Folder::new(&temporary);
//! # accept(&App::new("example").decider::<Tally>(), &folder)?;
//! let app = App::new("example").decider::<Tally>();
//! let report = check(&app, &folder)?;
//! assert!(report.is_clean(), "\n{report}");
//! # std::fs::remove_dir_all(&temporary).unwrap_or_default();
//! # Ok::<(), skyfold::Error>(())
//! ```
//!
//! | file | what it holds |
//! |---|---|
//! | `order.OrderPlaced.v1.schema.json` | the JSON Schema of the data in version 1 |
//! | `order.OrderPlaced.v1.golden.json` | a list of such data |
//! | `order.OrderPlaced.v1.now.json` | what that data is by now, if version 1 is not current |
//! | `order.history.jsonl` | recorded events, one a line, as `events show --json` prints them |
//! | `order.state.v1.json` | the state after them, under format 1 |
//!
//! With the feature `avro` the same schemas are exported for Avro and events are encoded and
//! decoded under them: see the module `avro`.
//!
//! Commands are not locked. They are read by the release that takes them, or by the next while
//! they wait in a queue: a field that a command gains is optional until the queues are empty.

mod accept;
#[cfg(feature = "avro")]
pub mod avro;
mod check;
mod describe;
mod difference;
mod export;
mod folder;
mod golden;
mod report;
mod resolve;
mod sample;
mod schema_difference;
mod states;
mod value_difference;

pub use accept::{Accepted, accept};
pub use check::check;
pub use difference::{Change, Difference};
pub use export::export_json;
pub use folder::Folder;
pub use report::{Finding, FindingKind, Report};
pub use schema_difference::differences;
