//! A domain as small as can be that has all there is: counters whose additions a saga carries over
//! to accounts, where a reminder comes later, and views of both routes.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use skyfold::{
    App, Category, CommandId, CommandRequest, Decider, Effect, Listed, Payload, Projection,
    RecordedEvent, Reply, Result, Route, Runtime, Saga, StreamId, Subscription, Trigger,
};
use skyfold_memory::{Dump, VirtualClock};

/// How long after an addition its account is reminded.
pub(crate) const REMINDER: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(crate) struct Counter;

#[derive(Clone, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub(crate) enum Count {
    Add { amount: u64, account: StreamId },
}

#[derive(Clone, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub(crate) enum Counted {
    Added { amount: u64, account: StreamId },
}

#[derive(Debug)]
pub(crate) struct Refusal(&'static str);

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Refusal {}

impl Decider for Counter {
    const CATEGORY: Category = "counter";
    type State = u64;
    type Command = Count;
    type Event = Counted;
    type Error = Refusal;

    fn decide(_: &u64, Count::Add { amount, account }: Count) -> Result<Vec<Counted>, Refusal> {
        match amount {
            0 => Err(Refusal("nothing to add")),
            // Two events, so that commits differ in length.
            1 => Ok(vec![Counted::Added { amount, account }]),
            _ => Ok(vec![
                Counted::Added { amount: 1, account: account.clone() },
                Counted::Added { amount: amount - 1, account },
            ]),
        }
    }

    fn evolve(total: &mut u64, Counted::Added { amount, .. }: &Counted) {
        *total += amount;
    }
}

#[derive(Debug)]
pub(crate) struct Account;

#[derive(Clone, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub(crate) enum Book {
    Credit { amount: u64 },
    Remind,
}

#[derive(Clone, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub(crate) enum Booked {
    Credited { amount: u64 },
    Reminded,
}

impl Decider for Account {
    const CATEGORY: Category = "account";
    type State = u64;
    type Command = Book;
    type Event = Booked;
    type Error = Refusal;

    fn decide(_: &u64, command: Book) -> Result<Vec<Booked>, Refusal> {
        Ok(match command {
            Book::Credit { amount } => vec![Booked::Credited { amount }],
            Book::Remind => vec![Booked::Reminded],
        })
    }

    fn evolve(balance: &mut u64, event: &Booked) {
        if let Booked::Credited { amount } = event {
            *balance += amount;
        }
    }
}

/// Carries every addition over to its account once, and reminds the account of it later.
#[derive(Debug)]
pub(crate) struct Carry;

impl Saga for Carry {
    const NAME: &'static str = "carry";
    type Input = Counted;
    type State = u64;

    fn subscription() -> Subscription<Counted> {
        Subscription::of::<Counter>()
    }

    fn correlate(event: &RecordedEvent<Counted>) -> Option<StreamId> {
        Some(event.stream.id())
    }

    fn react(carried: &mut u64, event: &RecordedEvent<Counted>) -> Vec<Effect> {
        let Counted::Added { amount, account } = &event.data;
        *carried += amount;
        vec![
            Effect::send::<Account>(account, Book::Credit { amount: *amount }),
            Effect::send::<Account>(account, Book::Remind).after(REMINDER),
        ]
    }

    fn has_ended(_: &u64) -> bool {
        false
    }
}

/// What each counter has counted, by its own stream.
#[derive(Debug)]
pub(crate) struct Totals;

impl Projection for Totals {
    const NAME: &'static str = "totals";
    type Input = Counted;
    type View = Vec<u64>;

    fn subscription() -> Subscription<Counted> {
        Subscription::of::<Counter>()
    }

    fn project(
        _: &str,
        view: Option<Vec<u64>>,
        event: &RecordedEvent<Counted>,
    ) -> Option<Vec<u64>> {
        let Counted::Added { amount, .. } = &event.data;
        let mut view = view.unwrap_or_default();
        view.push(*amount);
        Some(view)
    }
}

/// What all counters together have added for each account, listed by that.
#[derive(Debug)]
pub(crate) struct Shares;

impl Projection for Shares {
    const NAME: &'static str = "shares";
    const LISTS: &'static [&'static str] = &["by-sum"];
    type Input = Counted;
    type View = u64;

    fn subscription() -> Subscription<Counted> {
        Subscription::of::<Counter>()
    }

    fn route() -> Route<Counted> {
        Route::Keyed(|event| {
            let Counted::Added { account, .. } = &event.data;
            vec![account.to_string()]
        })
    }

    fn project(_: &str, sum: Option<u64>, event: &RecordedEvent<Counted>) -> Option<u64> {
        let Counted::Added { amount, .. } = &event.data;
        Some(sum.unwrap_or_default() + amount)
    }

    fn listed(_: &str, sum: &u64) -> Vec<Listed> {
        vec![Listed::new("by-sum", "all", format!("{sum:020}"))]
    }
}

