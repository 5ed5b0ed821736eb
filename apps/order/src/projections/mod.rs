//! How what happened becomes what is shown.

mod customer_orders;
mod order_summary;
mod sales;
mod sales_by_day;
mod sales_by_product;
mod stock_level;

pub use stock_level::LOW_STOCK;
