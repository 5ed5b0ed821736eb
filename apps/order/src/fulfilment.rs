//! Fills an order: reserves its goods, collects its payment, and confirms it; or undoes all that.

mod funds;
mod goods;
mod heard;

use serde::{Deserialize, Serialize};
use skyfold::{Effect, RecordedEvent, Saga, StreamId, Subscription};

use crate::Status;
use crate::order::{Command, Order};
use crate::undoing::Because;
use funds::Funds;
pub use funds::PAYMENT_TIMEOUT;
use goods::Goods;
pub use heard::Heard;

/// The transaction that fills one order.
///
/// Events of different streams come in any order, so it takes note of facts, and after each asks
/// for what they call for and was not asked before. What comes for an order that is off goes back.
#[derive(Debug)]
pub struct Fulfilment;

/// The facts, as far as they were heard.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    status: Status,
    goods: Goods,
    funds: Funds,
    /// Whether the order was told how its placement ends.
    is_told: bool,
}

impl Saga for Fulfilment {
    const NAME: &'static str = "fulfilment";
    type Input = Heard;
    type State = State;

    fn subscription() -> Subscription<Heard> {
        Heard::subscription()
    }

    fn correlate(event: &RecordedEvent<Heard>) -> Option<StreamId> {
        Heard::order(event)
    }

    fn react(state: &mut State, event: &RecordedEvent<Heard>) -> Vec<Effect> {
        let Some(order) = Self::correlate(event) else { return vec![] };
        if let Heard::Order(event) = &event.data {
            state.status = state.status.after(event);
        }
        state.goods.hear(event);
        state.funds.hear(event);
        let mut steps = state.goods.steps(&order);
        steps.extend(state.funds.steps(&order));
        if state.status == Status::Placed && !state.is_told {
            steps.extend(state.place(&order));
        }
        steps
    }

    fn has_ended(state: &State) -> bool {
        state.status != Status::Placed && state.goods.are_settled() && state.funds.are_settled()
    }
}

impl State {
    /// Goes on with the placement, and tells the order once it is certain how it ends.
    fn place(&mut self, order: &StreamId) -> Vec<Effect> {
        let command = match self.goods.problem().or_else(|| self.funds.problem()) {
            Some(reason) => Command::Fail(Because { reason, on: None }),
            None if !self.goods.are_complete() => return vec![],
            None if !self.funds.are_certain() => return self.funds.request(order),
            None => Command::Confirm,
        };
        self.is_told = true;
        vec![Effect::send::<Order>(order, command)]
    }
}
