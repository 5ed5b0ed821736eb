//! What a program does that nobody calls for it: it announces what the change feed brings, takes
//! the commands of the queue, and looks for what was missed, each again and again.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use skyfold::host::{self, Attempts, Tail};
use skyfold::{Error, ErrorKind, Kind, Result, Runtime};
use tokio::sync::{Notify, Semaphore, watch};

use super::messages::Inbox;
use super::triggers;
use crate::inbox::Message;

/// How many commands run at once in one process.
const COMMANDS_MAX: usize = 16;

/// How long a message is hidden that was received: longer than any command takes. One whose
/// process has ended comes again after it.
const HELD: Duration = Duration::from_secs(120);

/// How long a message is hidden whose command has failed: at first, and at last.
const HIDDEN_MIN: Duration = Duration::from_secs(1);
const HIDDEN_MAX: Duration = Duration::from_secs(10 * 60);

/// How often a command comes that fails for what may pass: for about a day. Core gives up much
/// earlier what no time will mend.
const DEQUEUES_MAX: u32 = 150;

/// How many slices of the feed are announced at once.
const SLICES_MAX: usize = 4;

/// How long to wait after work has failed: at first, and at last.
const FAILED_MIN: Duration = Duration::from_secs(1);
const FAILED_MAX: Duration = Duration::from_secs(60);

/// How long some work waits if there is nothing to do: at first, and at last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    first: Duration,
    last: Duration,
}

/// The feed costs about one request unit for each slice that is looked at ("Request units in Azure
/// Cosmos DB"). What this process itself has recorded it does not wait for.
pub(super) const RELAY: Pace =
    Pace { first: Duration::from_millis(250), last: Duration::from_secs(5) };

/// Each look is a transaction of Queue Storage.
pub(super) const QUEUE: Pace =
    Pace { first: Duration::from_millis(100), last: Duration::from_secs(2) };

/// As often as the schedules of other hosts say.
pub(super) const SWEEP: Pace =
    Pace { first: Duration::from_secs(5 * 60), last: Duration::from_secs(5 * 60) };

/// Whether work was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// There may be more.
    Some,
    /// There is none now.
    Nothing,
}

/// Something that is to be done again and again.
pub(super) trait Work: Send + 'static {
    /// What it is called in the log.
    const NAME: &'static str;

    /// Does what there is to do now, or part of it.
    fn pass(&mut self) -> impl Future<Output = Result<Found>> + Send;
}

/// Does `work` until `stopped`, but what has begun to its end: without a pause while there is
/// something to do, at `pace` or whenever there is `news` if not, and ever more rarely while it
/// fails.
pub(super) async fn repeat<W: Work>(
    mut work: W,
    pace: Pace,
    news: Arc<Notify>,
    mut stopped: watch::Receiver<bool>,
) {
    let mut idle = pace.first;
    let mut failures = 0;
    while !*stopped.borrow() {
        // Before the work: what happens in the middle of it is news as well.
        let heard = news.notified();
        let mut heard = std::pin::pin!(heard);
        heard.as_mut().enable();
        let wait = match work.pass().await {
            Ok(Found::Some) => {
                (idle, failures) = (pace.first, 0);
                continue;
            }
            Ok(Found::Nothing) => {
                failures = 0;
                let wait = idle;
                idle = (idle * 2).min(pace.last);
                wait
            }
            Err(error) => {
                let kind = error.kind().code();
                tracing::warn!(work = W::NAME, kind, %error, "it failed, and is tried again");
                failures += 1;
                doubled(FAILED_MIN, failures, FAILED_MAX)
            }
        };
        let is_patient = failures > 0;
        tokio::select! {
            () = tokio::time::sleep(jittered(wait)) => {}
            () = heard, if !is_patient => idle = pace.first,
            // Whoever could say so is gone.
            _ = stopped.wait_for(|stopped| *stopped) => return,
        }
    }
}

/// `first`, doubled each time but the first of `times`, and `last` at most.
fn doubled(first: Duration, times: u32, last: Duration) -> Duration {
    let factor = 2_u32.saturating_pow(times.saturating_sub(1));
    first.saturating_mul(factor).min(last)
}

/// Between half of `wait` and one and a half: processes that began together do not stay together.
fn jittered(wait: Duration) -> Duration {
    wait.mul_f64(0.5 + fastrand::f64())
}

