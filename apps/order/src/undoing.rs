//! How a sale is undone, in whole or in part.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::line::{Line, Returned};
use crate::order::Event;
use crate::{Currency, Day, Money};

/// Why and when a sale is undone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Because {
    /// Why.
    pub reason: String,
    /// The day of business, if it is not today.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<Day>,
}

/// What a customer brings back, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BroughtBack {
    /// What comes back.
    pub lines: Vec<Returned>,
    /// Why.
    #[serde(default)]
    pub reason: String,
    /// The day of business, if it is not today.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<Day>,
}

/// What was undone of a sale. It tells all that sales are counted by, so that nobody has to look
/// up what was sold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Undoing {
    /// Why.
    pub reason: String,
    /// What is taken back, without descriptions.
    pub lines: Vec<Line>,
    /// What that comes to.
    pub amount: Money,
    /// What the prices are in.
    pub currency: Currency,
    /// The day of business, if one was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<Day>,
}

impl Because {
    /// For this `reason`, today.
    pub fn of(reason: &str) -> Self {
        Self { reason: reason.into(), on: None }
    }
}

impl Undoing {
    /// What `event` undoes, if it undoes anything.
    pub fn of(event: &Event) -> Option<&Self> {
        match event {
            Event::OrderCancelled(undoing)
            | Event::OrderReturned(undoing)
            | Event::OrderPlacementFailed(undoing) => Some(undoing),
            _ => None,
        }
    }
}
