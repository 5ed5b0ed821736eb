//! What undoes an order may fail as well: the order is seen to be open, nothing is lost or given
//! back twice, and it is undone in full once the store is well again.

#![allow(clippy::unwrap_used, reason = "what is missing in a test fails it")]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use order::level::{Level, Pieces};
use order::line::{Line, LineKind};
use order::order::{Command, Order};
use order::sale::Basket;
use order::stock::{self, Stock};
use serde_json::{Value, json};
use skyfold::ports::{Consistency, EventStore, Ports, Pricing, Range, Slice, Snapshot};
use skyfold::{
    CommandId, CommandRequest, Commit, Decider, Error, ErrorKind, Head, Metadata, Payload, Reply,
    Result, Runtime, StreamName, Trigger, Version,
};
use skyfold_cli::{Cli, Console, Exit};
use skyfold_memory::{Memory, VirtualClock};

/// A price that the gateway declines.
const DECLINED: &str = "1000000.01";

/// How the store fails at what gives lanterns back.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// Nothing is written, and this is the error.
    Before(ErrorKind),
    /// It is written, and the answer is lost.
    LostAnswer,
}

/// A store that fails at each release of lanterns as its script says, as long as that goes on.
#[derive(Debug)]
struct Fragile {
    inner: Arc<dyn EventStore>,
    script: Mutex<VecDeque<Fault>>,
}

impl Fragile {
    fn next(&self, stream: &StreamName, commit: &Commit) -> Option<Fault> {
        let is_release = stream.as_str() == "stock-lantern"
            && commit.events().iter().any(|event| event.event_type == "StockReleased");
        is_release.then(|| self.script.lock().unwrap().pop_front()).flatten()
    }

    fn left(&self) -> usize {
        self.script.lock().unwrap().len()
    }
}

#[async_trait]
impl EventStore for Fragile {
    fn pricing(&self) -> Pricing {
        self.inner.pricing()
    }

    async fn append(&self, expected: &Head, commit: &Commit) -> Result<()> {
        match self.next(expected.stream(), commit) {
            Some(Fault::Before(kind)) => Err(Error::new(kind, "it fails on purpose")),
            Some(Fault::LostAnswer) => {
                self.inner.append(expected, commit).await?;
                Err(Error::new(ErrorKind::Unavailable, "the answer is lost on purpose"))
            }
            None => self.inner.append(expected, commit).await,
        }
    }

    async fn read(
        &self,
        stream: &StreamName,
        range: Range,
        limit: usize,
        consistency: Consistency,
    ) -> Result<Slice> {
        self.inner.read(stream, range, limit, consistency).await
    }

    async fn snapshot(&self, stream: &StreamName) -> Result<Option<Snapshot>> {
        self.inner.snapshot(stream).await
    }

    async fn save_snapshot(&self, stream: &StreamName, snapshot: &Snapshot) -> Result<()> {
        self.inner.save_snapshot(stream, snapshot).await
    }
}

/// A shop whose store is about to fail.
struct Shop {
    memory: Memory,
    store: Arc<Fragile>,
    runtime: Runtime,
}

impl Shop {
    /// With 10 lanterns and 3 hearts on the shelf.
    async fn failing(script: Vec<Fault>) -> Self {
        let memory = Memory::with_clock(VirtualClock::new());
        let ports = memory.ports();
        let store =
            Arc::new(Fragile { inner: ports.events.clone(), script: Mutex::new(script.into()) });
        let runtime = order::app().bind(Ports { events: store.clone(), ..ports }).unwrap();
        let shop = Self { memory, store, runtime };
        for (product, quantity) in [("lantern", 10), ("heart", 3)] {
            let pieces = Pieces { quantity, reason: String::new() };
            shop.give::<Stock>(product, &stock::Command::Receive(pieces)).await;
        }
        shop
    }

    async fn give<D: Decider>(&self, stream: &str, command: &D::Command)
    where
        D::Command: serde::Serialize,
    {
        let request = CommandRequest {
            stream: stream.parse().unwrap(),
            id: CommandId::fresh(self.runtime.now()),
            command: Payload::encode(command).unwrap(),
            expected: None,
            metadata: Metadata::default(),
        };
        let reply = self.runtime.invoke(D::CATEGORY, Trigger::Command(request)).await.unwrap();
        assert!(matches!(reply, Reply::Accepted(_)), "{reply:?}");
    }

    /// Order 42: 6 lanterns and so many hearts, at these prices.
    async fn place(&self, hearts: u32, price: &str) {
        let line = |product: &str, quantity, unit_price: &str| Line {
            product: product.parse().unwrap(),
            description: String::new(),
            quantity,
            unit_price: unit_price.parse().unwrap(),
            kind: LineKind::Goods,
        };
        let lines = vec![line("lantern", 6, "2.55"), line("heart", hearts, price)];
        let currency = "GBP".parse().unwrap();
        let basket = Basket { customer: None, recipient: None, currency, lines, on: None };
        self.give::<Order>("42", &Command::Place(basket)).await;
    }

