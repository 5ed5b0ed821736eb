use std::time::Duration;

use serde::{Deserialize, Serialize};
use skyfold::{Effect, RecordedEvent, StreamId};

use super::Heard;
use crate::Money;
use crate::bill::{Amount, Bill, Charge, Paid};
use crate::order::Event as OrderEvent;
use crate::payment::{Command, Event as PaymentEvent, Payment};

/// How long the gateway may take to answer before the order is given up.
pub const PAYMENT_TIMEOUT: Duration = Duration::from_secs(15 * 60);

/// The money of an order.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Funds {
    bill: Bill,
    paid: Paid,
    /// Authorized or captured, and not asked back.
    left: Money,
    /// To be refunded, as far as anything is left.
    owed: Money,
    /// Asked to be refunded.
    refunding: Money,
    /// Whether the order is shipped, and the money to be captured.
    is_due: bool,
    /// Whether it was asked to be captured.
    is_capturing: bool,
    /// Whether the order is off, and whatever comes to be refunded.
    is_off: bool,
    /// Why there is no money.
    problem: Option<String>,
}

impl Funds {
    /// Takes note of what happened.
    pub(super) fn hear(&mut self, event: &RecordedEvent<Heard>) {
        match &event.data {
            Heard::Order(OrderEvent::OrderPlaced(sale)) => {
                self.bill = Bill { amount: sale.amount, currency: sale.currency };
            }
            Heard::Order(OrderEvent::OrderShipped) => self.is_due = true,
            Heard::Order(OrderEvent::OrderReturned(undoing)) => {
                self.owed = sum(self.owed, undoing.amount);
            }
            Heard::Order(OrderEvent::OrderCancelled(_) | OrderEvent::OrderPlacementFailed(_)) => {
                self.is_off = true;
            }
            Heard::Payment(event) => self.hear_payment(event),
            Heard::Order(_) | Heard::Stock(_) => {}
        }
    }

    fn hear_payment(&mut self, event: &PaymentEvent) {
        match event {
            PaymentEvent::PaymentAuthorized(authorization)
                if matches!(self.paid, Paid::Not | Paid::Requested) =>
            {
                (self.paid, self.left) = (Paid::Authorized, authorization.bill.amount);
            }
            // It came too late: the payment itself gives it back.
            PaymentEvent::PaymentAuthorized(_) | PaymentEvent::PaymentRequested(_) => {}
            PaymentEvent::PaymentDeclined(decline) => {
                self.paid = Paid::Declined;
                self.problem = Some(format!("the payment was declined: {}", decline.reason));
            }
            PaymentEvent::PaymentExpired => {
                self.paid = Paid::Expired;
                self.problem = Some("the payment was not answered in time".into());
            }
            PaymentEvent::PaymentCaptured(_) => {
                (self.paid, self.is_capturing) = (Paid::Captured, false);
            }
            PaymentEvent::PaymentRefunded(Amount { amount }) if *amount <= self.refunding => {
                self.refunding = rest(self.refunding, *amount);
            }
            // If not for this transaction, somebody else has given it back.
            PaymentEvent::PaymentRefunded(Amount { amount }) => {
                self.left = rest(self.left, *amount);
            }
        }
    }

    /// Takes what is due, and gives back what is owed.
    pub(super) fn steps(&mut self, order: &StreamId) -> Vec<Effect> {
        let mut steps = vec![];
        let has_money = self.left > Money::ZERO;
        if self.is_due && has_money && self.paid == Paid::Authorized && !self.is_capturing {
            self.is_capturing = true;
            steps.push(Effect::send::<Payment>(order, Command::Capture));
        }
        let amount = if self.is_off { self.left } else { self.owed.min(self.left) };
        if amount > Money::ZERO {
            self.left = rest(self.left, amount);
            self.owed = rest(self.owed, amount);
            self.refunding = sum(self.refunding, amount);
            steps.push(Effect::send::<Payment>(order, Command::Refund(Amount { amount })));
        }
        steps
    }

    /// Asks for what is to be paid, unless that was done before, and for how long to wait.
    pub(super) fn request(&mut self, order: &StreamId) -> Vec<Effect> {
        if self.paid != Paid::Not {
            return vec![];
        }
        self.paid = Paid::Requested;
        let authorize = Command::Authorize(Charge { bill: self.bill, answer: None });
        let expire = Effect::send::<Payment>(order, Command::Expire).after(PAYMENT_TIMEOUT);
        vec![Effect::send::<Payment>(order, authorize), expire]
    }

    /// Why there is no money.
    pub(super) fn problem(&self) -> Option<String> {
        self.problem.clone()
    }

    /// Whether everything that is to be paid is there.
    pub(super) fn are_certain(&self) -> bool {
        let is_free = self.bill.amount == Money::ZERO;
        is_free || matches!(self.paid, Paid::Authorized | Paid::Captured)
    }

    /// Whether nothing remains to be asked or answered.
    pub(super) fn are_settled(&self) -> bool {
        self.paid != Paid::Requested && self.refunding == Money::ZERO && !self.is_capturing
    }
}

fn sum(one: Money, other: Money) -> Money {
    one.checked_add(other).expect("parts of a bill add up to no more than the bill")
}

/// What is left of `whole` without `part`: never less than nothing.
fn rest(whole: Money, part: Money) -> Money {
    whole.checked_sub(part).unwrap_or_default().max(Money::ZERO)
}