pub(crate) fn app() -> App {
    App::new("counting")
        .decider::<Counter>()
        .decider::<Account>()
        .saga::<Carry>()
        .projection::<Totals>()
        .projection::<Shares>()
}

pub(crate) fn id(text: &str) -> StreamId {
    StreamId::new(text).unwrap()
}

/// The `nth` command of a run: an addition to `counter`.
pub(crate) fn add(nth: u64, counter: &str, amount: u64, account: &str) -> Trigger {
    let command = Count::Add { amount, account: id(account) };
    Trigger::Command(CommandRequest {
        stream: id(counter),
        id: CommandId::derived(VirtualClock::START, &[&nth.to_string()]),
        command: Payload::encode(&command).unwrap(),
        expected: None,
        metadata: Default::default(),
    })
}

/// How often a client sends a command before it gives up.
const SENT_MAX: u32 = 20;

/// An app in which a counter's 13 cannot be shown.
pub(crate) fn superstitious_app() -> App {
    App::new("counting").decider::<Counter>().projection::<Superstitious>()
}

/// Panics at 13.
#[derive(Debug)]
pub(crate) struct Superstitious;

impl Projection for Superstitious {
    const NAME: &'static str = "superstitious";
    type Input = Counted;
    type View = u64;

    fn subscription() -> Subscription<Counted> {
        Subscription::of::<Counter>()
    }

    fn project(_: &str, sum: Option<u64>, event: &RecordedEvent<Counted>) -> Option<u64> {
        let Counted::Added { amount, .. } = &event.data;
        assert_ne!(*amount, 12, "one and 12 is 13");
        Some(sum.unwrap_or_default() + amount)
    }
}

/// Sends `command` as a careful client does: again, under the same id, while there is no answer.
pub(crate) async fn send(runtime: &Runtime, command: Trigger) -> Reply {
    for _ in 0..SENT_MAX {
        match runtime.invoke("counter", command.clone()).await {
            Ok(reply) => return reply,
            Err(error) if error.is_transient() => {}
            Err(error) => panic!("{error}"),
        }
    }
    panic!("no answer to {SENT_MAX} attempts at {command:?}");
}

/// Checks that everything that follows from the recorded additions has happened exactly once.
pub(crate) fn assert_consistent(dump: &Dump) {
    let additions: Vec<(String, String, u64)> = dump
        .streams
        .iter()
        .filter(|stream| stream.stream.starts_with("counter-"))
        .flat_map(|stream| {
            stream.events.iter().map(|event| {
                let account = event.data["account"].as_str().unwrap().to_owned();
                (stream.stream["counter-".len()..].to_owned(), account, amount(&event.data))
            })
        })
        .collect();
    let view = |collection: &str, id: &str| {
        let mut documents = dump.documents.iter();
        let found = documents.find(|d| d.collection == collection && d.id == id);
        found.unwrap_or_else(|| panic!("no view {id} of {collection}")).body["view"].clone()
    };
    for (counter, account, _) in &additions {
        let of_counter = additions.iter().filter(|(of, _, _)| of == counter);
        let amounts: Vec<_> = of_counter.map(|(_, _, amount)| *amount).collect();
        assert_eq!(view("totals.1", counter), serde_json::json!(amounts), "{counter}");

        let of_account = additions.iter().filter(|(_, of, _)| of == account);
        let mut amounts: Vec<_> = of_account.map(|(_, _, amount)| *amount).collect();
        let sum = amounts.iter().sum::<u64>();
        assert_eq!(view("shares.1", account), sum, "{account}");

        let stream = format!("account-{account}");
        let booked = dump.streams.iter().find(|s| s.stream == stream).unwrap();
        let credited = booked.events.iter().filter(|e| e.event_type == "Credited");
        let mut credited: Vec<_> = credited.map(|event| amount(&event.data)).collect();
        amounts.sort_unstable();
        credited.sort_unstable();
        assert_eq!(credited, amounts, "{stream}");
        let reminded = booked.events.iter().filter(|e| e.event_type == "Reminded").count();
        assert_eq!(reminded, amounts.len(), "{stream}");
    }
}

fn amount(data: &serde_json::Value) -> u64 {
    data["amount"].as_u64().unwrap()
}
