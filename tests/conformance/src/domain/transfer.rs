use std::time::Duration;

use serde::{Deserialize, Serialize};
use skyfold::{Effect, RecordedEvent, Saga, StreamId, Subscription};

use super::account::{Account, Command, Event};

/// Moves money from one account to another: it arrives, or comes back after a while.
///
/// Whether a transfer was received or has expired, its destination decides, so that the two cannot
/// both happen.
#[derive(Debug)]
pub struct Transfer;

impl Transfer {
    /// How long a transfer may take before it is given up.
    pub const PATIENCE: Duration = Duration::from_secs(2);
}

/// How far a transfer is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferState {
    /// Whether the money has arrived or come back.
    pub has_ended: bool,
    /// How many events it heard.
    pub heard: u64,
}

impl Saga for Transfer {
    const NAME: &'static str = "transfer";
    type Input = Event;
    type State = TransferState;

    fn subscription() -> Subscription<Event> {
        Subscription::of::<Account>()
    }

    fn correlate(event: &RecordedEvent<Event>) -> Option<StreamId> {
        match &event.data {
            Event::Sent { transfer, .. }
            | Event::Received { transfer, .. }
            | Event::Expired { transfer, .. }
            | Event::Settled { transfer }
            | Event::Refunded { transfer, .. } => Some(transfer.clone()),
            _ => None,
        }
    }

    fn react(state: &mut TransferState, event: &RecordedEvent<Event>) -> Vec<Effect> {
        state.heard += 1;
        let account = event.stream.id();
        match event.data.clone() {
            Event::Sent { transfer, to, cents } => vec![
                Effect::send::<Account>(
                    &to,
                    Command::Receive { transfer: transfer.clone(), from: account.clone(), cents },
                ),
                Effect::send::<Account>(&to, Command::Expire { transfer, from: account })
                    .after(Self::PATIENCE),
            ],
            Event::Received { transfer, from, .. } => {
                vec![Effect::send::<Account>(&from, Command::Settle { transfer })]
            }
            Event::Expired { transfer, from } => {
                vec![Effect::send::<Account>(&from, Command::Refund { transfer })]
            }
            Event::Settled { .. } | Event::Refunded { .. } => {
                state.has_ended = true;
                vec![]
            }
            _ => vec![],
        }
    }

    fn has_ended(state: &TransferState) -> bool {
        state.has_ended
    }
}
