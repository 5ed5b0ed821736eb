//! Gives the commands of a plan, many at a time, and sees what comes of them.

use std::collections::BTreeSet;
use std::mem::take;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use skyfold::{Error, ErrorKind, Payload, Result};
use skyfold_cli::{Client, Outcome};
use tokio::task::JoinSet;

use super::plan::Plan;
use super::report::Report;
use super::step::{Job, Step};
use crate::Status;
use crate::queries::ShowOrder;
use crate::views::OrderSummary;

/// How many jobs are done at a time.
const JOBS_MAX: usize = 32;

/// How often something is asked of an app that is too busy for it.
const ATTEMPTS_MAX: u32 = 10;

/// How long to wait before it is asked again; twice as long each time.
const PAUSE: Duration = Duration::from_millis(5);

/// Gives the commands of `plan` to the app of `client`: first those that fill the stock, then
/// those that place orders, and once the orders are confirmed those that undo some of them.
/// `settle` waits until the app has come to rest.
///
/// # Errors
///
/// Those of an app that cannot be reached. The same file may be imported again: only what is
/// missing will take effect. What the app refuses is in the report.
pub async fn run<Fut>(
    client: &Client,
    mut plan: Plan,
    settle: impl Fn() -> Fut,
    progress: &ProgressBar,
) -> Result<Report>
where
    Fut: Future<Output = Result<()>>,
{
    let started = Instant::now();
    let report = Report { lines: plan.lines, invoices: plan.invoices, ..Report::default() };
    let (stock, orders) = (take(&mut plan.stock), take(&mut plan.orders));
    let undoings = take(&mut plan.undoings).into_values().collect();
    let mut import = Import { client, plan, progress, report };
    import.give(stock).await?;
    import.give(orders.clone()).await?;
    settle().await?;
    import.check(orders).await?;
    import.give(undoings).await?;
    settle().await?;
    Ok(import.finish(started.elapsed()))
}

/// An import on its way.
struct Import<'a> {
    client: &'a Client,
    plan: Plan,
    progress: &'a ProgressBar,
    report: Report,
}

impl Import<'_> {
    /// Gives the commands of `jobs`.
    async fn give(&mut self, jobs: Vec<Job>) -> Result<()> {
        let client = self.client.clone();
        let work = |job| give_job(client.clone(), job);
        side_by_side(jobs, work, |done: Done| {
            for (name, is_replayed) in done.accepted {
                *self.report.commands.entry(name).or_default() += 1;
                match is_replayed {
                    true => self.report.replayed += 1,
                    false => self.report.accepted += 1,
                }
                self.progress.inc(1);
            }
            if let Some((reason, lines)) = done.refused {
                self.plan.refuse(&lines, &reason);
            }
        })
        .await
    }

    /// Sees whether the orders that `jobs` placed are confirmed by now.
    async fn check(&mut self, jobs: Vec<Job>) -> Result<()> {
        let client = self.client.clone();
        let refused = self.plan.findings.refused.iter().map(|refused| refused.line);
        let refused: BTreeSet<_> = refused.collect();
        let placed = jobs.into_iter().filter_map(|job| job.into_iter().last());
        let placed = placed.filter(|step| step.lines.iter().all(|line| !refused.contains(line)));
        let work = |step| shortcoming(client.clone(), step);
        side_by_side(placed.collect(), work, |(step, shortcoming): (Step, Option<String>)| {
            self.progress.inc(1);
            if let Some(reason) = shortcoming {
                self.plan.refuse(&step.lines, &reason);
            }
        })
        .await
    }

    fn finish(self, elapsed: Duration) -> Report {
        let Self { plan, mut report, .. } = self;
        report.findings = plan.findings;
        report.findings.refused.sort();
        report.seconds = elapsed.as_secs_f64();
        report
    }
}

