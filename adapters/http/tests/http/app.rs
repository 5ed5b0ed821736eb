//! A small app whose commands have every form that an enum allows.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use skyfold::ports::Order;
use skyfold::{
    App, Category, Decider, Edge, Effect, Error, ErrorKind, Listed, Projection, ReadModels,
    RecordedEvent, Result, Saga, StreamId, Subscription, ViewPage,
};

pub(crate) fn app() -> App {
    App::new("bank")
        .decider_with_edge::<Account, _>(edge)
        .projection::<Summary>()
        .saga::<Farewell>()
        .query("accounts-of", accounts_of)
        .query("failing", failing)
        .query("now", |(): (), _| async { Ok(true) })
}

pub(crate) struct Account;

#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct State {
    owner: Option<String>,
    cents: u64,
}

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub(crate) enum Command {
    /// Opens an account.
    ///
    /// An account is opened once.
    Open {
        owner: String,
        #[serde(default)]
        note: Option<String>,
    },
    Deposit(Amount),
    WriteOff(u64),
    /// Moves cents, and says why.
    Move(u64, String),
    Annotate {
        #[serde(default)]
        note: Option<String>,
    },
    Close,
    /// Only a transaction of the app's own gives it.
    Seize(u64),
    /// Asks a service that fails.
    Ask {
        outcome: Outcome,
    },
}

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Amount {
    pub(crate) cents: u64,
}

/// What the service does that a command or query asks.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub(crate) enum Outcome {
    Conflict,
    Duplicate,
    NotFound,
    Throttled,
    Oversized,
    Corrupt,
    Newer,
    Invalid,
    Denied,
    Unavailable,
    Unexpected,
    Panic,
    Silence,
}

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub(crate) enum Event {
    Opened { owner: String },
    Deposited { cents: u64 },
    WrittenOff { cents: u64 },
    Annotated { note: String },
    Closed,
}

#[derive(Debug)]
pub(crate) struct Refused(&'static str);

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Refused {}

impl Decider for Account {
    const CATEGORY: Category = "account";
    const INTERNAL: &'static [&'static str] = &["Seize"];
    type State = State;
    type Command = Command;
    type Event = Event;
    type Error = Refused;

    fn decide(state: &State, command: Command) -> Result<Vec<Event>, Refused> {
        match (command, &state.owner) {
            (Command::Open { owner, .. }, None) => Ok(vec![Event::Opened { owner }]),
            (Command::Open { .. }, Some(_)) => Err(Refused("the account is open already")),
            (_, None) => Err(Refused("the account is not open")),
            (Command::Deposit(Amount { cents: 0 }), _) => Ok(vec![]),
            (Command::Deposit(Amount { cents }), _) => Ok(vec![Event::Deposited { cents }]),
            (Command::WriteOff(cents) | Command::Seize(cents), _) => {
                Ok(vec![Event::WrittenOff { cents }])
            }
            (Command::Move(cents, note), _) => {
                Ok(vec![Event::WrittenOff { cents }, Event::Annotated { note }])
            }
            (Command::Annotate { note }, _) => {
                Ok(vec![Event::Annotated { note: note.unwrap_or_default() }])
            }
            (Command::Close, _) => Ok(vec![Event::Closed]),
            (Command::Ask { .. }, _) => Ok(vec![]),
        }
    }

    fn evolve(state: &mut State, event: &Event) {
        match event {
            Event::Opened { owner } => state.owner = Some(owner.clone()),
            Event::Deposited { cents } => state.cents += cents,
            Event::WrittenOff { cents } => state.cents = state.cents.saturating_sub(*cents),
            Event::Annotated { .. } => {}
            Event::Closed => state.owner = None,
        }
    }
}

async fn edge(command: Command, _: Edge) -> Result<Command> {
    if let Command::Ask { outcome } = &command {
        fail(outcome).await?;
    }
    Ok(command)
}

