//! The app in one process, and what must hold of it after an import.

use std::collections::{BTreeMap, BTreeSet};

use indicatif::ProgressBar;
use order::import::{Plan, Report, parse, run};
use order::level::Level;
use order::queries::{SalesOf, SalesOn, ShowOrder, StockOf};
use order::views::{DaySales, OrderSummary, ProductSales, Sales, StockLevel};
use order::{Money, Status};
use rust_decimal::Decimal;
use serde::de::DeserializeOwned;
use serde_json::Value;
use skyfold::{AsOf, Payload, Runtime};
use skyfold_cli::Client;
use skyfold_memory::Memory;

use crate::file::{File, Total};

/// The app on a memory of its own.
pub(crate) struct Shop {
    pub(crate) memory: Memory,
    runtime: Runtime,
    client: Client,
}

impl Shop {
    pub(crate) fn new(memory: Memory) -> Self {
        let runtime = order::app().bind(memory.ports()).unwrap();
        let client = Client::new(runtime.clone());
        Self { memory, runtime, client }
    }

    /// Imports `file` and waits until nothing is left to do.
    pub(crate) async fn import(&self, file: &File) -> Report {
        let rows = parse::rows(file.text.as_bytes()).unwrap();
        let plan = Plan::of(rows, "GBP".parse().unwrap()).unwrap();
        let settle = || self.memory.settle(&self.runtime);
        run(&self.client, plan, settle, &ProgressBar::hidden()).await.unwrap()
    }

    /// Checks that all that `file` says has come true, but for what `report` says has not.
    pub(crate) async fn check(&self, file: &File, report: &Report) {
        let without: BTreeSet<_> =
            report.findings.refused.iter().map(|refused| refused.line).collect();
        assert_eq!(without, file.without_purchase(), "only these lines have no effect");
        assert_eq!(self.memory.dead_letters(), [], "nothing was set aside");
        self.check_sales(file, &without).await;
        self.check_stock(file, &without).await;
        self.check_orders(file, &without).await;
    }

    async fn check_sales(&self, file: &File, without: &BTreeSet<u64>) {
        let by_day = file.totals(without, |line| &line.day);
        assert_eq!(self.keys("sales-by-day"), keys(&by_day));
        for (day, total) in by_day {
            let asked = SalesOn { day: day.parse().unwrap() };
            let shown: DaySales = self.query("sales-on", &asked).await;
            assert_sales(&shown.sales, total, &day);
        }
        let by_product = file.totals(without, |line| &line.code);
        assert_eq!(self.keys("sales-by-product"), keys(&by_product));
        for (product, total) in by_product {
            let asked = SalesOf { product: id(&product) };
            let shown: ProductSales = self.query("sales-of", &asked).await;
            assert_sales(&shown.sales, total, &product);
        }
    }

    /// What the file sells was received before, so that left is what was found or came back.
    async fn check_stock(&self, file: &File, without: &BTreeSet<u64>) {
        let pieces = file.pieces(without);
        assert_eq!(self.keys("stock-level"), keys(&pieces));
        for (product, pieces) in pieces {
            let shown: StockLevel =
                self.query("stock-of", &StockOf { product: id(&product) }).await;
            let available = u32::try_from(pieces.found + pieces.came_back).unwrap();
            let reserved = u32::try_from(pieces.sold - pieces.came_back).unwrap();
            assert_eq!(shown.level, Level { available, reserved }, "of {product}");
        }
    }

    /// Every order is confirmed or further, its saga has ended, and what is paid for it is what it
    /// comes to less what was taken back.
    async fn check_orders(&self, file: &File, without: &BTreeSet<u64>) {
        let is_order = |line: &&crate::file::Line| !line.is_cancellation() && !line.is_count();
        let orders: BTreeSet<_> =
            file.lines.iter().filter(is_order).map(|line| &line.invoice).collect();
        assert_eq!(self.keys("order-summary"), orders.iter().map(ToString::to_string).collect());
        let mut paid = Decimal::ZERO;
        for order in orders {
            let shown: OrderSummary =
                self.query("show-order", &ShowOrder { order: id(order) }).await;
            assert!(
                !matches!(shown.status, Status::Draft | Status::Placed | Status::Failed),
                "the order {order} is {}",
                shown.status
            );
            let saga = self.state(&format!("saga.fulfilment-{order}")).await;
            assert_eq!(saga["hasEnded"], true, "the saga of {order}: {saga}");
            let left: Money = read(&self.state(&format!("payment-{order}")).await["left"]);
            let due = shown.amount.checked_sub(shown.taken_back).unwrap();
            assert_eq!(left, due, "what is paid for {order}");
            paid += decimal(left);
        }
        let totals = file.totals(without, |_| "all");
        assert_eq!(paid, totals.values().map(|total| total.amount).sum(), "all that is paid");
    }

    async fn query<Q: serde::Serialize, A: DeserializeOwned>(&self, name: &str, asked: &Q) -> A {
        let params = Payload::encode(asked).unwrap();
        self.client.query(name, params, None).await.unwrap().decode().unwrap()
    }

    async fn state(&self, stream: &str) -> Value {
        let state = self.client.state(&stream.parse().unwrap(), AsOf::Now).await.unwrap();
        state.state.decode().unwrap()
    }

    /// The keys of all views of a read model.
    fn keys(&self, name: &str) -> BTreeSet<String> {
        let documents = self.memory.dump().unwrap().documents;
        let collection = format!("{name}.1");
        let of_it = documents.into_iter().filter(|document| document.collection == collection);
        of_it.map(|document| document.id).collect()
    }
}

fn keys<T>(map: &BTreeMap<String, T>) -> BTreeSet<String> {
    map.keys().map(|key| key.replace(' ', "_")).collect()
}

/// The id that the code has in the app.
fn id(code: &str) -> skyfold::StreamId {
    code.replace(' ', "_").parse().unwrap()
}

fn read<T: DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap()
}

fn decimal(money: Money) -> Decimal {
    money.to_string().parse().unwrap()
}

#[track_caller]
fn assert_sales(shown: &Sales, total: Total, what: &str) {
    let amounts: Vec<_> = shown.amounts.iter().map(|(c, a)| (c.to_string(), decimal(*a))).collect();
    assert_eq!(
        (shown.quantity, amounts),
        (total.quantity, vec![("GBP".into(), total.amount)]),
        "{what}"
    );
}
