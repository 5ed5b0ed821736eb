//! What may be asked. Everything is answered from what is shown; nothing reads the event store.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use skyfold::ports::Order::{Ascending, Descending};
use skyfold::{App, Error, ErrorKind, Projection, ReadModels, Result, StreamId};

use crate::Day;
use crate::views::{CustomerOrder, DaySales, OrderSummary, ProductSales, StockLevel};

/// How many items a page has if nothing else is asked for.
const PAGE_ITEMS: usize = 20;

/// Asks for one order.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShowOrder {
    /// Which.
    pub order: StreamId,
}

/// Asks for the orders of one customer, newest first.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderHistory {
    /// Whose.
    pub customer: StreamId,
    /// How many at most: 20 unless told, and up to 100.
    pub limit: Option<usize>,
    /// Where an earlier page ended.
    pub cursor: Option<String>,
}

/// Asks how many pieces of one product there are.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StockOf {
    /// Which.
    pub product: StreamId,
}

/// Asks for a page of a list.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// How many items at most: 20 unless told, and up to 100.
    pub limit: Option<usize>,
    /// Where an earlier page ended.
    pub cursor: Option<String>,
}

/// Asks for the sales of one day.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SalesOn {
    /// Which.
    pub day: Day,
}

/// Asks for the sales of one product.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SalesOf {
    /// Which, or what was charged for.
    pub product: StreamId,
}

/// Answers all of these in `app`.
pub(crate) fn answer(app: App) -> App {
    app.query("show-order", |asked: ShowOrder, read| one::<OrderSummary>(read, asked.order))
        .query(
            "order-history",
            |OrderHistory { customer, limit, cursor }, read: ReadModels| async move {
                let limit = limit.unwrap_or(PAGE_ITEMS);
                read.list::<CustomerOrder>("history", customer.as_str(), Descending, limit, cursor)
                    .await
            },
        )
        .query("stock-of", |asked: StockOf, read| one::<StockLevel>(read, asked.product))
        .query("low-stock", |Page { limit, cursor }, read: ReadModels| async move {
            let limit = limit.unwrap_or(PAGE_ITEMS);
            read.list::<StockLevel>("low", "all", Ascending, limit, cursor).await
        })
        .query("sales-on", |asked: SalesOn, read| one::<DaySales>(read, asked.day))
        .query("latest-sales", |Page { limit, cursor }, read: ReadModels| async move {
            let limit = limit.unwrap_or(PAGE_ITEMS);
            read.list::<DaySales>("days", "all", Descending, limit, cursor).await
        })
        .query("sales-of", |asked: SalesOf, read| one::<ProductSales>(read, asked.product))
}

/// The view of `key`.
async fn one<P: Projection>(read: ReadModels, key: impl ToString) -> Result<P::View> {
    let key = key.to_string();
    let missing = || Error::new(ErrorKind::NotFound, format!("{} knows no {key}", P::NAME));
    read.get::<P>(&key).await?.ok_or_else(missing)
}
