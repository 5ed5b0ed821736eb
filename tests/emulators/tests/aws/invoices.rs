use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use libtest_mimic::Failed;
use order::import::{Plan, Report, parse, run};
use serde_json::{Value, json};
use skyfold::Payload;
use skyfold_cli::Client;
use skyfold_memory::Memory;

use crate::installation::Installation;

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

/// Between two functions that are killed.
const KILL_PAUSE: Duration = Duration::from_millis(700);

/// The functions that are killed: all that work behind the API, in no particular order. What is
/// between an append and its announcement is in the hands of the relay.
const VICTIMS: [&str; 4] = ["relay", "commands", "fulfilment", "order-summary"];

/// Real invoices with few lines, or else made ones.
fn invoices() -> String {
    let all = std::fs::read_to_string(Path::new(REAL)).unwrap_or_else(|_| portability::invoices());
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

pub(crate) fn same(aws: &Installation) -> Result<(), Failed> {
    let invoices = invoices();
    let Shown { report: expected_report, asked, answers: expected } =
        aws.tokio.block_on(in_memory(&invoices));
    let is_order = |(_, answer): &(&(&str, Value), &Value)| answer[1]["order"].is_string();
    let orders = asked.iter().zip(&expected).filter(is_order);
    let orders: Vec<_> = orders.map(|(_, answer)| answer[1]["order"].clone()).collect();
    assert!(!orders.is_empty(), "there is something to place");
    let is_over = AtomicBool::new(false);
    let kills = AtomicU32::new(0);
    let report = std::thread::scope(|scope| {
        scope.spawn(|| kill_now_and_then(aws, &is_over, &kills));
        // However it ends, the killing ends as well.
        let placing = || aws.tokio.block_on(on_aws(aws, &invoices, &orders));
        let placed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(placing));
        is_over.store(true, Ordering::Relaxed);
        placed.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    });
    assert_eq!(report.findings, expected_report.findings);
    assert!(kills.load(Ordering::Relaxed) > 0, "something was killed");
    let client = Client::http(&aws.url, order::app().manifest()).unwrap();
    let start = Instant::now();
    loop {
        let answers = aws.tokio.block_on(answers(&client, &asked));
        if answers == expected {
            eprintln!("{} questions, {} kills", asked.len(), kills.load(Ordering::Relaxed));
            return Ok(());
        }
        if start.elapsed() > REST_MAX {
            assert_eq!(answers, expected);
        }
        std::thread::sleep(PAUSE);
    }
}

/// What is shown after invoices were placed.
struct Shown {
    report: Report,
    /// The questions that show it.
    asked: Vec<(&'static str, Value)>,
    answers: Vec<Value>,
}

/// What is shown after `invoices` were placed in memory.
async fn in_memory(invoices: &str) -> Shown {
    let memory = Memory::new();
    let runtime = order::app().bind(memory.ports()).unwrap();
    let client = Client::new(runtime.clone());
    let settle = || async { memory.settle(&runtime).await };
    let report = run(&client, plan(invoices), settle, &ProgressBar::hidden()).await.unwrap();
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
    Shown { report, answers: answers(&client, &asked).await, asked }
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

/// Places `invoices` through the HTTP API, of which come these `orders`.
async fn on_aws(aws: &Installation, invoices: &str, orders: &[Value]) -> Report {
    let client = Client::http(&aws.url, order::app().manifest()).unwrap();
    let (start, asking) = (Instant::now(), client.clone());
    let settle = || async {
        for order in orders {
            while status(&asking, order).await.is_none_or(|status| status == "placed") {
                assert!(start.elapsed() < REST_MAX, "{order} is not confirmed");
                tokio::time::sleep(PAUSE).await;
            }
        }
        Ok(())
    };
    run(&client, plan(invoices), settle, &ProgressBar::hidden()).await.unwrap()
}

/// What is shown of `order`, if anything is.
async fn status(client: &Client, order: &Value) -> Option<String> {
    let asked = Payload::encode(&json!({ "order": order })).unwrap();
    let shown = client.query("show-order", asked, None).await.ok()?;
    let shown: Value = serde_json::from_str(shown.get()).unwrap();
    shown["status"].as_str().map(str::to_owned)
}

/// Kills the processes of one function after the other, as a machine does that goes down.
fn kill_now_and_then(aws: &Installation, is_over: &AtomicBool, kills: &AtomicU32) {
    for victim in VICTIMS.iter().cycle() {
        if is_over.load(Ordering::Relaxed) {
            return;
        }
        kills.fetch_add(aws.kill(victim), Ordering::Relaxed);
        std::thread::sleep(KILL_PAUSE);
    }
}
