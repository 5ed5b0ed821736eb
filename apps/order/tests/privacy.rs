//! Whom goods are sent to is shown while the customer is known, and nowhere to be found afterwards.

#![allow(clippy::unwrap_used, reason = "what is missing in a test fails it")]

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use order::balance::PAYMENT_TIMEOUT;
use order::line::{COMMAND_LINES_MAX, Line, LineKind};
use order::order::{Command, Order};
use order::recipient::Recipient;
use order::sale::{Basket, Part};
use serde_json::{Value, json};
use skyfold::{
    AsOf, CommandId, CommandRequest, Decider, Metadata, Payload, Personal, Reply, Result, Runtime,
    StreamId, Trigger,
};
use skyfold_cli::{Cli, Console, Exit};
use skyfold_memory::{Memory, VirtualClock};

/// What is looked for.
const CANARIES: [&str; 2] = ["Clementine Canary", "7 Birdcage Walk"];

const NOWHERE: [String; 0] = [];

fn id(text: &str) -> StreamId {
    text.parse().unwrap()
}

fn line(nth: usize, unit_price: &str) -> Line {
    let (product, unit_price) = (id(&format!("puzzle-{nth}")), unit_price.parse().unwrap());
    Line { product, description: String::new(), quantity: 1, unit_price, kind: LineKind::Charge }
}

/// An order of `lines` of ada's, which the canary gets.
fn place(lines: Vec<Line>) -> Command {
    let [name, address] = CANARIES.map(str::to_owned);
    let recipient = Some(Personal::new(id("ada"), Recipient { name, address }));
    let (customer, currency) = (Some(id("ada")), "GBP".parse().unwrap());
    Command::Place(Basket { customer, recipient, currency, lines, on: None })
}

async fn give(runtime: &Runtime, order: &str, command: Command) -> Result<Reply> {
    let (id, command) = (CommandId::fresh(runtime.now()), Payload::encode(&command)?);
    let (stream, metadata) = (order.parse()?, Metadata::default());
    let request = CommandRequest { stream, id, command, expected: None, metadata };
    runtime.invoke(Order::CATEGORY, Trigger::Command(request)).await
}

/// Runs the command line on `memory`, in a process that knows nothing yet.
async fn run(memory: &Memory, words: &[&str]) -> (Exit, Value) {
    let (console, captured) = Console::captured();
    let cli = Cli::new(order::app(), memory.ports());
    let exit = cli.run_with(["order"].iter().chain(words).copied(), console).await;
    let out = captured.out();
    (exit, serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{}", captured.err())))
}

/// The texts that `memory` keeps in which a canary is, in the clear or merely encoded.
fn search(memory: &Memory) -> Vec<String> {
    let is_in = |bytes: &[u8]| {
        let mut canaries = CANARIES.iter().map(|canary| canary.as_bytes());
        canaries.any(|canary| bytes.windows(6).any(|window| canary.starts_with(window)))
    };
    let holds = |text: &String| {
        let sealed = text.split("\"sealed\":\"").skip(1).filter_map(|part| part.split('"').next());
        let mut sealed = sealed.map(|sealed| URL_SAFE_NO_PAD.decode(sealed).unwrap());
        is_in(text.as_bytes()) || sealed.any(|bytes| is_in(&bytes))
    };
    memory.texts().into_iter().filter(holds).collect()
}

/// Everything that an order leaves behind: one that is confirmed, one whose payment is not
/// answered, so that a command waits, and one with a state that is too large for a commit.
async fn live(memory: &Memory, runtime: &Runtime) {
    give(runtime, "1", place(vec![line(0, "7.50")])).await.unwrap();
    give(runtime, "2", place(vec![line(0, "999999.99")])).await.unwrap();
    for part in 0..9 {
        let lines = (0..COMMAND_LINES_MAX).map(|nth| line(part * 100 + nth, "0.01")).collect();
        give(runtime, "3", Command::AddLines(Part { lines })).await.unwrap();
    }
    give(runtime, "3", place(vec![line(999, "0.01")])).await.unwrap();
    memory.settle(runtime).await.unwrap();
    assert!(memory.pending().delayed > 0, "a payment is waited for");
}

#[tokio::test]
async fn whom_goods_were_sent_to_is_nowhere_once_the_customer_is_forgotten() {
    let clock = VirtualClock::new();
    let memory = Memory::with_clock(clock);
    let warm = order::app().bind(memory.ports()).unwrap();
    live(&memory, &warm).await;
    assert!(memory.texts().iter().any(|text| text.contains(r#""sealed":"#)), "it is kept");
    assert_eq!(search(&memory), NOWHERE, "while the customer is known");
    let shown = async |order| run(&memory, &["view", "order-summary", order, "--json"]).await;
    for order in ["1", "2", "3"] {
        let (exit, summary) = shown(order).await;
        let recipient = json!({ "name": CANARIES[0], "address": CANARIES[1] });
        assert_eq!((exit, &summary["recipient"]), (Exit::Done, &recipient), "{summary}");
    }

    let forget = ["privacy", "forget", "ada", "--reason", "asked by letter", "--json"];
    let (exit, receipt) = run(&memory, &forget).await;
    assert_eq!((exit, &receipt["subject"]), (Exit::Done, &json!("ada")), "{receipt}");
    // Another process may have the key at hand for half a minute.
    memory.settle_through_time(&warm, 2 * PAYMENT_TIMEOUT).await.unwrap();
    assert_eq!(search(&memory), NOWHERE, "after the customer was forgotten");
    for order in ["1", "2", "3"] {
        let (_, summary) = shown(order).await;
        assert_eq!(summary.get("recipient"), Some(&Value::Null), "{summary}");
        assert_eq!(summary["customer"], "ada", "the rest is there: {summary}");
        let state = warm.invoke(Order::CATEGORY, Trigger::State(id(order), AsOf::Now)).await;
        let state = format!("{:?}", state.unwrap());
        assert!(CANARIES.iter().all(|canary| !state.contains(canary)), "{state}");
    }
    assert_eq!(shown("2").await.1["status"], "failed", "what waited has gone on");
    give(&warm, "1", Command::Ship).await.unwrap();
    memory.settle(&warm).await.unwrap();
    assert_eq!(shown("1").await.1["status"], "shipped", "the order goes on without");
    assert_eq!(search(&memory), NOWHERE, "after the order went on");
    let refused = give(&warm, "4", place(vec![line(0, "7.50")])).await.unwrap();
    assert!(matches!(&refused, Reply::Refused(why) if why.starts_with("ada was forgotten")));
}

#[tokio::test]
async fn the_search_finds_what_is_not_sealed() {
    let memory = Memory::new();
    let runtime = order::app().bind(memory.ports()).unwrap();
    let line = Line { description: CANARIES[0].into(), ..line(0, "7.50") };
    give(&runtime, "1", place(vec![line])).await.unwrap();
    assert!(!search(&memory).is_empty(), "it is in a description");
}
