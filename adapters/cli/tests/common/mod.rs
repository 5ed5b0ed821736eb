//! A tiny app, and the means to run its command line.

#![allow(clippy::unwrap_used, reason = "what tests share is tested code as well")]
#![allow(dead_code, reason = "each test crate uses a part of it")]

use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use skyfold::ports::Order;
use skyfold::{
    App, Category, Decider, Effect, Listed, Projection, ReadModels, RecordedEvent, Result, Saga,
    StreamId, Subscription, ViewPage,
};
use skyfold_cli::{Captured, Cli, Console, Exit};
use skyfold_memory::Memory;
use tokio::task::JoinHandle;

pub(crate) struct Tally;

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) enum TallyCommand {
    Add { amount: u32, owner: String },
    AddEach { amounts: Vec<u32>, owner: String },
    WriteOff,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) enum TallyEvent {
    Added { amount: u32, owner: String },
    WrittenOff,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct TallyState {
    pub total: u32,
    pub is_written_off: bool,
}

#[derive(Debug)]
pub(crate) struct IsWrittenOff;

impl std::fmt::Display for IsWrittenOff {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the tally is written off")
    }
}
impl std::error::Error for IsWrittenOff {}

impl Decider for Tally {
    const CATEGORY: Category = "tally";
    type State = TallyState;
    type Command = TallyCommand;
    type Event = TallyEvent;
    type Error = IsWrittenOff;

    fn decide(state: &TallyState, command: TallyCommand) -> Result<Vec<TallyEvent>, IsWrittenOff> {
        match command {
            _ if state.is_written_off => Err(IsWrittenOff),
            TallyCommand::Add { amount: 0, .. } => Ok(vec![]),
            TallyCommand::Add { amount, owner } => Ok(vec![TallyEvent::Added { amount, owner }]),
            TallyCommand::AddEach { amounts, owner } => {
                let added = |amount| TallyEvent::Added { amount, owner: owner.clone() };
                Ok(amounts.into_iter().map(added).collect())
            }
            TallyCommand::WriteOff => Ok(vec![TallyEvent::WrittenOff]),
        }
    }

    fn evolve(state: &mut TallyState, event: &TallyEvent) {
        match event {
            TallyEvent::Added { amount, .. } => state.total = state.total.saturating_add(*amount),
            TallyEvent::WrittenOff => state.is_written_off = true,
        }
    }
}

/// What a tally amounts to.
pub(crate) struct Totals;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Total {
    pub tally: String,
    pub total: u32,
    pub owner: String,
}

impl Projection for Totals {
    const NAME: &'static str = "totals";
    const LISTS: &'static [&'static str] = &["by-owner"];
    type Input = TallyEvent;
    type View = Total;

    fn subscription() -> Subscription<TallyEvent> {
        Subscription::of::<Tally>()
    }

    fn project(key: &str, view: Option<Total>, event: &RecordedEvent<TallyEvent>) -> Option<Total> {
        let before = view.map_or(0, |view| view.total);
        match &event.data {
            TallyEvent::WrittenOff => None,
            TallyEvent::Added { amount, owner } => {
                let (tally, total, owner) = (key.to_owned(), before + amount, owner.clone());
                Some(Total { tally, total, owner })
            }
        }
    }

    fn listed(key: &str, view: &Total) -> Vec<Listed> {
        vec![Listed::new("by-owner", &view.owner, key)]
    }
}

/// Writes off what has become too large.
pub(crate) struct Limit;

impl Saga for Limit {
    const NAME: &'static str = "limit";
    type Input = TallyEvent;
    type State = u32;

    fn subscription() -> Subscription<TallyEvent> {
        Subscription::of::<Tally>()
    }

    fn correlate(event: &RecordedEvent<TallyEvent>) -> Option<StreamId> {
        Some(event.stream.id())
    }

    fn react(state: &mut u32, event: &RecordedEvent<TallyEvent>) -> Vec<Effect> {
        match &event.data {
            TallyEvent::Added { amount, .. } => *state += amount,
            TallyEvent::WrittenOff => return vec![],
        }
        if *state <= 1_000 {
            return vec![];
        }
        vec![Effect::send::<Tally>(&event.stream.id(), TallyCommand::WriteOff)]
    }