    /// What the command line prints on the store as it is.
    async fn run(&self, words: &[&str]) -> (Exit, Vec<Value>) {
        let (console, captured) = Console::captured();
        let cli = Cli::new(order::app(), self.memory.ports());
        let words = ["order"].iter().chain(words).chain(&["--json"]).copied();
        let exit = cli.run_with(words, console).await;
        let out = captured.out();
        (exit, out.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
    }

    /// The orders whose transaction is listed as open.
    async fn open(&self) -> Vec<Value> {
        let (exit, found) = self.run(&["sagas", "list", "fulfilment"]).await;
        assert_eq!((exit, found.len()), (Exit::Done, 1), "{found:?}");
        let open = found.into_iter().filter(|instance| instance["hasEnded"] == false);
        open.map(|instance| instance["id"].clone()).collect()
    }

    async fn level(&self, product: &str) -> Level {
        let (_, shown) = self.run(&["view", "stock-level", product]).await;
        serde_json::from_value(json!({
            "available": shown[0]["available"], "reserved": shown[0]["reserved"]
        }))
        .unwrap()
    }

    async fn status(&self) -> Value {
        self.run(&["view", "order-summary", "42"]).await.1[0]["status"].clone()
    }

    /// How often pieces of `product` went back to the shelf, and how often the order failed.
    async fn counts(&self, product: &str) -> (usize, usize) {
        let count = async |stream: &str, event_type: &str| {
            let (name, range) = (stream.parse().unwrap(), Range::After(Version::EMPTY));
            let read = self.store.inner.read(&name, range, 100, Consistency::Strong);
            let commits = read.await.unwrap().commits;
            let events = commits.iter().flat_map(|commit| commit.commit.events());
            events.filter(|event| event.event_type == event_type).count()
        };
        let released = count(&format!("stock-{product}"), "StockReleased").await;
        (released, count("order-42", "OrderPlacementFailed").await)
    }

    /// That everything is on the shelf again, once, and the order has failed and ended.
    async fn is_undone(&self, hearts_back: usize) {
        assert_eq!(self.level("lantern").await, Level { available: 10, reserved: 0 });
        assert_eq!(self.level("heart").await, Level { available: 3, reserved: 0 });
        assert_eq!(self.counts("lantern").await, (1, 1));
        assert_eq!(self.counts("heart").await, (hearts_back, 1));
        assert_eq!(self.status().await, "failed");
        assert!(self.open().await.is_empty());
        assert!(self.memory.dead_letters().is_empty());
    }
}

#[tokio::test]
async fn lanterns_that_the_store_does_not_take_back_are_taken_back_once_it_does() {
    // More often than anything is tried again at once; and in the end the answer is lost.
    let mut script = vec![Fault::Before(ErrorKind::Throttled); 400];
    script.push(Fault::LostAnswer);
    let shop = Shop::failing(script).await;
    shop.place(4, "3.39").await;
    let mut failures = 0;
    while let Err(error) = shop.memory.settle(&shop.runtime).await {
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        failures += 1;
        assert_eq!(shop.status().await, "failed", "there are not enough hearts");
        assert_eq!(shop.level("lantern").await, Level { available: 4, reserved: 6 });
        assert_eq!(shop.counts("lantern").await, (0, 1));
        assert_eq!(shop.open().await, [json!("42")]);
    }
    assert!(failures > 0 && shop.store.left() == 0, "{failures} failures");
    shop.is_undone(0).await;
}

#[tokio::test]
async fn lanterns_that_cannot_be_taken_back_are_a_letter_and_their_order_is_open_until_it_is_run() {
    let shop = Shop::failing(vec![Fault::Before(ErrorKind::Unexpected); 100]).await;
    shop.place(1, DECLINED).await;
    shop.memory.settle(&shop.runtime).await.unwrap();
    let letters = shop.memory.dead_letters();
    assert_eq!(letters.len(), 1, "{letters:?}");
    // Who tries again too early changes nothing.
    shop.runtime.dead_letters().retry(&letters[0].id).await.unwrap_err();
    assert!(shop.memory.dead_letters()[0].is_waiting());
    assert_eq!(shop.status().await, "failed", "the payment was declined");
    assert_eq!(shop.level("heart").await, Level { available: 3, reserved: 0 });
    assert_eq!(shop.level("lantern").await, Level { available: 4, reserved: 6 });
    assert_eq!((shop.counts("heart").await, shop.counts("lantern").await), ((1, 1), (0, 1)));
    assert_eq!(shop.open().await, [json!("42")]);

    shop.store.script.lock().unwrap().clear();
    let (exit, retried) = shop.run(&["dead-letters", "retry", &letters[0].id]).await;
    assert_eq!(exit, Exit::Done, "{retried:?}");
    // Whoever asks again as well does no harm.
    let (exit, _) = shop.run(&["sagas", "retry", "fulfilment", "42"]).await;
    assert_eq!(exit, Exit::Done);
    shop.memory.settle(&shop.runtime).await.unwrap();
    shop.is_undone(1).await;
}
