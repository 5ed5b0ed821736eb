use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use skyfold::{Category, Decider, StreamId, Upcasters};

/// An account, in cents.
#[derive(Debug)]
pub struct Account;

/// What decisions about an account need.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Whether it was opened and not closed since.
    pub is_open: bool,
    /// What is in it.
    pub cents: u64,
    /// What was sent and has neither arrived nor come back.
    pub sent: BTreeMap<StreamId, u64>,
    /// The transfers to it that are over: received or expired.
    pub over: BTreeMap<StreamId, Arrival>,
}

/// What became of a transfer at its destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Arrival {
    /// It was received.
    Received,
    /// It came too late, or never.
    Expired,
}

/// What can be asked of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "the fields say what they are")]
pub enum Command {
    /// Opens it.
    Open { owner: String },
    /// Gives it to somebody else.
    Rename { owner: String },
    /// Pays in.
    Deposit { cents: u64 },
    /// Pays in what is missing, if anything is.
    TopUp { cents: u64 },
    /// Pays out, unless there is too little.
    Withdraw { cents: u64 },
    /// Records `times` notes, which may be none.
    Note { text: String, times: usize },
    /// Puts a tag on the account.
    Tag { tags: Vec<String> },
    /// Records what [`Fragile`](super::Fragile) panics at.
    Jinx,
    /// Sends money to another account.
    Send { transfer: StreamId, to: StreamId, cents: u64 },
    /// Takes money that was sent, unless the transfer has expired.
    Receive { transfer: StreamId, from: StreamId, cents: u64 },
    /// Gives up a transfer that was not received.
    Expire { transfer: StreamId, from: StreamId },
    /// Notes that the money sent has arrived.
    Settle { transfer: StreamId },
    /// Takes back money that did not arrive, unless the account is closed.
    Refund { transfer: StreamId },
    /// Closes it, unless there is money in it.
    Close,
}

/// What can happen to an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "the fields say what they are")]
pub enum Event {
    /// It was opened.
    Opened { owner: String },
    /// It has another owner.
    Renamed { owner: String },
    /// Money was paid in. Schema 1 counted in `euros`.
    Deposited { cents: u64 },
    /// Money was paid out.
    Withdrawn { cents: u64 },
    /// A note.
    Noted { text: String },
    /// Tags were put on it.
    Tagged { tags: Vec<String> },
    /// A misfortune.
    Jinxed,
    /// Money went off.
    Sent { transfer: StreamId, to: StreamId, cents: u64 },
    /// Money arrived.
    Received { transfer: StreamId, from: StreamId, cents: u64 },
    /// A transfer was given up.
    Expired { transfer: StreamId, from: StreamId },
    /// What was sent has arrived.
    Settled { transfer: StreamId },
    /// What was sent came back.
    Refunded { transfer: StreamId, cents: u64 },
    /// It was closed.
    Closed,
}

/// Why a command is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say what they are")]
pub enum Refusal {
    AlreadyOpen,
    NotOpen,
    TooLittle,
    NotEmpty,
    TooLate,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AlreadyOpen => "the account is open",
            Self::NotOpen => "the account is not open",
            Self::TooLittle => "there is too little in the account",
            Self::NotEmpty => "there is money in the account",
            Self::TooLate => "the transfer has expired",
        })
    }
}

impl std::error::Error for Refusal {}

impl Decider for Account {
    const CATEGORY: Category = "account";
    type State = State;
    type Command = Command;
    type Event = Event;
    type Error = Refusal;

    fn decide(state: &State, command: Command) -> Result<Vec<Event>, Refusal> {
        let if_open = |event| if state.is_open { Ok(vec![event]) } else { Err(Refusal::NotOpen) };
        let affords = |cents| if cents <= state.cents { Ok(()) } else { Err(Refusal::TooLittle) };
        match command {
            Command::Open { .. } if state.is_open => Err(Refusal::AlreadyOpen),
            Command::Open { owner } => Ok(vec![Event::Opened { owner }]),
            Command::Rename { owner } => if_open(Event::Renamed { owner }),
            Command::Deposit { cents } => Ok(vec![Event::Deposited { cents }]),
            Command::TopUp { cents } if state.cents >= cents => Ok(vec![]),
            Command::TopUp { cents } => Ok(vec![Event::Deposited { cents: cents - state.cents }]),
            Command::Withdraw { cents } => {
                affords(cents).map(|()| vec![Event::Withdrawn { cents }])
            }
            Command::Note { text, times } => Ok(vec![Event::Noted { text }; times]),
            Command::Tag { tags } => Ok(vec![Event::Tagged { tags }]),
            Command::Jinx => Ok(vec![Event::Jinxed]),
            Command::Close if state.cents > 0 => Err(Refusal::NotEmpty),
            Command::Close => if_open(Event::Closed),
            Command::Send { transfer, to, cents } => {
                affords(cents).map(|()| vec![Event::Sent { transfer, to, cents }])
            }
            other => decide_transfer(state, other),
        }
    }

    fn evolve(state: &mut State, event: &Event) {
        match event {
            Event::Opened { .. } => state.is_open = true,
            Event::Closed => state.is_open = false,
            Event::Deposited { cents } => state.cents += cents,
            Event::Withdrawn { cents } => state.cents = state.cents.saturating_sub(*cents),
            Event::Sent { transfer, cents, .. } => {
                state.cents = state.cents.saturating_sub(*cents);
                state.sent.insert(transfer.clone(), *cents);
            }
            Event::Received { transfer, cents, .. } => {
                state.cents += cents;
                state.over.insert(transfer.clone(), Arrival::Received);
            }
            Event::Expired { transfer, .. } => {
                state.over.insert(transfer.clone(), Arrival::Expired);
            }
            Event::Settled { transfer } => {
                state.sent.remove(transfer);
            }
            Event::Refunded { transfer, cents } => {
                state.cents += cents;
                state.sent.remove(transfer);
            }
            Event::Renamed { .. } | Event::Noted { .. } | Event::Tagged { .. } | Event::Jinxed => {}
        }
    }

    fn upcasters() -> Upcasters {
        Upcasters::default()
            .then("Deposited", |data| json!({ "cents": data["euros"].as_u64().unwrap_or(0) * 100 }))
    }
}

/// What comes of the commands that a transfer gives.
fn decide_transfer(state: &State, command: Command) -> Result<Vec<Event>, Refusal> {
    match command {
        Command::Receive { transfer, from, cents } => match state.over.get(&transfer) {
            Some(Arrival::Received) => Ok(vec![]),
            Some(Arrival::Expired) => Err(Refusal::TooLate),
            None if !state.is_open => Err(Refusal::NotOpen),
            None => Ok(vec![Event::Received { transfer, from, cents }]),
        },
        Command::Expire { transfer, from } => match state.over.get(&transfer) {
            Some(_) => Ok(vec![]),
            None => Ok(vec![Event::Expired { transfer, from }]),
        },
        Command::Settle { transfer } if state.sent.contains_key(&transfer) => {
            Ok(vec![Event::Settled { transfer }])
        }
        Command::Refund { .. } if !state.is_open => Err(Refusal::NotOpen),
        Command::Refund { transfer } => {
            let cents = state.sent.get(&transfer).copied();
            Ok(cents.map(|cents| Event::Refunded { transfer, cents }).into_iter().collect())
        }
        _ => Ok(vec![]),
    }
}
