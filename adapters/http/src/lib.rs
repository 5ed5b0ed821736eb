//! Any Skyfold app over HTTP: commands, views, lists and queries, an OpenAPI document, a page to
//! try them, and health. What is served follows from the app's manifest; nothing is declared twice.
//!
//! - A command has an id, its `Idempotency-Key`. Sent again it is answered with the first receipt
//!   and `replayed: true`, however late. Any text will do; a UUIDv7 is cheapest, since it says when
//!   it was made, and whether an id without a time is new is looked up in a long stream.
//! - `If-Match: "3"` has a command decided on at version 3 or not at all.
//! - A reader that gives an event of a receipt as `after` is answered once the view shows it: it
//!   waits, or asks for server-sent events, and is told with status 202 when the time is up.
//! - Every error is a problem document (RFC 9457). Its type says what to do, and is explained at
//!   the address that it is.
//! - `/metrics` and what operators do under `/operations` are served if [`Operations`] says so.
//! - Bodies, heads, waits, answers, connections and the shutdown are bounded: see [`Options`] and
//!   [`ServerLimits`].
//!
//! ```
//! use axum::body::Body;
//! use axum::http::Request;
//! use schemars::JsonSchema;
//! use serde::{Deserialize, Serialize};
//! use skyfold::{App, Category, Decider};
//! use tower::ServiceExt;
//!
//! /// A door that can be opened as often as one likes.
//! struct Door;
//!
//! #[derive(Clone, Serialize, Deserialize, JsonSchema)]
//! enum Command {
//!     Open { by: String },
//! }
//!
//! #[derive(Clone, Serialize, Deserialize, JsonSchema)]
//! enum Event {
//!     Opened { by: String },
//! }
//!
//! impl Decider for Door {
//!     const CATEGORY: Category = "door";
//!     type State = u32;
//!     type Command = Command;
//!     type Event = Event;
//!     type Error = std::fmt::Error;
//!
//!     fn decide(_: &u32, Command::Open { by }: Command) -> Result<Vec<Event>, Self::Error> {
//!         Ok(vec![Event::Opened { by }])
//!     }
//!
//!     fn evolve(times: &mut u32, _: &Event) {
//!         *times += 1;
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let memory = skyfold_memory::Memory::new();
//! let runtime = App::new("house").decider::<Door>().bind(memory.ports())?;
//! let router = skyfold_http::router(runtime, skyfold_http::Options::default());
//!
//! let request = Request::post("/door/front/open")
//!     .header("content-type", "application/json")
//!     .body(Body::from(r#"{ "by": "Ada" }"#))?;
//! let response = router.clone().oneshot(request).await?;
//! assert_eq!(response.status(), 200);
//! assert_eq!(response.headers()["etag"], "\"1\"");
//!
//! // On a socket, until Ctrl-C would stop it; here at once.
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! skyfold_http::serve(listener, router, std::future::ready(())).await?;
//! # Ok(())
//! # }
//! ```

mod after;
mod answer;
mod body;
mod command;
#[cfg(feature = "deliveries")]
pub mod deliveries;
mod etag;
mod frame;
mod headers;
mod health;
mod list;
mod openapi;
mod operations;
mod options;
mod page;
mod parameters;
mod problem;
mod problem_types;
#[cfg(feature = "process")]
pub mod process;
mod query;
mod query_string;
mod router;
mod serve;
mod sse;
mod state;
mod view;

pub use options::{Operations, Options};
pub use router::router;
pub use serve::{ServerLimits, serve, serve_within};
