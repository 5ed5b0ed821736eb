//! The rules of the stock of one product.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use skyfold::{Category, Decider, StreamId};

use crate::level::{Level, Pieces, Share};

/// What may be asked of a product's stock.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum Command {
    /// Puts new pieces on the shelf.
    Receive(Pieces),
    /// Sets pieces aside for an order.
    Reserve(Share),
    /// Puts pieces of an order on the shelf again: it has no use for them, or sent them back.
    Release(Share),
    /// Takes pieces off the shelf that are broken or missing.
    WriteOff(Pieces),
}

/// What may have happened to a product's stock.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum Event {
    /// New pieces are on the shelf.
    StockReceived(Pieces),
    /// Pieces were set aside.
    StockReserved(Share),
    /// There were not so many on the shelf.
    ReservationRefused(Share),
    /// Pieces of an order are on the shelf again.
    StockReleased(Share),
    /// Pieces are gone.
    StockWrittenOff(Pieces),
}

/// Why a command is refused.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Nothing is no quantity.
    #[error("the quantity is 0")]
    Nothing,
    /// More would be in stock than can be counted.
    #[error("there is room for {0} more, not {1}")]
    NoRoom(u32, u32),
    /// There are not so many on the shelf.
    #[error("only {0} are on the shelf, not {1}")]
    NotAvailable(u32, u32),
    /// There are not so many with orders.
    #[error("only {0} are with orders, not {1}")]
    NotReserved(u32, u32),
}

/// The rules of the stock of one product.
#[derive(Debug)]
pub struct Stock;

impl Decider for Stock {
    const CATEGORY: Category = "stock";
    const INTERNAL: &'static [&'static str] = &["Reserve", "Release"];
    type State = Level;
    type Command = Command;
    type Event = Event;
    type Error = Refusal;

    fn decide(level: &Level, command: Command) -> Result<Vec<Event>, Refusal> {
        let Level { available, reserved } = *level;
        let room = u32::MAX - available - reserved;
        Ok(vec![match command {
            Command::Receive(Pieces { quantity: 0, .. })
            | Command::WriteOff(Pieces { quantity: 0, .. })
            | Command::Reserve(Share { quantity: 0, .. })
            | Command::Release(Share { quantity: 0, .. }) => return Err(Refusal::Nothing),
            Command::Receive(new) if new.quantity <= room => Event::StockReceived(new),
            Command::Receive(new) => return Err(Refusal::NoRoom(room, new.quantity)),
            Command::WriteOff(lost) if lost.quantity <= available => Event::StockWrittenOff(lost),
            Command::WriteOff(lost) => return Err(Refusal::NotAvailable(available, lost.quantity)),
            Command::Release(share) if share.quantity <= reserved => Event::StockReleased(share),
            Command::Release(share) => return Err(Refusal::NotReserved(reserved, share.quantity)),
            Command::Reserve(share) if share.quantity <= available => Event::StockReserved(share),
            // The order has to hear of it, so it is something that happened.
            Command::Reserve(share) => Event::ReservationRefused(share),
        }])
    }

    fn evolve(level: &mut Level, event: &Event) {
        let Level { available, reserved } = level;
        match event {
            Event::StockReceived(pieces) => *available += pieces.quantity,
            Event::StockWrittenOff(pieces) => *available -= pieces.quantity,
            Event::StockReserved(share) => {
                *available -= share.quantity;
                *reserved += share.quantity;
            }
            Event::StockReleased(share) => {
                *available += share.quantity;
                *reserved -= share.quantity;
            }
            Event::ReservationRefused(_) => {}
        }
    }
}

impl Event {
    /// The order that it is about, if it is about one.
    pub fn order(&self) -> Option<&StreamId> {
        match self {
            Self::StockReserved(s) | Self::ReservationRefused(s) | Self::StockReleased(s) => {
                Some(&s.order)
            }
            Self::StockReceived(_) | Self::StockWrittenOff(_) => None,
        }
    }
}
