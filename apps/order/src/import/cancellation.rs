//! Finds what a cancellation cancels: it names a customer and products, and no order.

use std::collections::{BTreeMap, HashMap};

use skyfold::StreamId;

use crate::Money;
use crate::line::{Line, Returned};

/// What customers have bought so far and not brought back.
#[derive(Debug, Default)]
pub(super) struct Purchases {
    orders: Vec<Purchase>,
    /// The lines of each customer's orders, oldest first.
    lines: HashMap<StreamId, Vec<BoughtLine>>,
}

#[derive(Debug)]
struct Purchase {
    order: StreamId,
    /// How many pieces are left of it.
    left: u64,
    /// Whether nothing was undone of it yet.
    is_whole: bool,
}

#[derive(Debug)]
struct BoughtLine {
    /// The place of its order among all orders.
    order: usize,
    product: StreamId,
    unit_price: Money,
    left: u32,
}

/// Something that comes back, as one line of the file has it.
#[derive(Clone, Debug)]
pub(super) struct Back {
    pub(super) line: u64,
    pub(super) returned: Returned,
}

/// How one order is undone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Undone {
    pub(super) order: StreamId,
    pub(super) how: How,
    /// The lines of the file that say so.
    pub(super) lines: Vec<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// All of it, before it is shipped.
    Cancelled,
    /// As much as this, the first of it.
    FirstReturned(Vec<Returned>),
    /// As much as this, after something else.
    Returned(Vec<Returned>),
}

impl Purchases {
    /// Remembers that `customer` bought `lines`.
    pub(super) fn buy(&mut self, customer: &StreamId, order: &StreamId, lines: &[Line]) {
        let left = lines.iter().map(|line| u64::from(line.quantity)).sum();
        let place = self.orders.len();
        self.orders.push(Purchase { order: order.clone(), left, is_whole: true });
        let bought = lines.iter().map(|line| BoughtLine {
            order: place,
            product: line.product.clone(),
            unit_price: line.unit_price,
            left: line.quantity,
        });
        self.lines.entry(customer.clone()).or_default().extend(bought);
    }

    /// Takes what `customer` brings back out of the newest orders that have it. Gives what that
    /// undoes, and which lines of the file cannot be placed and why.
    pub(super) fn bring_back(
        &mut self,
        customer: &StreamId,
        back: &[Back],
    ) -> (Vec<Undone>, Vec<(u64, &'static str)>) {
        let bought = self.lines.entry(customer.clone()).or_default();
        let mut unplaced = vec![];
        let mut taken: BTreeMap<usize, (Vec<Returned>, Vec<u64>)> = BTreeMap::new();
        for Back { line, returned } in back {
            if let Some(reason) = missing(bought, returned) {
                unplaced.push((*line, reason));
                continue;
            }
            for (order, part) in take(bought, returned) {
                let (parts, lines) = taken.entry(order).or_default();
                parts.push(part);
                lines.push(*line);
            }
        }
        let undone = taken.into_iter().map(|(order, (parts, lines))| {
            let purchase = &mut self.orders[order];
            let count: u64 = parts.iter().map(|part| u64::from(part.quantity)).sum();
            purchase.left -= count;
            let how = match std::mem::replace(&mut purchase.is_whole, false) {
                true if purchase.left == 0 => How::Cancelled,
                true => How::FirstReturned(parts),
                false => How::Returned(parts),
            };
            Undone { order: purchase.order.clone(), how, lines }
        });
        (undone.collect(), unplaced)
    }
}

/// Why `returned` cannot come out of `bought`.
fn missing(bought: &[BoughtLine], returned: &Returned) -> Option<&'static str> {
    let of_product = || bought.iter().filter(|line| line.product == returned.product);
    let at_price = || of_product().filter(|line| Some(line.unit_price) == returned.unit_price);
    let left: u64 = at_price().map(|line| u64::from(line.left)).sum();
    if of_product().next().is_none() {
        return Some("the customer has not bought this earlier in the file");
    }
    if at_price().next().is_none() {
        return Some("the customer has bought this at another price");
    }
    (left < u64::from(returned.quantity)).then_some("the customer has not so many of this left")
}

