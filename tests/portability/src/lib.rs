//! The same invoices through every adapter, compared to the byte.
//!
//! A [`Stage`] is one adapter with nothing recorded yet. [`perform`] gives it the commands of a
//! file of invoices, one after the other, and writes down what it answered, and what it holds in
//! the end. Two adapters that keep the contracts perform alike: their performances are equal, ids
//! and times aside.
//!
//! ```
//! let invoices = portability::invoices();
//! assert!(invoices.starts_with("InvoiceNo,StockCode,Description,Quantity,InvoiceDate"));
//! ```

pub mod chain;
mod invoices;
mod memory;
mod portrait;

use async_trait::async_trait;
use order::import::{Job, Plan, Step, parse};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use skyfold::{Error, ErrorKind, Ports, Result, Runtime};
use skyfold_cli::{Client, Outcome};

pub use invoices::invoices;
pub use memory::InMemory;
pub use portrait::{Document, Stored, Stream, streams};

/// One adapter, with nothing recorded yet.
#[async_trait]
pub trait Stage: Send + Sync {
    /// What the app is bound to.
    fn ports(&self) -> Ports;

    /// Delivers and works until nothing is left to do now.
    async fn settle(&self, runtime: &Runtime) -> Result<()>;

    /// Everything that is kept, read past the ports where they do not list it.
    async fn stored(&self) -> Result<Stored>;
}

/// What came of a file of invoices.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Performance {
    /// What each command came to, in the order in which they were given.
    pub transcript: Vec<String>,
    /// What was recorded: the events of each stream of the domain.
    pub streams: Value,
    /// What is shown: each view and the lists it is in.
    pub views: Value,
}

/// Gives the app on `stage` the commands that `invoices` ask for, at most `limit` orders of them.
///
/// # Errors
///
/// [`Invalid`](ErrorKind::Invalid) if the invoices do not make sense; those of the stage.
pub async fn perform(stage: &dyn Stage, invoices: &str, limit: usize) -> Result<Performance> {
    let runtime = order::app().bind(stage.ports())?;
    let client = Client::new(runtime.clone());
    let rows = parse::rows(invoices.as_bytes());
    let rows = rows.map_err(|e| Error::new(ErrorKind::Invalid, "no invoices").with_source(e))?;
    let currency = "GBP".parse().expect("it is three capital letters");
    let Plan { stock, orders, mut undoings, .. } = Plan::of(rows, currency)?;

    let mut transcript = vec![];
    for job in stock {
        give(&client, job, &mut transcript).await?;
    }
    stage.settle(&runtime).await?;
    for job in orders.into_iter().take(limit) {
        let order = job.last().map(|step| step.stream.clone());
        give(&client, job, &mut transcript).await?;
        stage.settle(&runtime).await?;
        if let Some(undoing) = order.and_then(|order| undoings.remove(&order)) {
            give(&client, undoing, &mut transcript).await?;
            stage.settle(&runtime).await?;
        }
    }
    let stored = stage.stored().await?;
    Ok(Performance { transcript, streams: stored.streams()?, views: stored.views()? })
}

/// How often a command is given that an adapter was too busy for, or did not answer.
const ATTEMPTS_MAX: usize = 50;

/// Gives the command of `step`, if need be again: its id says that it is the same.
async fn send(client: &Client, step: &Step) -> Result<Outcome> {
    let mut attempts = 0;
    loop {
        attempts += 1;
        let (id, command) = (step.id.clone(), step.command.clone());
        match client.send(step.category, &step.stream, id, command).await {
            Err(error) if error.is_transient() && attempts < ATTEMPTS_MAX => {}
            outcome => return outcome,
        }
    }
}

/// Gives the commands of `job`, and writes down what each came to.
async fn give(client: &Client, job: Job, transcript: &mut Vec<String>) -> Result<()> {
    for step in job {
        let outcome = match send(client, &step).await? {
            Outcome::Accepted(receipt) => format!("version {}", receipt.version),
            Outcome::Refused(reason) => format!("refused: {reason}"),
        };
        transcript.push(format!("{} {}-{}: {outcome}", step.name, step.category, step.stream));
    }
    Ok(())
}
