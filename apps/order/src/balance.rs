//! How the payment for one order stands, and what is to be asked of it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use skyfold::{Effect, StreamId};

use crate::bill::{Amount, Bill, Charge, Paid};
use crate::payment::{Command, Payment};
use crate::{Money, Status};

/// How long the gateway may take to answer before the order is given up.
pub const PAYMENT_TIMEOUT: Duration = Duration::from_secs(15 * 60);

/// What the events of a payment amount to.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Balance {
    pub(crate) paid: Paid,
    pub(crate) bill: Bill,
    /// What was set aside and not given back.
    pub(crate) left: Money,
}

impl Balance {
    /// What is left beyond `most`, if anything.
    pub(crate) fn beyond(&self, most: Amount) -> Option<Amount> {
        let amount = self.left.checked_sub(most.amount.max(Money::ZERO))?;
        (amount > Money::ZERO).then_some(Amount { amount })
    }

    /// Asks for what `bill` says, and for how long to wait; and takes note that it was asked.
    pub(crate) fn request(&mut self, order: &StreamId, bill: Bill) -> Vec<Effect> {
        self.paid = Paid::Requested;
        let authorize = Command::Authorize(Charge { bill, answer: None });
        let expire = Effect::send::<Payment>(order, Command::Expire);
        let expire = expire.after(PAYMENT_TIMEOUT).named("payment");
        vec![Effect::send::<Payment>(order, authorize), expire]
    }

    /// Asks for what is open once an order at `status` comes to `amount`: to give back what is
    /// beyond that, and to take what is due.
    pub(crate) fn settle(&self, order: &StreamId, status: Status, amount: Money) -> Option<Effect> {
        self.open(status, amount).map(|command| Effect::send::<Payment>(order, command))
    }

    /// Whether nothing remains to be asked or answered.
    pub(crate) fn is_settled(&self, status: Status, amount: Money) -> bool {
        self.paid != Paid::Requested && self.open(status, amount).is_none()
    }

    fn open(&self, status: Status, amount: Money) -> Option<Command> {
        let most = Amount { amount };
        if self.beyond(most).is_some() {
            return Some(Command::KeepAtMost(most));
        }
        (status.is_out() && self.paid == Paid::Authorized).then_some(Command::Capture)
    }
}
