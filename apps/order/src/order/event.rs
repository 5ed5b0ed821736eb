use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use skyfold::Upcasters;

use crate::sale::{Part, Sale};
use crate::undoing::Undoing;

/// What may have happened to an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum Event {
    /// A draft has more lines.
    OrderLinesAdded(Part),
    /// It was sold.
    OrderPlaced(Sale),
    /// Stock and payment are certain.
    OrderConfirmed,
    /// The carrier has it.
    OrderShipped,
    /// The customer has it.
    OrderDelivered,
    /// It was called off.
    OrderCancelled(Undoing),
    /// Something of it came back.
    OrderReturned(Undoing),
    /// It was given up.
    OrderPlacementFailed(Undoing),
}

/// How events of earlier releases are read.
pub(super) fn upcasters() -> Upcasters {
    Upcasters::default().then("OrderPlaced", with_a_bill)
}

/// Version 2 of a sale has one bill, as payments have, and may tell who gets the goods. Version 1
/// told an amount and a currency, and of nobody.
fn with_a_bill(mut data: Value) -> Value {
    if let Some(sale) = data.as_object_mut() {
        let parts = ["amount", "currency"].into_iter().filter_map(|part| sale.remove_entry(part));
        let bill: Map<String, Value> = parts.collect();
        sale.insert("bill".into(), bill.into());
    }
    data
}
