use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::order::Event;

/// Where an order is on its way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Status {
    /// It may have lines, and is not placed.
    #[default]
    Draft,
    /// It is placed; stock and payment are being seen to.
    Placed,
    /// It can be filled, and is paid for.
    Confirmed,
    /// It has left the warehouse.
    Shipped,
    /// The customer has it.
    Delivered,
    /// The customer had it, and brought all or some of it back.
    Returned,
    /// It was called off before it was shipped.
    Cancelled,
    /// It could not be filled, or was not paid for.
    Failed,
}

impl Status {
    /// Where the order is after `event`.
    #[must_use]
    pub fn after(self, event: &Event) -> Self {
        match event {
            Event::OrderLinesAdded(_) => self,
            Event::OrderPlaced(_) => Self::Placed,
            Event::OrderConfirmed => Self::Confirmed,
            Event::OrderShipped => Self::Shipped,
            Event::OrderDelivered => Self::Delivered,
            Event::OrderReturned(_) => Self::Returned,
            Event::OrderCancelled(_) => Self::Cancelled,
            Event::OrderPlacementFailed(_) => Self::Failed,
        }
    }

    /// Whether its goods have left the warehouse.
    pub(crate) fn is_out(self) -> bool {
        matches!(self, Self::Shipped | Self::Delivered | Self::Returned)
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Draft => "a draft",
            Self::Placed => "placed",
            Self::Confirmed => "confirmed",
            Self::Shipped => "shipped",
            Self::Delivered => "delivered",
            Self::Returned => "returned",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        })
    }
}
