use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use skyfold::{Effect, RecordedEvent, StreamId};

use super::Heard;
use crate::level::Share;
use crate::line;
use crate::order::Event as OrderEvent;
use crate::stock::{Command, Event as StockEvent, Stock};

/// About how many products is asked at a time, so that what is asked at once fits into a record.
const OUTSTANDING_MAX: usize = 100;

/// Some pieces of each product; never 0.
type Pieces = BTreeMap<StreamId, u32>;

/// The goods of an order: how many pieces of each product are at which step.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Goods {
    /// To be reserved.
    wanted: Pieces,
    /// Asked to be reserved.
    reserving: Pieces,
    /// Reserved.
    held: Pieces,
    /// To be released, once they are held.
    unwanted: Pieces,
    /// Asked to be released.
    releasing: Pieces,
    /// A product of which there was not enough.
    missing: Option<StreamId>,
}

impl Goods {
    /// Takes note of what happened. What nobody asked for here changes nothing.
    pub(super) fn hear(&mut self, event: &RecordedEvent<Heard>) {
        let product = event.stream.id();
        match &event.data {
            Heard::Order(OrderEvent::OrderPlaced(sale)) => {
                self.wanted = line::goods(sale.all_lines());
            }
            Heard::Order(OrderEvent::OrderReturned(undoing)) => {
                add_all(&mut self.unwanted, line::goods(&undoing.lines));
            }
            Heard::Order(OrderEvent::OrderCancelled(_) | OrderEvent::OrderPlacementFailed(_)) => {
                self.wanted.clear();
                add_all(&mut self.unwanted, self.held.clone());
                add_all(&mut self.unwanted, self.reserving.clone());
            }
            Heard::Stock(StockEvent::StockReserved(Share { quantity, .. }))
                if take(&mut self.reserving, &product, *quantity) =>
            {
                add(&mut self.held, product, *quantity);
            }
            Heard::Stock(StockEvent::ReservationRefused(Share { quantity, .. }))
                if take(&mut self.reserving, &product, *quantity) =>
            {
                self.missing.get_or_insert(product);
                self.wanted.clear();
            }
            Heard::Stock(StockEvent::StockReleased(Share { quantity, .. })) => {
                // If not for this transaction, somebody else has put them back.
                let _ = take(&mut self.releasing, &product, *quantity)
                    || take(&mut self.held, &product, *quantity);
            }
            _ => {}
        }
    }

    /// Asks for what is wanted, and gives back what is not.
    pub(super) fn steps(&mut self, order: &StreamId) -> Vec<Effect> {
        let share = |quantity| Share { order: order.clone(), quantity };
        let mut steps = vec![];
        while self.reserving.len() < OUTSTANDING_MAX
            && let Some((product, quantity)) = self.wanted.pop_first()
        {
            steps.push(Effect::send::<Stock>(&product, Command::Reserve(share(quantity))));
            add(&mut self.reserving, product, quantity);
        }
        let room = OUTSTANDING_MAX.saturating_sub(self.releasing.len());
        for (product, quantity) in self.to_release().take(room).collect::<Vec<_>>() {
            steps.push(Effect::send::<Stock>(&product, Command::Release(share(quantity))));
            take(&mut self.unwanted, &product, quantity);
            take(&mut self.held, &product, quantity);
            add(&mut self.releasing, product, quantity);
        }
        steps
    }

    /// What is both held and unwanted.
    fn to_release(&self) -> impl Iterator<Item = (StreamId, u32)> {
        self.unwanted.iter().filter_map(|(product, unwanted)| {
            let held = self.held.get(product)?;
            Some((product.clone(), *unwanted.min(held)))
        })
    }

    /// Why the order cannot be filled.
    pub(super) fn problem(&self) -> Option<String> {
        self.missing.as_ref().map(|product| format!("there is not enough of {product} in stock"))
    }

    /// Whether everything wanted is held.
    pub(super) fn are_complete(&self) -> bool {
        self.wanted.is_empty() && self.reserving.is_empty() && self.missing.is_none()
    }

    /// Whether nothing remains to be asked or answered.
    pub(super) fn are_settled(&self) -> bool {
        // What is left as unwanted without being held was never given.
        self.wanted.is_empty() && self.reserving.is_empty() && self.releasing.is_empty()
    }
}

fn add(pieces: &mut Pieces, product: StreamId, quantity: u32) {
    let have = pieces.entry(product).or_default();
    *have = have.saturating_add(quantity);
}

fn add_all(pieces: &mut Pieces, more: Pieces) {
    more.into_iter().for_each(|(product, quantity)| add(pieces, product, quantity));
}

/// Takes `quantity` of `product` out, if there are so many.
fn take(pieces: &mut Pieces, product: &StreamId, quantity: u32) -> bool {
    match pieces.get_mut(product) {
        Some(have) if *have > quantity => *have -= quantity,
        Some(have) if *have == quantity => drop(pieces.remove(product)),
        _ => return false,
    }
    true
}
