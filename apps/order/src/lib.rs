//! Orders, the stock they are filled from, their payment, and what is shown of all three.
//!
//! The rules are pure functions, and tested as such:
//!
//! ```
//! use order::level::{Pieces, Share};
//! use order::stock::{Command, Event, Stock};
//! use skyfold::testing::given;
//!
//! let three = Pieces { quantity: 3, reason: "delivery".into() };
//! let five = Share { order: "42".parse()?, quantity: 5 };
//! given::<Stock>([Event::StockReceived(three)])
//!     .when(Command::Reserve(five.clone()))
//!     .then([Event::ReservationRefused(five)]);
//! # Ok::<(), skyfold::Error>(())
//! ```

pub mod balance;
pub mod bill;
mod day;
pub mod fulfilment;
pub mod gateway;
pub mod heard;
pub mod import;
pub mod level;
pub mod line;
mod money;
pub mod order;
pub mod payment;
pub mod projections;
pub mod queries;
pub mod recipient;
pub mod sale;
pub mod sample;
pub mod shares;
mod status;
pub mod stock;
pub mod undoing;
pub mod views;

use std::sync::Arc;

use skyfold::App;

pub use day::{Day, DayError};
pub use money::{Currency, Money, MoneyError};
pub use status::Status;

use fulfilment::Fulfilment;
use gateway::{Gateway, SimulatedGateway};
use order::Order;
use payment::Payment;
use stock::Stock;
use views::{CustomerOrder, DaySales, OrderSummary, ProductSales, StockLevel};

/// The whole application, with a simulated payment gateway.
pub fn app() -> App {
    app_with(SimulatedGateway)
}

/// The whole application, whose payments go to `gateway`.
pub fn app_with(gateway: impl Gateway) -> App {
    let gateway = Arc::new(gateway);
    let app = App::new("order")
        .decider::<Order>()
        .decider::<Stock>()
        .decider_with_edge::<Payment, _>(move |command, edge| {
            let gateway = gateway.clone();
            async move { gateway::ask(&*gateway, command, &edge).await }
        })
        .saga::<Fulfilment>()
        .projection::<OrderSummary>()
        .projection::<CustomerOrder>()
        .projection::<StockLevel>()
        .projection::<DaySales>()
        .projection::<ProductSales>();
    queries::answer(app)
}
