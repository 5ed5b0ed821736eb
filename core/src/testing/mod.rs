//! How a domain is tested, in sentences: given what happened, when this is asked, then that
//! follows. No store, no bus, no clock but the one that the test moves.
//!
//! Everything that a test passes through is also written and read back as a store would, so that
//! a type which cannot be stored fails its first test.
//!
//! ```
//! use schemars::JsonSchema;
//! use serde::{Deserialize, Serialize};
//! use skyfold::testing::given;
//! use skyfold::Decider;
//!
//! #[derive(Clone, Serialize, Deserialize, JsonSchema)]
//! enum Command { SwitchOn, SwitchOff }
//! #[derive(Clone, Serialize, Deserialize, JsonSchema)]
//! enum Event { SwitchedOn, SwitchedOff }
//!
//! struct Lamp;
//!
//! impl Decider for Lamp {
//!     const CATEGORY: &'static str = "lamp";
//!     type State = bool;
//!     type Command = Command;
//!     type Event = Event;
//!     type Error = std::fmt::Error;
//!
//!     fn decide(is_on: &bool, command: Command) -> Result<Vec<Event>, Self::Error> {
//!         Ok(match command {
//!             Command::SwitchOn if !is_on => vec![Event::SwitchedOn],
//!             Command::SwitchOff if *is_on => vec![Event::SwitchedOff],
//!             _ => vec![],
//!         })
//!     }
//!
//!     fn evolve(is_on: &mut bool, event: &Event) {
//!         *is_on = matches!(event, Event::SwitchedOn);
//!     }
//! }
//!
//! given::<Lamp>([]).when(Command::SwitchOn).then([Event::SwitchedOn]);
//! given::<Lamp>([Event::SwitchedOn]).when(Command::SwitchOn).then([]);
//! ```

mod decider;
mod past;
mod projection;
mod saga;

pub use decider::{Given, When, given};
pub use projection::{Projected, projection};
pub use saga::{Story, saga};

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// What a store would make of `value`.
fn json<T: Serialize + ?Sized>(value: &T) -> Value {
    serde_json::to_value(value).expect("plain data has a JSON form")
}

/// `value` after it was stored and read back, which must not change it.
#[track_caller]
fn stored<T: Serialize + DeserializeOwned>(value: &T) -> T {
    let before = json(value);
    let read: T = match serde_json::from_value(before.clone()) {
        Ok(read) => read,
        Err(error) => panic!("{before} cannot be read back: {error}"),
    };
    assert_eq!(json(&read), before, "it is read back as it was written");
    read
}

/// Fails unless both are written alike.
#[track_caller]
fn assert_same<T: Serialize + ?Sized>(found: &T, expected: &T, what: &dyn Debug) {
    let (found, expected) = (json(found), json(expected));
    if found == expected {
        return;
    }
    let pretty = |value: &Value| serde_json::to_string_pretty(value).unwrap_or_default();
    panic!("{what:?}\nexpected: {}\n   found: {}", pretty(&expected), pretty(&found));
}
