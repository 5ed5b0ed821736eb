//! The order app, unchanged, on simulated ports: one thread, a virtual clock, and a seed that
//! decides whose turn it is and what goes wrong. Every run replays exactly from its seed.
//!
//! ```
//! use simulation::{Simulator, Tracing};
//!
//! let simulator = Simulator::new();
//! let report = simulator.run(7, Tracing::Off);
//! assert!(report.violation.is_none());
//! assert_eq!(report.digest, simulator.run(7, Tracing::Off).digest);
//! ```

mod agenda;
mod checker;
mod clients;
mod deliveries;
mod evidence;
mod evolved;
mod faults;
mod forgetting;
mod fragile;
mod history;
mod newer;
mod next;
mod nodes;
mod operator;
mod personal;
mod plan;
mod ports;
mod revised;
mod revision;
mod scheduler;
mod seeds;
mod shop;
mod shrink;
mod simulation;
mod simulator;
mod subject;
pub mod teeth;
mod trace;
mod violation;
mod world;

pub use faults::{Counts, Fault, Faults};
pub use plan::Plan;
pub use seeds::Totals;
pub use simulator::{Report, Simulator};
pub use trace::Tracing;
pub use violation::{Harm, Rule, Violation};
