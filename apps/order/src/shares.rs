//! What one order has of each product, as the stocks tell.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use skyfold::{Effect, StreamId};

use crate::level::Share;
use crate::stock::{Command, Event, Stock};

/// How many stocks are asked at a time, so that all that is asked at once fits into one record.
const STOCKS_MAX: usize = 100;

/// Some pieces of each product.
pub type Goods = BTreeMap<StreamId, u32>;

/// What one order has of each product, and whose stock has been asked about it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Shares {
    held: Goods,
    asked: BTreeSet<StreamId>,
}

impl Shares {
    /// Takes note of what the stock of `product` has done about the order.
    pub(crate) fn hear(&mut self, product: StreamId, event: &Event) {
        self.asked.remove(&product);
        let held = self.held.entry(product).or_default();
        match event {
            Event::StockReserved(share) => *held = held.saturating_add(share.quantity),
            Event::StockReleased(share) => *held = held.saturating_sub(share.quantity),
            _ => {}
        }
    }

    /// Asks for what `order` wants and has not.
    pub(crate) fn reserve(&mut self, order: &StreamId, wanted: &Goods) -> Vec<Effect> {
        self.ask(order, beyond(wanted, &self.held), Command::Reserve)
    }

    /// Gives back what `order` has and does not want.
    pub(crate) fn release(&mut self, order: &StreamId, wanted: &Goods) -> Vec<Effect> {
        self.ask(order, beyond(&self.held, wanted), Command::Release)
    }

    /// Whether a stock still owes an answer.
    pub(crate) fn are_awaited(&self) -> bool {
        !self.asked.is_empty()
    }

    /// Whether everything wanted is there.
    pub(crate) fn suffice(&self, wanted: &Goods) -> bool {
        beyond(wanted, &self.held).is_empty()
    }

    /// Whether nothing remains to be given back or answered.
    pub(crate) fn are_settled(&self, wanted: &Goods) -> bool {
        self.asked.is_empty() && beyond(&self.held, wanted).is_empty()
    }

    /// Asks about `goods`, but for those whose stock still owes an answer. What is too much for
    /// now is asked when an answer comes.
    fn ask(
        &mut self,
        order: &StreamId,
        goods: Goods,
        command: fn(Share) -> Command,
    ) -> Vec<Effect> {
        let open = goods.into_iter().filter(|(product, _)| !self.asked.contains(product));
        let open: Vec<_> = open.take(STOCKS_MAX).collect();
        self.asked.extend(open.iter().map(|(product, _)| product.clone()));
        let ask = |(product, quantity)| {
            Effect::send::<Stock>(&product, command(Share { order: order.clone(), quantity }))
        };
        open.into_iter().map(ask).collect()
    }
}

/// What `goods` has more than `others`.
fn beyond(goods: &Goods, others: &Goods) -> Goods {
    let more = |(product, quantity): (&StreamId, &u32)| {
        let other = others.get(product).copied().unwrap_or_default();
        (*quantity > other).then(|| (product.clone(), quantity - other))
    };
    goods.iter().filter_map(more).collect()
}
