//! What is to be paid, and how far that has come.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::gateway::GatewayAnswer;
use crate::{Currency, Money};

/// An amount of money, and what it is counted in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bill {
    /// The amount.
    pub amount: Money,
    /// What it is counted in.
    pub currency: Currency,
}

/// A bill to be paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Charge {
    /// What is to be paid.
    pub bill: Bill,
    /// What the gateway says to it. The edge puts it here, whatever the sender wrote; absent if
    /// none came in time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<GatewayAnswer>,
}

/// Money that a gateway has set aside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Authorization {
    /// What is set aside.
    pub bill: Bill,
    /// The gateway's own name for it.
    pub reference: String,
}

/// Why a gateway sets no money aside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Decline {
    /// The gateway's words.
    pub reason: String,
}

/// Some money, in the currency of the payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Amount {
    /// How much.
    pub amount: Money,
}

/// Where a payment is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Paid {
    /// Nobody asked for it.
    #[default]
    Not,
    /// The gateway has been asked.
    Requested,
    /// The money is set aside.
    Authorized,
    /// The gateway has declined.
    Declined,
    /// The gateway has not answered in time.
    Expired,
    /// The money is taken.
    Captured,
}

impl std::fmt::Display for Paid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Not => "not requested",
            Self::Requested => "requested",
            Self::Authorized => "authorized",
            Self::Declined => "declined",
            Self::Expired => "expired",
            Self::Captured => "captured",
        })
    }
}