/// Takes `returned` out of `bought`, newest first. Gives what comes out of which order.
fn take(bought: &mut [BoughtLine], returned: &Returned) -> Vec<(usize, Returned)> {
    let mut wanted = returned.quantity;
    let mut taken = vec![];
    for line in bought.iter_mut().rev() {
        let is_meant =
            line.product == returned.product && Some(line.unit_price) == returned.unit_price;
        let quantity = wanted.min(line.left);
        if is_meant && quantity > 0 {
            wanted -= quantity;
            line.left -= quantity;
            taken.push((line.order, Returned { quantity, ..returned.clone() }));
        }
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::LineKind;

    fn id(text: &str) -> StreamId {
        text.parse().unwrap()
    }

    fn line(product: &str, quantity: u32, unit_price: &str) -> Line {
        let (product, unit_price) = (id(product), unit_price.parse().unwrap());
        Line { product, description: String::new(), quantity, unit_price, kind: LineKind::Goods }
    }

    fn returned(product: &str, quantity: u32, unit_price: &str) -> Returned {
        Returned::from(&line(product, quantity, unit_price))
    }

    fn back(line: u64, product: &str, quantity: u32, unit_price: &str) -> Back {
        Back { line, returned: returned(product, quantity, unit_price) }
    }

    fn undone(order: &str, how: How, lines: &[u64]) -> Undone {
        Undone { order: id(order), how, lines: lines.to_vec() }
    }

    /// Ada has ordered hearts twice, and a star.
    fn purchases() -> Purchases {
        let mut purchases = Purchases::default();
        purchases.buy(&id("ada"), &id("1"), &[line("HEART", 6, "3.39"), line("STAR", 1, "1.00")]);
        purchases.buy(&id("ada"), &id("2"), &[line("HEART", 4, "3.39")]);
        purchases
    }

    #[test]
    fn what_is_all_of_an_order_cancels_it() {
        let (found, unplaced) = purchases().bring_back(&id("ada"), &[back(9, "HEART", 4, "3.39")]);
        assert_eq!((found, unplaced), (vec![undone("2", How::Cancelled, &[9])], vec![]));
    }

    #[test]
    fn what_is_part_of_an_order_is_returned_and_after_that_nothing_is_cancelled() {
        let mut purchases = purchases();
        let (found, _) = purchases.bring_back(&id("ada"), &[back(9, "HEART", 3, "3.39")]);
        let part = vec![returned("HEART", 3, "3.39")];
        assert_eq!(found, [undone("2", How::FirstReturned(part), &[9])]);
        let (found, _) = purchases.bring_back(&id("ada"), &[back(10, "HEART", 1, "3.39")]);
        let rest = vec![returned("HEART", 1, "3.39")];
        assert_eq!(found, [undone("2", How::Returned(rest), &[10])]);
    }

    #[test]
    fn what_one_order_has_not_comes_out_of_several_newest_first() {
        let lines = [back(9, "HEART", 5, "3.39"), back(10, "STAR", 1, "1.00")];
        let (found, unplaced) = purchases().bring_back(&id("ada"), &lines);
        let parts = vec![returned("HEART", 1, "3.39"), returned("STAR", 1, "1.00")];
        let first = undone("1", How::FirstReturned(parts), &[9, 10]);
        assert_eq!((found, unplaced), (vec![first, undone("2", How::Cancelled, &[9])], vec![]));
    }

    #[test]
    fn what_cannot_be_placed_is_told_with_the_reason_and_takes_nothing() {
        let mut purchases = purchases();
        for (customer, wrong, reason) in [
            ("ada", back(9, "HEART", 11, "3.39"), "the customer has not so many of this left"),
            ("ada", back(9, "HEART", 1, "3.38"), "the customer has bought this at another price"),
            (
                "ada",
                back(9, "MOON", 1, "1"),
                "the customer has not bought this earlier in the file",
            ),
            (
                "bob",
                back(9, "HEART", 1, "3.39"),
                "the customer has not bought this earlier in the file",
            ),
        ] {
            let outcome = purchases.bring_back(&id(customer), &[wrong]);
            assert_eq!(outcome, (vec![], vec![(9, reason)]));
        }
        let all = [back(9, "HEART", 10, "3.39")];
        assert_eq!(purchases.bring_back(&id("ada"), &all).1, []);
    }
}
