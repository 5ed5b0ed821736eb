//! Real invoices through an app that runs somewhere else, compared with the same in memory.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use order::import::{Plan, Report, parse, run};
use serde_json::{Value, json};
use skyfold::{Payload, Result};
use skyfold_cli::Client;
use skyfold_memory::Memory;

/// How many invoices are placed, and how many lines each has at most.
const INVOICES: usize = 24;
const LINES_MAX: usize = 3;

/// Where real ones are, on a machine that has them beside the project.
const REAL: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/online-retail-2010-12.csv");

/// How long everything may take to come to rest, on a busy machine.
const REST_MAX: Duration = Duration::from_secs(240);

/// How long to wait before something is looked for again.
const PAUSE: Duration = Duration::from_millis(500);

/// Real invoices with few lines, or else made ones.
pub fn invoices() -> String {
    let all = std::fs::read_to_string(Path::new(REAL)).unwrap_or_else(|_| crate::invoices());
    let invoice = |line: &str| line.split(',').next().unwrap().to_owned();
    let mut lines: Vec<(String, Vec<&str>)> = vec![];
    for line in all.lines().skip(1) {
        match lines.last_mut().filter(|(last, _)| *last == invoice(line)) {
            Some((_, lines)) => lines.push(line),
            None => lines.push((invoice(line), vec![line])),
        }
    }
    let short = lines.into_iter().filter(|(_, lines)| lines.len() <= LINES_MAX).take(INVOICES);
    let header = all.lines().next().unwrap().to_owned();
    short.fold(header, |text, (_, lines)| format!("{text}\n{}", lines.join("\n")))
}

fn plan(invoices: &str) -> Plan {
    Plan::of(parse::rows(invoices.as_bytes()).unwrap(), "GBP".parse().unwrap()).unwrap()
}

/// What is shown after invoices were placed in memory.
#[derive(Debug)]
pub struct Shown {
    invoices: String,
    report: Report,
    /// The questions that show it.
    asked: Vec<(&'static str, Value)>,
    answers: Vec<Value>,
}

/// What is shown after `invoices` were placed in memory.
pub async fn in_memory(invoices: String) -> Shown {
    let memory = Memory::new();
    let runtime = order::app().bind(memory.ports()).unwrap();
    let client = Client::new(runtime.clone());
    let settle = || async { memory.settle(&runtime).await };
    let report = run(&client, plan(&invoices), settle, &ProgressBar::hidden()).await.unwrap();
    let mut questions = BTreeSet::new();
    for line in invoices.lines().skip(1) {
        let mut fields = line.split(',');
        let (invoice, product) = (fields.next().unwrap(), fields.next().unwrap().to_uppercase());
        questions.insert(("show-order", "order", invoice.trim_start_matches('C').to_owned()));
        questions.insert(("stock-of", "product", product.clone()));
        questions.insert(("sales-of", "product", product));
    }
    questions.insert(("sales-on", "day", "2010-12-01".to_owned()));
    let questions = questions.into_iter();
    let asked: Vec<_> = questions.map(|(name, key, value)| (name, json!({ key: value }))).collect();
    let answers = answers(&client, &asked).await;
    Shown { invoices, report, asked, answers }
}

impl Shown {
    /// How many questions show it.
    pub fn questions(&self) -> usize {
        self.asked.len()
    }

    /// The orders that are placed.
    fn orders(&self) -> Vec<Value> {
        let is_order = |(_, answer): &(&(&str, Value), &Value)| answer[1]["order"].is_string();
        let orders = self.asked.iter().zip(&self.answers).filter(is_order);
        orders.map(|(_, answer)| answer[1]["order"].clone()).collect()
    }

    /// Places the same invoices through the app of `client`, which hears of them as in memory.
    ///
    /// # Panics
    ///
    /// If it does not, or not in time.
    pub async fn place(&self, client: &Client) {
        let (start, asking, orders) = (Instant::now(), client.clone(), self.orders());
        assert!(!orders.is_empty(), "there is something to place");
        let settle = || async {
            for order in &orders {
                while status(&asking, order).await.is_none_or(|status| status == "placed") {
                    assert!(start.elapsed() < REST_MAX, "{order} is not confirmed");
                    tokio::time::sleep(PAUSE).await;
                }
            }
            Ok(())
        };
        self.place_with(client, settle).await;
    }

    /// The same with an app that has come to rest once `settle` returns.
    ///
    /// # Panics
    ///
    /// If it hears of something else than in memory.
    pub async fn place_with<F>(&self, client: &Client, settle: impl Fn() -> F)
    where
        F: Future<Output = Result<()>>,
    {
        let plan = plan(&self.invoices);
        let report = run(client, plan, settle, &ProgressBar::hidden()).await.unwrap();
        assert_eq!(report.findings, self.report.findings);
    }

    /// Waits until the app of `client` shows the same.
    ///
    /// # Panics
    ///
    /// If it does not, in time.
    pub async fn is_shown(&self, client: &Client) {
        let start = Instant::now();
        loop {
            let answers = answers(client, &self.asked).await;
            if answers == self.answers {
                return;
            }
            if start.elapsed() > REST_MAX {
                assert_eq!(answers, self.answers);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// What `client` answers to each of `asked`: the kind of error where it knows nothing.
async fn answers(client: &Client, asked: &[(&'static str, Value)]) -> Vec<Value> {
    let mut answers = vec![];
    for (name, params) in asked {
        let params = Payload::encode(params).unwrap();
        answers.push(match client.query(name, params, None).await {
            Ok(answer) => json!([name, serde_json::from_str::<Value>(answer.get()).unwrap()]),
            Err(error) => json!([name, error.kind().code()]),
        });
    }
    answers
}

/// What is shown of `order`, if anything is.
async fn status(client: &Client, order: &Value) -> Option<String> {
    let asked = Payload::encode(&json!({ "order": order })).unwrap();
    let shown = client.query("show-order", asked, None).await.ok()?;
    let shown: Value = serde_json::from_str(shown.get()).unwrap();
    shown["status"].as_str().map(str::to_owned)
}
