//! The payment gateway: a service outside, asked at the edge before a payment is decided on.

use std::future::Future;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use skyfold::{CommandId, Edge, Result};

use crate::Money;
use crate::bill::{Amount, Authorization, Bill, Charge, Decline, Paid};
use crate::payment::{Command, Event};

/// What a gateway says to a payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum GatewayAnswer {
    /// The amount is set aside on the customer's account.
    Approved {
        /// The gateway's own name for it.
        reference: String,
    },
    /// It is not.
    Declined(Decline),
}

impl GatewayAnswer {
    /// What it means for a payment of `bill` that is at `paid`: nothing, if it was answered
    /// before.
    pub(crate) fn settles(self, bill: Bill, paid: Paid) -> Vec<Event> {
        match (self, paid) {
            (Self::Approved { reference }, Paid::Not | Paid::Requested) => {
                vec![Event::PaymentAuthorized(Authorization { bill, reference })]
            }
            (Self::Declined(decline), Paid::Not | Paid::Requested) => {
                vec![Event::PaymentDeclined(decline)]
            }
            // Nobody waits for the money any more: it goes back at once.
            (Self::Approved { reference }, Paid::Expired) if bill.amount > Money::ZERO => vec![
                Event::PaymentAuthorized(Authorization { bill, reference }),
                Event::PaymentRefunded(Amount { amount: bill.amount }),
            ],
            _ => vec![],
        }
    }
}

/// Sets amounts of money aside on the accounts of customers.
pub trait Gateway: Send + Sync + 'static {
    /// Asks for what `bill` says. However often it is asked under one `key`, it sets the amount
    /// aside once, and gives the same answer; `None` if it has not answered in time.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](skyfold::ErrorKind::Unavailable) if it cannot be reached: the command is
    /// then tried again, under the same key.
    fn authorize(
        &self,
        key: &CommandId,
        bill: &Bill,
    ) -> impl Future<Output = Result<Option<GatewayAnswer>>> + Send;
}

/// Completes `command` at the edge: `gateway` is asked under the command's own id, so that a
/// command which is tried again brings the same answer.
///
/// # Errors
///
/// Those of the gateway.
pub async fn ask<G: Gateway>(gateway: &G, command: Command, edge: &Edge) -> Result<Command> {
    let Command::Authorize(charge) = command else { return Ok(command) };
    let answer = match charge.bill.amount > Money::ZERO {
        true => gateway.authorize(&edge.id, &charge.bill).await?,
        // The payment refuses it, so nobody needs to be asked.
        false => None,
    };
    Ok(Command::Authorize(Charge { answer, ..charge }))
}

/// A gateway that is no further away than this process, and answers by the amount alone:
///
/// | amount | answer |
/// |---|---|
/// | more than 1,000,000 | declined: over the limit |
/// | exactly 999,999.99 | none in time |
/// | any other | approved |
#[derive(Clone, Copy, Debug, Default)]
pub struct SimulatedGateway;

impl SimulatedGateway {
    /// The largest amount that is approved.
    pub const LIMIT: Money = Money::whole(1_000_000);

    /// The amount to which it does not answer in time.
    pub const UNANSWERED: Money = Money::hundredths(99_999_999);
}

impl Gateway for SimulatedGateway {
    async fn authorize(&self, key: &CommandId, bill: &Bill) -> Result<Option<GatewayAnswer>> {
        Ok(match bill.amount {
            amount if amount == Self::UNANSWERED => None,
            amount if amount > Self::LIMIT => {
                let reason = format!("{amount} is over the limit of {}", Self::LIMIT);
                Some(GatewayAnswer::Declined(Decline { reason }))
            }
            _ => Some(GatewayAnswer::Approved { reference: format!("simulated-{key}") }),
        })
    }
}
