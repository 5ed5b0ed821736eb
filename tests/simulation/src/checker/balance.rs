//! Stock and money add up, and what was undone was undone in full.

use std::collections::BTreeMap;

use order::line;
use order::order::{Event as OrderEvent, Order};
use order::payment::{Event as PaymentEvent, Payment};
use order::stock::{Event as StockEvent, Stock};
use order::undoing::Undoing;
use order::{Money, Status};
use skyfold::{StreamId, Subscription};

use crate::checker::Audit;
use crate::evidence::Evidence;
use crate::newer::former;
use crate::violation::{Rule, Verdict, Violation, ensure};

/// The order app's own rules across streams, once everything has come to rest: an order that is
/// filled has its goods and its money, less what was taken back; any other has neither.
pub(crate) struct Balance;

/// An order, and what others hold on its account.
#[derive(Debug, Default)]
struct Account {
    status: Status,
    /// Pieces of each product that were sold and not taken back.
    goods: BTreeMap<StreamId, i64>,
    /// Pieces of each product that are set aside or sent out.
    held: BTreeMap<StreamId, i64>,
    amount: Money,
    /// Money that is set aside or taken.
    paid: Money,
    is_captured: bool,
}

impl Audit for Balance {
    fn check(&self, evidence: &Evidence) -> Verdict {
        let mut accounts: BTreeMap<StreamId, Account> = BTreeMap::new();
        let mut levels: BTreeMap<StreamId, (i64, i64)> = BTreeMap::new();
        let orders = Subscription::of::<Order>();
        let (payments, stocks) = (Subscription::of::<Payment>(), Subscription::of::<Stock>());
        let unread = |error: skyfold::Error| Violation::new(Rule::Readable, error.to_string());
        for event in evidence.log.all.iter().flat_map(|commit| commit.events().collect::<Vec<_>>())
        {
            let id = event.stream.id();
            match event.stream.category() {
                "order" => {
                    let event = orders.decode(former(event)).map_err(unread)?;
                    accounts.entry(id).or_default().order(&event.data)?;
                }
                "payment" => {
                    let event = payments.decode(former(event)).map_err(unread)?;
                    accounts.entry(id).or_default().payment(&event.data)?;
                }
                "stock" => {
                    let event = stocks.decode(former(event)).map_err(unread)?.data;
                    if let Some(order) = event.order() {
                        accounts.entry(order.clone()).or_default().stock(&id, &event);
                    }
                    count(levels.entry(id).or_default(), &event);
                }
                _ => {}
            }
        }
        let mut held_of: BTreeMap<&StreamId, i64> = BTreeMap::new();
        for (product, pieces) in accounts.values().flat_map(|account| &account.held) {
            *held_of.entry(product).or_default() += pieces;
        }
        for (product, (on_shelf, with_orders)) in levels {
            let held = held_of.get(&product).copied().unwrap_or_default();
            let holds = on_shelf >= 0 && with_orders == held;
            ensure(Rule::StockAddsUp, holds, || {
                format!("{product}: {on_shelf} on the shelf, {with_orders} out, {held} held")
            })?;
        }
        accounts.iter().try_for_each(|(order, account)| account.check(order))
    }
}

/// Counts pieces on the shelf, and pieces with orders.
fn count((on_shelf, with_orders): &mut (i64, i64), event: &StockEvent) {
    match event {
        StockEvent::StockReceived(pieces) => *on_shelf += i64::from(pieces.quantity),
        StockEvent::StockWrittenOff(pieces) => *on_shelf -= i64::from(pieces.quantity),
        StockEvent::StockReserved(share) => {
            *on_shelf -= i64::from(share.quantity);
            *with_orders += i64::from(share.quantity);
        }
        StockEvent::StockReleased(share) => {
            *on_shelf += i64::from(share.quantity);
            *with_orders -= i64::from(share.quantity);
        }
        StockEvent::ReservationRefused(_) => {}
    }
}

fn sum(one: Money, other: Money) -> Result<Money, Violation> {
    one.checked_add(other).ok_or_else(|| Violation::new(Rule::AmountsFit, ""))
}

impl Account {
    fn order(&mut self, event: &OrderEvent) -> Verdict {
        self.status = self.status.after(event);
        let (lines, sign): (Vec<_>, i64) = match (event, Undoing::of(event)) {
            (OrderEvent::OrderPlaced(sale), _) => {
                self.amount = sale.bill.amount;
                (sale.all_lines().collect(), 1)
            }
            (_, Some(undoing)) => {
                self.amount = sum(self.amount, undoing.amount.negated())?;
                (undoing.lines.iter().collect(), -1)
            }
            _ => return Ok(()),
        };
        for (product, quantity) in line::goods(lines) {
            *self.goods.entry(product).or_default() += sign * i64::from(quantity);
        }
        Ok(())
    }

    fn payment(&mut self, event: &PaymentEvent) -> Verdict {
        match event {
            PaymentEvent::PaymentAuthorized(authorization) => {
                self.paid = sum(self.paid, authorization.bill.amount)?;
            }
            PaymentEvent::PaymentRefunded(refund) => {
                self.paid = sum(self.paid, refund.amount.negated())?;
            }
            PaymentEvent::PaymentCaptured(_) => self.is_captured = true,
            _ => {}
        }
        Ok(())
    }

    fn stock(&mut self, product: &StreamId, event: &StockEvent) {
        let held = self.held.entry(product.clone()).or_default();
        match event {
            StockEvent::StockReserved(share) => *held += i64::from(share.quantity),
            StockEvent::StockReleased(share) => *held -= i64::from(share.quantity),
            _ => {}
        }
    }

    fn check(&self, order: &StreamId) -> Verdict {
        let what = || format!("{order}: {self:?}");
        let non_zero = |pieces: &BTreeMap<StreamId, i64>| {
            let kept = pieces.iter().filter(|(_, quantity)| **quantity != 0);
            kept.map(|(product, quantity)| (product.clone(), *quantity)).collect::<Vec<_>>()
        };
        let is_filled = matches!(
            self.status,
            Status::Confirmed | Status::Shipped | Status::Delivered | Status::Returned
        );
        let is_off = matches!(self.status, Status::Draft | Status::Cancelled | Status::Failed);
        ensure(Rule::OrdersEnd, is_filled || is_off, what)?;
        if is_off {
            let is_undone = non_zero(&self.held).is_empty() && self.paid == Money::ZERO;
            return ensure(Rule::OffIsUndone, is_undone, what);
        }
        let is_there = non_zero(&self.held) == non_zero(&self.goods) && self.paid == self.amount;
        ensure(Rule::FilledIsComplete, is_there, what)?;
        let is_sent = self.status != Status::Confirmed && self.paid > Money::ZERO;
        ensure(Rule::ShippedIsPaid, !is_sent || self.is_captured, what)
    }
}