/// Does as the service does that fails. What lies beneath the error is nobody's business.
async fn fail(outcome: &Outcome) -> Result<()> {
    let kind = match outcome {
        Outcome::Conflict => ErrorKind::Conflict,
        Outcome::Duplicate => ErrorKind::Duplicate,
        Outcome::NotFound => ErrorKind::NotFound,
        Outcome::Throttled => ErrorKind::Throttled,
        Outcome::Oversized => ErrorKind::Oversized,
        Outcome::Corrupt => ErrorKind::Corrupt,
        Outcome::Newer => ErrorKind::Newer,
        Outcome::Invalid => ErrorKind::Invalid,
        Outcome::Denied => ErrorKind::Denied,
        Outcome::Unavailable => ErrorKind::Unavailable,
        Outcome::Unexpected => ErrorKind::Unexpected,
        Outcome::Panic => panic!("a secret of the service"),
        Outcome::Silence => std::future::pending().await,
    };
    let error = Error::new(kind, "the service said no").with_source("a secret of the service");
    Err(error.with_retry_after(Duration::from_millis(6500)))
}

pub(crate) struct Summary;

/// An account at a glance.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub(crate) struct View {
    pub(crate) owner: String,
    pub(crate) cents: u64,
}

impl Projection for Summary {
    const NAME: &'static str = "account-summary";
    const LISTS: &'static [&'static str] = &["by-owner"];
    type Input = Event;
    type View = View;

    fn subscription() -> Subscription<Event> {
        Subscription::of::<Account>()
    }

    fn project(_: &str, view: Option<View>, event: &RecordedEvent<Event>) -> Option<View> {
        let mut view = view.unwrap_or(View { owner: String::new(), cents: 0 });
        match &event.data {
            Event::Opened { owner } => view.owner = owner.clone(),
            Event::Deposited { cents } => view.cents += cents,
            Event::WrittenOff { cents } => view.cents = view.cents.saturating_sub(*cents),
            Event::Annotated { note } => assert_ne!(note, "jinx", "a misfortune"),
            Event::Closed => return None,
        }
        Some(view)
    }

    fn listed(key: &str, view: &View) -> Vec<Listed> {
        vec![Listed::new("by-owner", view.owner.clone(), key)]
    }
}

/// Closes an account that says farewell, unless it is closed meanwhile.
pub(crate) struct Farewell;

impl Saga for Farewell {
    const NAME: &'static str = "farewell";
    type Input = Event;
    type State = bool;

    fn subscription() -> Subscription<Event> {
        Subscription::of::<Account>()
    }

    fn correlate(event: &RecordedEvent<Event>) -> Option<StreamId> {
        let is_heard = matches!(event.data, Event::Annotated { .. } | Event::Closed);
        is_heard.then(|| event.stream.id())
    }

    fn react(has_ended: &mut bool, event: &RecordedEvent<Event>) -> Vec<Effect> {
        match &event.data {
            Event::Annotated { note } if note == "farewell" => {
                vec![
                    Effect::send::<Account>(&event.stream.id(), Command::Close)
                        .after(Duration::from_secs(3600)),
                ]
            }
            Event::Annotated { note } if note == "panic" => panic!("too much"),
            event => {
                *has_ended = matches!(event, Event::Closed);
                vec![]
            }
        }
    }

    fn has_ended(has_ended: &bool) -> bool {
        *has_ended
    }
}

/// Whose accounts to show.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccountsOf {
    /// The owner.
    owner: String,
    limit: Option<usize>,
    #[serde(default)]
    newest_first: bool,
    cursor: Option<String>,
}

async fn accounts_of(params: AccountsOf, views: ReadModels) -> Result<ViewPage<View>> {
    let order = if params.newest_first { Order::Descending } else { Order::Ascending };
    let limit = params.limit.unwrap_or(10);
    views.list::<Summary>("by-owner", &params.owner, order, limit, params.cursor).await
}

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Failing {
    outcome: Outcome,
}

async fn failing(params: Failing, _: ReadModels) -> Result<u32> {
    fail(&params.outcome).await?;
    Ok(0)
}
