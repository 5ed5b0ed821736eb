//! What happens to an order: in its own stream, in its payment's, and in those of its goods.

use skyfold::{RecordedEvent, StreamId, Subscription};

use crate::order::{self, Order};
use crate::payment::{self, Payment};
use crate::stock::{self, Stock};

/// What the fulfilment of an order hears.
#[derive(Clone, Debug)]
pub enum Heard {
    /// What happens to the order itself.
    Order(order::Event),
    /// What happens to the stock of a product.
    Stock(stock::Event),
    /// What happens to its payment.
    Payment(payment::Event),
}

impl Heard {
    pub(crate) fn subscription() -> Subscription<Self> {
        Subscription::to::<Order>(Self::Order)
            .and::<Stock>(Self::Stock)
            .and::<Payment>(Self::Payment)
    }

    /// The order that `event` is about, if its fulfilment has a use for it.
    pub(crate) fn order(event: &RecordedEvent<Self>) -> Option<StreamId> {
        match &event.data {
            Self::Order(order::Event::OrderLinesAdded(_) | order::Event::OrderDelivered)
            | Self::Payment(payment::Event::PaymentRequested(_)) => None,
            Self::Order(_) | Self::Payment(_) => Some(event.stream.id()),
            Self::Stock(event) => event.order().cloned(),
        }
    }

    /// Why the order cannot be filled, if `event` says so.
    pub(crate) fn problem(event: &RecordedEvent<Self>) -> Option<String> {
        match &event.data {
            Self::Stock(stock::Event::ReservationRefused(_)) => {
                Some(format!("there is not enough of {} in stock", event.stream.id()))
            }
            Self::Payment(payment::Event::PaymentDeclined(decline)) => {
                Some(format!("the payment was declined: {}", decline.reason))
            }
            Self::Payment(payment::Event::PaymentExpired) => {
                Some("the payment was not answered in time".into())
            }
            _ => None,
        }
    }
}
