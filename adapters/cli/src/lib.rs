//! The operator's commands for any Skyfold app: serve it, look at what it has recorded, give it
//! commands, ask it questions, replay its past.
//!
//! An app's `main` makes a [`Cli`] of the app and of what it runs on, and runs it. What it can do
//! from then on, `--help` tells; the same commands ask an app that runs elsewhere, with `--url`.
//!
//! ```
//! # use schemars::JsonSchema;
//! # use serde::{Deserialize, Serialize};
//! use clap::Args;
//! use skyfold::{App, CommandId, Payload, StreamId};
//! use skyfold_cli::{Cli, Console, Context, Exit, Outcome};
//! use skyfold_memory::Memory;
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
//!
//! /// Adds up the numbers of a file, one a line
//! #[derive(Args)]
//! struct Import {
//!     /// Where they are
//!     file: std::path::PathBuf,
//! }
//!
//! async fn import(context: Context, import: Import) -> skyfold::Result<Exit> {
//!     let text = std::fs::read_to_string(&import.file).unwrap_or_default();
//!     for (number, line) in text.lines().enumerate() {
//!         let command = Payload::parse(&format!(r#"{{"Add":{{"amount":{line}}}}}"#))?;
//!         let (id, key) = (StreamId::new("1")?, CommandId::new(format!("line-{number}"))?);
//!         let outcome = context.client().send("tally", &id, key, command).await?;
//!         if let Outcome::Refused(reason) = outcome {
//!             context.output().hint(format!("line {number}: {reason}"));
//!             return Ok(Exit::Failed);
//!         }
//!     }
//!     context.settle().await?;
//!     Ok(Exit::Done)
//! }
//!
//! fn cli() -> Cli {
//!     let memory = Memory::new();
//!     Cli::new(App::new("example").decider::<Tally>(), memory.ports())
//!         .ephemeral()
//!         .background(move |runtime| memory.run(runtime))
//!         .try_lines(["curl {url}/tally/1"])
//!         .command("import", import)
//! }
//!
//! # #[tokio::main]
//! # async fn main() {
//! // A main ends with `cli().run().await`; a test gives the arguments, and looks at the output.
//! let (console, captured) = Console::captured();
//! let arguments = ["example", "send", "tally", "1", "add", r#"{"amount":5}"#];
//! assert_eq!(cli().run_with(arguments, console).await, Exit::Done);
//! assert_eq!(captured.out(), "accepted: tally-1 is at version 1\ntally-1@1\n");
//! # }
//! ```
//!
//! # Exit codes
//!
//! | code | meaning |
//! |---|---|
//! | 0 | it was done |
//! | 1 | it was refused, or it failed |
//! | 2 | it makes no sense as it was asked for |
//!
//! Results go to the standard output, and all that is said about them to the standard error: with
//! `--json` both are JSON, an error a problem document like those that the app gives over HTTP.

mod arguments;
mod background;
mod cli;
mod client;
mod commands;
mod console;
mod context;
mod exit;
mod logs;
mod output;
mod package;
mod params;
mod problem;
mod table;

pub use cli::Cli;
pub use client::{Client, Outcome};
pub use console::{Captured, Console};
pub use context::Context;
pub use exit::Exit;
pub use output::{Format, Output};
pub use package::{Form, Program};

use time::OffsetDateTime;
use time::macros::format_description;

/// `time` as people read it, to the millisecond and of one width.
fn time_text(time: OffsetDateTime) -> String {
    let form =
        format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    time.to_offset(time::UtcOffset::UTC).format(&form).expect("a constant that is well formed")
}
