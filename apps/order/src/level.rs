//! Pieces of a product: how many there are, and how many are meant.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use skyfold::StreamId;

/// How many pieces there are.
///
/// Invariant: together no more than a `u32` counts, so that there is room for what comes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Level {
    /// On the shelf.
    pub available: u32,
    /// With orders: set aside, or shipped and not sent back.
    pub reserved: u32,
}

/// Some pieces of the product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pieces {
    /// How many.
    pub quantity: u32,
    /// Where they come from, or what became of them.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// An order's share of the product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// The order.
    pub order: StreamId,
    /// How many.
    pub quantity: u32,
}
