//! The rules of the payment for one order.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use skyfold::{Category, Decider};

use crate::Money;
use crate::balance::Balance;
use crate::bill::{Amount, Authorization, Bill, Charge, Decline, Paid};
use crate::gateway::GatewayAnswer;

/// What may be asked of a payment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum Command {
    /// Asks the gateway for the money.
    Authorize(Charge),
    /// Brings an answer of the gateway that did not come in time.
    Answer(GatewayAnswer),
    /// Waits for an answer no longer.
    Expire,
    /// Takes what was set aside and not given back.
    Capture,
    /// Gives some of it back.
    Refund(Amount),
    /// Gives back whatever there is beyond this amount: the order comes to no more.
    KeepAtMost(Amount),
}

/// What may have happened to a payment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum Event {
    /// The gateway was asked, and did not answer in time.
    PaymentRequested(Bill),
    /// The money is set aside.
    PaymentAuthorized(Authorization),
    /// The gateway declined.
    PaymentDeclined(Decline),
    /// The answer is no longer waited for.
    PaymentExpired,
    /// The money was taken.
    PaymentCaptured(Amount),
    /// Money was given back.
    PaymentRefunded(Amount),
}

/// Why a command is refused.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The command comes too early or too late.
    #[error("this is not possible while the payment is {0}")]
    Paid(Paid),
    /// It is not an amount that changes hands.
    #[error("{0} is not an amount to pay")]
    Amount(Money),
    /// There is not so much to give back.
    #[error("only {0} can be given back, not {1}")]
    TooMuch(Money, Money),
}

/// The rules of the payment for one order.
#[derive(Debug)]
pub struct Payment;

impl Decider for Payment {
    const CATEGORY: Category = "payment";
    const INTERNAL: &'static [&'static str] = &["Authorize", "Expire", "KeepAtMost"];
    type State = Balance;
    type Command = Command;
    type Event = Event;
    type Error = Refusal;

    fn decide(balance: &Balance, command: Command) -> Result<Vec<Event>, Refusal> {
        use {Command as C, Event as E};
        let Balance { paid, bill, left } = *balance;
        Ok(match (command, paid) {
            (C::Authorize(Charge { bill, .. }), _) if bill.amount <= Money::ZERO => {
                return Err(Refusal::Amount(bill.amount));
            }
            (C::Refund(Amount { amount }), _) if amount <= Money::ZERO => {
                return Err(Refusal::Amount(amount));
            }
            (C::Authorize(Charge { bill, answer: Some(answer) }), _) => answer.settles(bill, paid),
            (C::Authorize(Charge { bill, .. }), Paid::Not) => vec![E::PaymentRequested(bill)],
            (C::Answer(answer), paid) if paid != Paid::Not => answer.settles(bill, paid),
            (C::Expire, Paid::Not | Paid::Requested) => vec![E::PaymentExpired],
            (C::Capture, Paid::Authorized) => vec![E::PaymentCaptured(Amount { amount: left })],
            (C::Refund(Amount { amount }), Paid::Authorized | Paid::Captured) if amount > left => {
                return Err(Refusal::TooMuch(left, amount));
            }
            (C::Refund(amount), Paid::Authorized | Paid::Captured) => {
                vec![E::PaymentRefunded(amount)]
            }
            (C::KeepAtMost(most), _) => {
                balance.beyond(most).map(E::PaymentRefunded).into_iter().collect()
            }
            // What was done before is not done again.
            (C::Authorize(_) | C::Expire, _) | (C::Capture, Paid::Captured) => vec![],
            (_, paid) => return Err(Refusal::Paid(paid)),
        })
    }

    fn evolve(balance: &mut Balance, event: &Event) {
        match event {
            Event::PaymentRequested(bill) => {
                (balance.paid, balance.bill) = (Paid::Requested, *bill)
            }
            Event::PaymentAuthorized(Authorization { bill, .. }) => {
                *balance = Balance { paid: Paid::Authorized, bill: *bill, left: bill.amount };
            }
            Event::PaymentDeclined(_) => balance.paid = Paid::Declined,
            Event::PaymentExpired => balance.paid = Paid::Expired,
            Event::PaymentCaptured(_) => balance.paid = Paid::Captured,
            Event::PaymentRefunded(Amount { amount }) => {
                balance.left = balance.left.checked_sub(*amount).unwrap_or_default();
            }
        }
    }
}
