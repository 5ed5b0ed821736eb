//! Fills an order: reserves its goods, collects its payment, and confirms it; or undoes all that.

use serde::{Deserialize, Serialize};
use skyfold::{Decider, Effect, RecordedEvent, Saga, Snapshots, StreamId, Subscription};

use crate::balance::Balance;
use crate::bill::Paid;
use crate::heard::Heard;
use crate::order::{self, Command, Order};
use crate::payment::Payment;
use crate::shares::Shares;
use crate::undoing::Because;
use crate::{Money, Status};

/// The transaction that fills one order.
///
/// Events of different streams come in any order, so it takes note of facts, and after each asks
/// for what the order lacks, and gives back what it has no use for.
#[derive(Debug)]
pub struct Fulfilment;

/// The facts, as far as they were heard.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    order: order::State,
    shares: Shares,
    payment: Balance,
    problem: Option<String>,
}

impl Saga for Fulfilment {
    const NAME: &'static str = "fulfilment";
    const SNAPSHOTS: Snapshots = Snapshots::format(2);
    type Input = Heard;
    type State = State;

    fn subscription() -> Subscription<Heard> {
        Heard::subscription()
    }

    fn correlate(event: &RecordedEvent<Heard>) -> Option<StreamId> {
        Heard::order(event)
    }

    fn react(state: &mut State, event: &RecordedEvent<Heard>) -> Vec<Effect> {
        let Some(id) = Heard::order(event) else { return vec![] };
        state.problem = state.problem.take().or_else(|| Heard::problem(event));
        match &event.data {
            Heard::Order(event) => Order::evolve(&mut state.order, event),
            Heard::Stock(stock) => state.shares.hear(event.stream.id(), stock),
            Heard::Payment(event) => Payment::evolve(&mut state.payment, event),
        }
        let State { order: order::State { status, sold }, shares, payment, problem } = state;
        let (goods, bill) = (sold.goods(), sold.bill());
        let mut steps = shares.release(&id, &goods);
        if !matches!(event.data, Heard::Stock(_)) {
            steps.extend(payment.settle(&id, *status, bill.amount));
        }
        if *status == Status::Placed {
            steps.extend(match (problem, payment.paid) {
                (Some(_), _) if shares.are_awaited() => vec![],
                (Some(reason), _) => {
                    vec![Effect::send::<Order>(&id, Command::Fail(Because::of(reason)))]
                }
                _ if !shares.suffice(&goods) => shares.reserve(&id, &goods),
                (_, Paid::Requested) => vec![],
                (_, Paid::Not) if bill.amount > Money::ZERO => payment.request(&id, bill),
                _ => vec![Effect::send::<Order>(&id, Command::Confirm)],
            });
        }
        steps
    }

    fn has_ended(State { order, shares, payment, .. }: &State) -> bool {
        order.status != Status::Placed
            && shares.are_settled(&order.sold.goods())
            && payment.is_settled(order.status, order.sold.bill().amount)
    }
}
