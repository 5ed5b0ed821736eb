//! What is shown of orders, stock and sales.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use skyfold::{Personal, StreamId};

use crate::level::Level;
use crate::line::Line;
use crate::recipient::Recipient;
use crate::sale::Sale;
use crate::{Currency, Day, Money, Status};

/// An order, as a page about it shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderSummary {
    /// The order.
    pub order: String,
    /// Who buys, as far as is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<StreamId>,
    /// Who gets it, if somebody was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<Personal<Recipient>>,
    /// Where it is on its way.
    pub status: Status,
    /// When it was placed, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placed_on: Option<Day>,
    /// What was ordered.
    pub lines: Vec<Line>,
    /// What that comes to.
    pub amount: Money,
    /// What was taken back of the amount.
    pub taken_back: Money,
    /// Why something was taken back, at last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What the amounts are in.
    pub currency: Currency,
}

/// An order, as the list of a customer's orders shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CustomerOrder {
    /// The order.
    pub order: String,
    /// Who bought; nobody known if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<StreamId>,
    /// Where it is on its way.
    pub status: Status,
    /// When it was placed: what the list is ordered by.
    pub placed_at: String,
    /// How many lines it has.
    pub lines: usize,
    /// What it comes to.
    pub amount: Money,
    /// What was taken back of the amount.
    pub taken_back: Money,
    /// What the amounts are in.
    pub currency: Currency,
}

impl CustomerOrder {
    /// The order that made `sale` at the moment `placed_at`.
    pub fn new(order: &str, sale: &Sale, placed_at: String) -> Self {
        Self {
            order: order.to_owned(),
            customer: sale.customer.clone(),
            status: Status::Placed,
            placed_at,
            lines: sale.all_lines().count(),
            amount: sale.bill.amount,
            taken_back: Money::ZERO,
            currency: sale.bill.currency,
        }
    }
}

/// How many pieces of a product there are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StockLevel {
    /// The product.
    pub product: String,
    /// How many there are of it.
    #[serde(flatten)]
    pub level: Level,
}

/// What was sold on one day, less what was taken back on it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DaySales {
    /// The day of business.
    pub day: String,
    /// The sales.
    #[serde(flatten)]
    pub sales: Sales,
}

/// What was sold of one product, less what was taken back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProductSales {
    /// The product, or what was charged for.
    pub product: String,
    /// The sales.
    #[serde(flatten)]
    pub sales: Sales,
}

/// What was sold, less what was taken back.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sales {
    /// How many pieces, or how often something was charged.
    pub quantity: i64,
    /// For how much, in each currency.
    pub amounts: BTreeMap<Currency, Money>,
}
