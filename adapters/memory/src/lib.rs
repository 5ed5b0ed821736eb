//! All ports of Skyfold in one process, with a switchable fault mode, and the local host.
//!
//! This is the reference adapter: it keeps every promise of the ports' contracts and every
//! portable limit, stores what it is given encoded, and so does nothing that a cloud could not do.
//! What it holds is gone with the process.
//!
//! ```
//! use serde::{Deserialize, Serialize};
//! use skyfold::{App, CommandId, CommandRequest, Decider, Payload, Projection, RecordedEvent};
//! use skyfold::{Category, Reply, StreamId, Subscription, Trigger, ViewRequest};
//! use skyfold_memory::Memory;
//!
//! struct Lamp;
//!
//! #[derive(Clone, Serialize, Deserialize, schemars::JsonSchema)]
//! enum Switch {
//!     Press,
//! }
//!
//! #[derive(Clone, Serialize, Deserialize, schemars::JsonSchema)]
//! enum Switched {
//!     On,
//!     Off,
//! }
//!
//! impl Decider for Lamp {
//!     const CATEGORY: Category = "lamp";
//!     type State = bool;
//!     type Command = Switch;
//!     type Event = Switched;
//!     type Error = std::convert::Infallible;
//!
//!     fn decide(is_on: &bool, Switch::Press: Switch) -> Result<Vec<Switched>, Self::Error> {
//!         Ok(vec![if *is_on { Switched::Off } else { Switched::On }])
//!     }
//!
//!     fn evolve(is_on: &mut bool, event: &Switched) {
//!         *is_on = matches!(event, Switched::On);
//!     }
//! }
//!
//! /// How often each lamp was switched.
//! struct Wear;
//!
//! impl Projection for Wear {
//!     const NAME: &'static str = "wear";
//!     type Input = Switched;
//!     type View = u32;
//!
//!     fn subscription() -> Subscription<Switched> {
//!         Subscription::of::<Lamp>()
//!     }
//!
//!     fn project(_: &str, times: Option<u32>, _: &RecordedEvent<Switched>) -> Option<u32> {
//!         Some(times.unwrap_or_default() + 1)
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> skyfold::Result<()> {
//! let memory = Memory::new();
//! let runtime = App::new("house").decider::<Lamp>().projection::<Wear>().bind(memory.ports())?;
//! for _ in 0..2 {
//!     let command = Trigger::Command(CommandRequest {
//!         stream: StreamId::new("hall")?,
//!         id: CommandId::fresh(runtime.now()),
//!         command: Payload::encode(&Switch::Press)?,
//!         expected: None,
//!         metadata: Default::default(),
//!     });
//!     runtime.invoke("lamp", command).await?;
//! }
//! memory.settle(&runtime).await?;
//! let view = Trigger::View(ViewRequest { key: "hall".into(), after: None });
//! let Reply::Answer(answer) = runtime.invoke("wear", view).await? else { unreachable!() };
//! assert_eq!(answer.body.get(), "2");
//! # Ok(())
//! # }
//! ```
//!
//! A server runs the [live host](Memory::run) beside its HTTP side instead of settling.
//!
//! # Time
//!
//! [`Memory::new`] goes by the machine's clock. A test gives it a [`VirtualClock`] and lets time
//! pass as it pleases, timeouts included: [`Memory::settle_through_time`].
//!
//! # Faults
//!
//! With [`Faults`], deliveries repeat, overtake each other, come late or are lost on the way,
//! writes fail before or after they took effect, invocations end in their midst, and reads are out
//! of date. Everything is drawn from one seed:
//!
//! ```
//! use skyfold_memory::{Faults, Memory, VirtualClock};
//!
//! let memory = Memory::with_faults(Faults::heavy(42), VirtualClock::new());
//! // … commands, and settling in between …
//! memory.calm();
//! // … looking at what came of it …
//! # drop(memory);
//! ```
//!
//! # What it costs
//!
//! Commits are priced as on DynamoDB, the store that charges most finely for size, so that core
//! places states in commits, in every k-th commit and in snapshots on memory as well.

mod broker;
mod bus;
mod chaos;
mod clock;
mod detours;
mod documents;
mod driver;
mod dump;
mod faults;
mod faulty;
mod feed;
mod inbox;
mod lease;
mod memory;
mod pending;
mod queue;
mod relay;
mod store;
mod subject_keys;
mod subscribers;
mod wake;

pub use clock::VirtualClock;
pub use dump::{Dump, DumpedDocument, DumpedEvent, DumpedListing, DumpedStream};
pub use faults::{CrashPoint, FaultCounts, Faults, Moment};
pub use memory::Memory;
pub use pending::Pending;