/// Does `work` with each of `items`, a limited number at a time, and hands on what comes of it.
async fn side_by_side<T, R, Fut>(
    items: Vec<T>,
    work: impl Fn(T) -> Fut,
    mut hand_on: impl FnMut(R),
) -> Result<()>
where
    R: Send + 'static,
    Fut: Future<Output = Result<R>> + Send + 'static,
{
    let mut running = JoinSet::new();
    let mut items = items.into_iter();
    loop {
        while running.len() < JOBS_MAX
            && let Some(item) = items.next()
        {
            running.spawn(work(item));
        }
        match running.join_next().await {
            None => return Ok(()),
            Some(Ok(outcome)) => hand_on(outcome?),
            Some(Err(lost)) => {
                let message = "a part of the import has ended early";
                return Err(Error::new(ErrorKind::Unexpected, message).with_source(lost));
            }
        }
    }
}

/// What came of a job.
#[derive(Debug, Default)]
struct Done {
    /// The name of each command that was accepted, and whether it had taken effect before.
    accepted: Vec<(&'static str, bool)>,
    /// Why the next was not, and the lines that have no effect for that.
    refused: Option<(String, Vec<u64>)>,
}

/// Gives the commands of `job` as far as none is refused.
async fn give_job(client: Client, job: Job) -> Result<Done> {
    let mut done = Done::default();
    let mut steps = job.into_iter();
    while let Some(step) = steps.next() {
        match give_step(&client, &step).await? {
            Ok(is_replayed) => done.accepted.push((step.name, is_replayed)),
            Err(reason) => {
                let lines = std::iter::once(step).chain(steps).flat_map(|step| step.lines);
                // Several commands may be on account of one line.
                let lines: BTreeSet<_> = lines.collect();
                done.refused = Some((reason, lines.into_iter().collect()));
                break;
            }
        }
    }
    Ok(done)
}

/// Gives the command of `step`. Tells whether it had taken effect before, or why it is refused.
async fn give_step(client: &Client, step: &Step) -> Result<Result<bool, String>> {
    let Step { category, stream, id, command, .. } = step;
    let given = patiently(|| client.send(category, stream, id.clone(), command.clone())).await;
    match given {
        Ok(Outcome::Accepted(receipt)) => Ok(Ok(receipt.replayed)),
        Ok(Outcome::Refused(reason)) => Ok(Err(reason)),
        // The app will never take this one as it is, but may well take others.
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::Duplicate | ErrorKind::Invalid | ErrorKind::Oversized
            ) =>
        {
            Ok(Err(error.to_string()))
        }
        Err(error) => Err(error),
    }
}

/// What the order lacks that `step` has placed, if it is not confirmed.
async fn shortcoming(client: Client, step: Step) -> Result<(Step, Option<String>)> {
    let params = Payload::encode(&ShowOrder { order: step.stream.clone() })?;
    let shown = patiently(|| client.query("show-order", params.clone(), None)).await;
    let shortcoming = match shown {
        Err(error) if error.kind() == ErrorKind::NotFound => Some("the order is not shown".into()),
        Err(error) => return Err(error),
        Ok(shown) => {
            let OrderSummary { status, reason, .. } = shown.decode()?;
            match status {
                Status::Failed => Some(reason.unwrap_or_default()),
                Status::Draft | Status::Placed => Some(format!("the order is still {status}")),
                _ => None,
            }
        }
    };
    Ok((step, shortcoming))
}

/// Asks again while the app has too much to do, but not for ever.
async fn patiently<T, Fut>(ask: impl Fn() -> Fut) -> Result<T>
where
    Fut: Future<Output = Result<T>>,
{
    let mut pause = PAUSE;
    for _ in 1..ATTEMPTS_MAX {
        match ask().await {
            Err(error) if error.is_transient() || error.kind() == ErrorKind::Conflict => {
                tokio::time::sleep(error.retry_after().unwrap_or(pause)).await;
                pause *= 2;
            }
            outcome => return outcome,
        }
    }
    ask().await
}