    fn has_ended(state: &u32) -> bool {
        *state > 1_000
    }
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Owned {
    pub owner: String,
    pub limit: Option<usize>,
}

async fn owned(question: Owned, read: ReadModels) -> Result<ViewPage<Total>> {
    let Owned { owner, limit } = question;
    read.list::<Totals>("by-owner", &owner, Order::Ascending, limit.unwrap_or(10), None).await
}

pub(crate) fn app() -> App {
    App::new("probe")
        .decider::<Tally>()
        .projection::<Totals>()
        .saga::<Limit>()
        .query("owned", owned)
}

/// The command line of the app on `memory`, as an app's main makes it.
pub(crate) fn cli(memory: &Memory) -> Cli {
    cli_of(app(), memory)
}

/// The same of another release of the app.
pub(crate) fn cli_of(app: App, memory: &Memory) -> Cli {
    let (host, rest) = (memory.clone(), memory.clone());
    Cli::new(app, memory.ports()).ephemeral().background(move |runtime| host.run(runtime)).settle(
        move |runtime| {
            let memory = rest.clone();
            async move { memory.settle(&runtime).await }
        },
    )
}

/// What a run came to.
#[derive(Debug)]
pub(crate) struct Ran {
    pub exit: Exit,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// The results as lines of JSON.
    pub(crate) fn json(&self) -> Vec<serde_json::Value> {
        let parse = |line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {self:?}"));
        self.out.lines().map(parse).collect()
    }

    /// The lines of a table, each split at its blanks.
    pub(crate) fn words(&self) -> Vec<Vec<&str>> {
        self.out.lines().map(|line| line.split_whitespace().collect()).collect()
    }
}

/// Runs the words of `line` after the program's name.
pub(crate) async fn run(memory: &Memory, line: &str) -> Ran {
    run_of(app(), memory, line).await
}

/// The same of another release of the app.
pub(crate) async fn run_of(app: App, memory: &Memory, line: &str) -> Ran {
    let words: Vec<_> = line.split_whitespace().collect();
    let (console, captured) = Console::captured();
    run_on(cli_of(app, memory), &words, console, &captured).await
}

pub(crate) async fn run_words(memory: &Memory, words: &[&str]) -> Ran {
    let (console, captured) = Console::captured();
    run_on(cli(memory), words, console, &captured).await
}

pub(crate) async fn run_on(cli: Cli, words: &[&str], console: Console, captured: &Captured) -> Ran {
    let arguments = std::iter::once("probe").chain(words.iter().copied());
    let exit = cli.run_with(arguments, console).await;
    Ran { exit, out: captured.out(), err: captured.err() }
}

/// A memory in which this has been sent, and has had its effects.
pub(crate) async fn memory_after(lines: &[&str]) -> Memory {
    let memory = Memory::new();
    for line in lines {
        let ran = run(&memory, line).await;
        assert_eq!(ran.exit, Exit::Done, "{line}: {ran:?}");
    }
    memory.settle(&app().bind(memory.ports()).unwrap()).await.unwrap();
    memory
}

/// How long to wait for something that takes no time.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// An app that is being served.
pub(crate) struct Served {
    pub url: String,
    pub captured: Captured,
    running: JoinHandle<Exit>,
}

impl Served {
    pub(crate) async fn begin(cli: Cli, words: &[&str]) -> Self {
        let (console, captured) = Console::captured();
        let arguments: Vec<_> = ["probe"].iter().chain(words).map(|w| (*w).to_owned()).collect();
        let running = tokio::spawn(cli.run_with(arguments, console));
        until(|| captured.out().contains("/health") || running.is_finished()).await;
        let out = captured.out();
        let url = out.split_whitespace().find(|word| word.starts_with("http://"));
        let url = url.unwrap_or_else(|| panic!("{out} {}", captured.err())).to_owned();
        Self { url, captured, running }
    }

    pub(crate) async fn end(self) -> Ran {
        self.captured.stop();
        let exit = tokio::time::timeout(PATIENCE, self.running).await.unwrap().unwrap();
        Ran { exit, out: self.captured.out(), err: self.captured.err() }
    }

    /// Runs `line` in another process, so to say: all that it shares with this one is the address.
    pub(crate) async fn run(&self, words: &[&str]) -> Ran {
        run_words(&Memory::new(), &[words, &["--url", &self.url]].concat()).await
    }
}

pub(crate) async fn until(mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < PATIENCE, "it has not come to that");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