/// Announces what one slice of the change feed brings: each by itself, so that one that fails, and
/// is tried ever more rarely, keeps back no other.
#[derive(Debug)]
pub(super) struct Relay {
    runtime: Runtime,
    name: String,
    tail: Tail,
    /// Shared by those of all slices.
    turns: Arc<Semaphore>,
}

impl Relay {
    /// Those of all slices.
    pub(super) fn all(runtime: &Runtime) -> Result<Vec<Self>> {
        let functions = runtime.manifest().functions;
        let relay = functions.into_iter().find(|function| function.kind == Kind::Relay);
        let none = || Error::new(ErrorKind::Invalid, "the app has no relay");
        let name = relay.ok_or_else(none)?.name;
        let turns = Arc::new(Semaphore::new(SLICES_MAX));
        let of = |tail| {
            let (runtime, name, turns) = (runtime.clone(), name.clone(), turns.clone());
            Self { runtime, name, tail, turns }
        };
        Ok(Tail::all(runtime).into_iter().map(of).collect())
    }
}

impl Work for Relay {
    const NAME: &'static str = "relay";

    async fn pass(&mut self) -> Result<Found> {
        let Self { runtime, name, tail, turns } = self;
        // Nobody closes it.
        let _turn = turns.acquire().await;
        match tail.pass(runtime, name).await? {
            0 => Ok(Found::Nothing),
            _ => Ok(Found::Some),
        }
    }
}

/// Takes the commands of the queue.
#[derive(Debug)]
pub(super) struct Commands {
    pub(super) runtime: Runtime,
    pub(super) inbox: Arc<dyn Inbox>,
    /// What is told once a command has run.
    pub(super) news: Arc<Notify>,
}

impl Work for Commands {
    const NAME: &'static str = "commands";

    async fn pass(&mut self) -> Result<Found> {
        let messages = self.inbox.receive(COMMANDS_MAX, HELD).await?;
        if messages.is_empty() {
            return Ok(Found::Nothing);
        }
        join_all(messages.iter().map(|message| self.take(message))).await;
        self.news.notify_waiters();
        Ok(Found::Some)
    }
}

impl Commands {
    /// Runs the command of a message, and deletes the message if it is not to come again.
    async fn take(&self, message: &Message) {
        let done = match self.run(message).await {
            Ok(()) => self.inbox.delete(message).await,
            Err(error) => {
                let kind = error.kind().code();
                tracing::warn!(dequeued = message.dequeued, kind, %error, "a message comes again");
                let hidden = doubled(HIDDEN_MIN, message.dequeued, HIDDEN_MAX);
                self.inbox.hide(message, jittered(hidden).max(HIDDEN_MIN)).await
            }
        };
        // Then it comes again when its time is over, and is dropped if it was done.
        if let Err(error) = done {
            tracing::warn!(kind = error.kind().code(), %error, "a message was left as it was");
        }
    }

    /// Runs the command of a message, or makes a dead letter of it if it came too often.
    ///
    /// # Errors
    ///
    /// It must come again. So must what cannot be read, which stays in the queue, and in the log:
    /// nobody else knows what it says.
    async fn run(&self, message: &Message) -> Result<()> {
        let Self { runtime, inbox, .. } = self;
        let opened = inbox.open(&message.text).await.inspect_err(|error| {
            if error.kind().is_final() {
                tracing::error!(%error, "a message cannot be read, and stays in the queue");
            }
        })?;
        let Some(queued) = opened else { return Ok(()) };
        if !host::run(runtime, &queued, Attempts::made(message.dequeued)).await {
            return inbox.close(&message.text).await;
        }
        if message.dequeued >= DEQUEUES_MAX {
            triggers::give_up(runtime, &queued).await?;
            return inbox.close(&message.text).await;
        }
        let message = format!("the command {} comes again", queued.request.id);
        Err(Error::new(ErrorKind::Unavailable, message))
    }
}

/// Looks for what was missed.
#[derive(Debug)]
pub(super) struct Sweep {
    pub(super) runtime: Runtime,
}

impl Work for Sweep {
    const NAME: &'static str = "sweep";

    async fn pass(&mut self) -> Result<Found> {
        match host::sweep(&self.runtime).await?.is_more {
            true => Ok(Found::Some),
            false => Ok(Found::Nothing),
        }
    }
}
