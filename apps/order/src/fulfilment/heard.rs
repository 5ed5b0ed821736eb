use skyfold::{RecordedEvent, StreamId, Subscription};

use crate::order::{self, Order};
use crate::payment::{self, Payment};
use crate::stock::{self, Stock};

/// What the transaction hears.
#[derive(Clone, Debug)]
pub enum Heard {
    /// What happens to its order.
    Order(order::Event),
    /// What happens to the stock of a product.
    Stock(stock::Event),
    /// What happens to its payment.
    Payment(payment::Event),
}

impl Heard {
    pub(super) fn subscription() -> Subscription<Self> {
        Subscription::to::<Order>(Self::Order)
            .and::<Stock>(Self::Stock)
            .and::<Payment>(Self::Payment)
    }

    /// The order that `event` is about, if the transaction has a use for it.
    pub(super) fn order(event: &RecordedEvent<Self>) -> Option<StreamId> {
        match &event.data {
            Self::Order(order::Event::OrderLinesAdded(_) | order::Event::OrderDelivered)
            | Self::Payment(payment::Event::PaymentRequested(_)) => None,
            Self::Order(_) | Self::Payment(_) => Some(event.stream.id()),
            Self::Stock(event) => event.order().cloned(),
        }
    }
}
