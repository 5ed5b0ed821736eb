//! What every host does alike: for those who write one, and for nobody else.
//!
//! It is no part of what an app is written against, and may change with any release.

mod deliveries;
mod names;
mod role;
mod tail;
mod variables;
mod watch;

pub use deliveries::{Attempts, Delivery, hear, relay, run, sweep};
pub use names::{plain_name, plain_names};
pub use role::Role;
pub use tail::Tail;
pub use variables::Variables;
pub use watch::{Seen, Watch};
