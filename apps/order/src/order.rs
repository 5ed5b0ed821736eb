//! The rules of an order, on its way to the customer and perhaps back.

mod event;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use skyfold::{Category, Decider, Upcasters};

use crate::Status;
use crate::line::LineError;
use crate::recipient::RecipientError;
use crate::sale::{Basket, Part, Sold};
use crate::undoing::{Because, BroughtBack};

pub use event::Event;

/// What may be asked of an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum Command {
    /// Adds lines ahead of `Place`: a long order comes in parts.
    AddLines(Part),
    /// Places the order, of these lines and those added before.
    Place(Basket),
    /// Promises it to the customer: stock and payment are certain.
    Confirm,
    /// Hands it to the carrier.
    Ship,
    /// Hands it to the customer.
    Deliver,
    /// Calls it off before it is shipped.
    Cancel(Because),
    /// Takes something back after delivery.
    Return(BroughtBack),
    /// Gives it up: it cannot be filled, or is not paid for.
    Fail(Because),
}

/// Why a command is refused.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The command comes too early or too late.
    #[error("this is not possible while the order is {0}")]
    Status(Status),
    /// The lines are not acceptable.
    #[error(transparent)]
    Lines(#[from] LineError),
    /// Nothing can be sent to the recipient.
    #[error(transparent)]
    Recipient(#[from] RecipientError),
}

/// What decisions need to know of an order.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    pub(crate) status: Status,
    pub(crate) sold: Sold,
}

/// The rules of an order.
#[derive(Debug)]
pub struct Order;

impl Decider for Order {
    const CATEGORY: Category = "order";
    const INTERNAL: &'static [&'static str] = &["Confirm", "Fail"];
    type State = State;
    type Command = Command;
    type Event = Event;
    type Error = Refusal;

    fn decide(State { status, sold }: &State, command: Command) -> Result<Vec<Event>, Refusal> {
        use {Command as C, Event as E, Status as S};
        Ok(vec![match (command, status) {
            (C::AddLines(part), S::Draft) => E::OrderLinesAdded(sold.extend(part)?),
            (C::Place(basket), S::Draft) => E::OrderPlaced(sold.sell(basket)?),
            (C::Confirm, S::Placed) => E::OrderConfirmed,
            (C::Ship, S::Confirmed) => E::OrderShipped,
            (C::Deliver, S::Shipped) => E::OrderDelivered,
            (C::Cancel(why), S::Placed | S::Confirmed) => E::OrderCancelled(sold.cancel(why)?),
            (C::Return(back), S::Delivered | S::Returned) => {
                E::OrderReturned(sold.bring_back(back)?)
            }
            (C::Fail(why), S::Placed) => E::OrderPlacementFailed(sold.fail(why)?),
            // What was done before is not done again.
            (C::Confirm, S::Confirmed | S::Shipped | S::Delivered | S::Returned)
            | (C::Ship, S::Shipped | S::Delivered | S::Returned)
            | (C::Deliver, S::Delivered | S::Returned)
            | (C::Cancel(_), S::Cancelled)
            | (C::Fail(_), S::Failed) => return Ok(vec![]),
            (_, status) => return Err(Refusal::Status(*status)),
        }])
    }

    fn evolve(State { status, sold }: &mut State, event: &Event) {
        match event {
            Event::OrderLinesAdded(part) => sold.add(part),
            Event::OrderPlaced(sale) => *sold = sale.into(),
            Event::OrderCancelled(undoing)
            | Event::OrderReturned(undoing)
            | Event::OrderPlacementFailed(undoing) => sold.remove(undoing),
            Event::OrderConfirmed | Event::OrderShipped | Event::OrderDelivered => {}
        }
        *status = status.after(event);
    }

    fn upcasters() -> Upcasters {
        event::upcasters()
    }
}
