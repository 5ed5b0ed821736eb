//! Places the invoices of a file through commands, as anybody outside would.
//!
//! An invoice is an order, and the stock that it takes is received first. A cancellation, whose
//! number begins with `C`, names a customer and products but no invoice: it is matched with the
//! newest orders of that customer earlier in the file that have those products left at that
//! price. All of an order is cancelled, part of it is shipped, delivered and returned. Each line
//! of the file takes effect or is in the report, with its number and the reason.
//!
//! Ids of commands follow from the file alone, so that importing it twice changes nothing.

mod cancellation;
mod invoice;
pub mod parse;
mod plan;
mod report;
mod run;
mod step;
mod supply;

use std::path::PathBuf;

use clap::Args;
use skyfold::{Error, ErrorKind, Result};
use skyfold_cli::{Context, Exit, Output};

pub use plan::Plan;
pub use report::{Findings, Refused, Report};
pub use run::run;
pub use step::{Job, Step};

use crate::Currency;

/// Places the invoices of a file
#[derive(Args, Clone, Debug)]
pub struct Import {
    /// The file, in CSV; compressed with gzip if its name ends in .gz
    pub file: PathBuf,
    /// What the prices are in
    #[arg(long, default_value = "GBP")]
    pub currency: Currency,
    /// Succeeds even if lines are refused
    #[arg(long)]
    pub lenient: bool,
}

/// How many refused lines people are shown.
const SHOWN_MAX: usize = 20;

/// Places the invoices of a file, and tells what came of it.
///
/// # Errors
///
/// [`Invalid`](ErrorKind::Invalid) if the file does not make sense, and then nothing was done;
/// those of the app.
pub async fn import(context: Context, import: Import) -> Result<Exit> {
    let rows = parse::read(&import.file).map_err(|error| {
        let message = format!("{} cannot be imported", import.file.display());
        Error::new(ErrorKind::Invalid, message).with_source(error)
    })?;
    let plan = Plan::of(rows, import.currency)?;
    let progress = context.output().progress_bar(Some(plan.size()));
    let settle = || context.settle();
    let report = run(context.client(), plan, settle, &progress).await?;
    progress.finish_and_clear();
    show(context.output(), &report)?;
    match report.refused() {
        1.. if !import.lenient => Ok(Exit::Failed),
        _ => Ok(Exit::Done),
    }
}

fn show(output: &Output, report: &Report) -> Result<()> {
    output.json(report)?;
    let Report { lines, invoices, accepted, replayed, seconds, .. } = report;
    let per_second = report.commands_per_second();
    output.say(format_args!(
        "{lines} lines of {invoices} invoices: {accepted} commands took effect, {replayed} had \
         before, in {seconds:.1} s ({per_second:.0} a second)\n"
    ))?;
    let commands =
        report.commands.iter().map(|(name, count)| vec![(*name).into(), count.to_string()]);
    output.table(&["command", "accepted"], &commands.collect::<Vec<_>>())?;
    let notes = &report.findings.notes;
    let notes = notes
        .iter()
        .map(|(what, lines)| vec![(*what).into(), lines.len().to_string(), lines[0].to_string()]);
    output.table(&["odd, and taken care of", "lines", "first"], &notes.collect::<Vec<_>>())?;
    let refused = &report.findings.refused;
    let shown = refused.iter().take(SHOWN_MAX).map(|refused| {
        let Refused { line, invoice, code, reason } = refused.clone();
        vec![line.to_string(), invoice, code, reason]
    });
    if refused.is_empty() {
        return Ok(());
    }
    output.table(&["line", "invoice", "code", "refused because"], &shown.collect::<Vec<_>>())?;
    let hidden = refused.len().saturating_sub(SHOWN_MAX);
    if hidden > 0 {
        output.say(format_args!("and {hidden} more: see all with --json"))?;
    }
    Ok(())
}
