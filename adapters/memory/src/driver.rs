use std::sync::Arc;
use std::time::Duration;

use skyfold::ports::Clock;
use skyfold::{Error, ErrorKind, Result, Runtime};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::broker::{Broker, Now};
use crate::chaos::{Chaos, Ending, Job};
use crate::clock::{Time, later};
use crate::inbox::Pace;
use crate::lease::Lease;
use crate::pending::Pending;
use crate::relay::Relay;
use crate::subscribers::Subscribers;
use crate::wake::Wake;

/// How many rounds a settling may take in which nothing is finished, before it gives up.
const IDLE_ROUNDS_MAX: u32 = 32;

/// How many rounds a settling may take at all: a domain that answers each of its own events with
/// another never comes to rest.
const ROUNDS_MAX: u32 = 1_000_000;

/// How long the live host waits after the log could not be read or announced.
const RELAY_DELAY: Duration = Duration::from_secs(1);

/// The local host: turns what happens in one process into calls of the runtime.
#[derive(Debug)]
pub(crate) struct Driver {
    pub(crate) broker: Arc<Broker>,
    pub(crate) relay: Relay,
    pub(crate) time: Time,
    pub(crate) chaos: Arc<Chaos>,
    pub(crate) wake: Wake,
}

/// What one round of settling came to.
struct Round {
    /// How many commits were announced.
    commits: usize,
    /// How often functions were given something to do.
    leases: usize,
    /// Why commits could not be announced.
    failure: Option<Arc<Error>>,
    /// Whether a function came to its end before its time.
    ending: Ending,
}

impl Driver {
    /// Relays, delivers and runs commands, one after the other and always in the same order, until
    /// nothing is left to do now.
    pub(crate) async fn settle(&self, runtime: &Runtime) -> Result<()> {
        let subscribers = Subscribers::default();
        let mut process = runtime.clone();
        let (mut idle, mut before) = (0, self.broker.finished());
        for _ in 0..ROUNDS_MAX {
            let mut listener = self.wake.listen();
            let round = self.round(&process, &subscribers).await?;
            if round.ending == Ending::Crash {
                process = runtime.restarted();
            }
            let (pending, finished) = (self.pending(), self.broker.finished());
            if pending.is_settled() {
                return Ok(());
            }
            if round.commits > 0 || finished > before {
                (idle, before) = (0, finished);
                continue;
            }
            if round.leases == 0 && pending.working > 0 {
                // It is in the hands of another host of this process.
                listener.heard().await;
                continue;
            }
            idle += 1;
            if idle >= IDLE_ROUNDS_MAX {
                return Err(self.stuck(pending, round.failure));
            }
        }
        let message = format!("nothing came to rest in {ROUNDS_MAX} rounds: {:?}", self.pending());
        Err(Error::new(ErrorKind::Unexpected, message))
    }

    /// Does once whatever can be done.
    async fn round(&self, runtime: &Runtime, to: &Subscribers) -> Result<Round> {
        let (commits, failure) = match self.relay.pass(runtime, to).await {
            Ok(commits) => (commits, None),
            Err(error) if error.kind().is_final() => return Err(error),
            Err(error) => (0, Some(Arc::new(error))),
        };
        self.broker.fan_out(runtime, to);
        let leases = self.broker.leases(Pace::Eager, self.now());
        let mut round = Round { commits, leases: leases.len(), failure, ending: Ending::Usual };
        let work = |lease: Lease| lease.work(runtime, &self.chaos);
        if self.chaos.is_calm() {
            for lease in leases {
                work(lease).await;
            }
        } else {
            let jobs = leases.into_iter().map(|lease| Box::pin(work(lease)) as Job<'_, _>);
            let endings = self.chaos.interleave(jobs.collect()).await;
            round.ending = endings.into_iter().max().unwrap_or(Ending::Usual);
        }
        Ok(round)
    }

    fn stuck(&self, pending: Pending, failure: Option<Arc<Error>>) -> Error {
        let message = format!("nothing was finished in {IDLE_ROUNDS_MAX} rounds: {pending:?}");
        let error = Error::new(ErrorKind::Unavailable, message);
        match failure.or_else(|| self.broker.last_failure()) {
            Some(failure) => error.with_source(failure),
            None => error,
        }
    }

    /// Settles, lets time pass until the next command is due, and so on for at most `limit`.
    pub(crate) async fn settle_through_time(
        &self,
        runtime: &Runtime,
        limit: Duration,
    ) -> Result<()> {
        let Time::Virtual(clock) = &self.time else {
            let message = "time passes by itself: use a virtual clock";
            return Err(Error::new(ErrorKind::Invalid, message));
        };
        let end = later(clock.now(), limit);
        self.settle(runtime).await?;
        while let Some(due) = self.broker.next_due().filter(|due| *due <= end) {
            clock.advance_to(due);
            self.settle(runtime).await?;
        }
        Ok(())
    }

    /// Relays, delivers and runs commands as they come and become due, until it is dropped.
    pub(crate) async fn run(self: Arc<Self>, runtime: Runtime) {
        let mut listener = self.wake.listen();
        let subscribers = Subscribers::default();
        let (mut process, mut working) = (runtime.clone(), JoinSet::new());
        loop {
            let relayed = self.relay.pass(&process, &subscribers).await;
            self.broker.fan_out(&process, &subscribers);
            let now = self.now();
            self.start(&mut working, &process, now);
            while let Some(done) = working.try_join_next() {
                match done {
                    Ok(Ending::Usual) => {}
                    Ok(Ending::Crash) => process = runtime.restarted(),
                    Err(error) => tracing::error!(%error, "a function was interrupted"),
                }
            }
            let retry = match relayed {
                Ok(0) => None,
                Ok(_) => {
                    // There may be more. Whatever is at work gets its turn first.
                    tokio::task::yield_now().await;
                    continue;
                }
                Err(error) => {
                    tracing::warn!(%error, "events wait to be announced");
                    Some(now.instant + RELAY_DELAY)
                }
            };
            let retry = self.broker.next_retry(now).into_iter().chain(retry).min();
            tokio::select! {
                // Whoever ends, or panics, rings as well.
                () = listener.heard() => {}
                () = at(retry, tokio::time::sleep_until) => {}
                () = at(self.broker.next_due(), |due| self.time.reached(due)) => {}
            }
        }
    }

    /// Starts whatever can be done `now`.
    fn start(&self, working: &mut JoinSet<Ending>, process: &Runtime, now: Now) {
        loop {
            let leases = self.broker.leases(Pace::Patient, now);
            if leases.is_empty() {
                return;
            }
            for lease in leases {
                let (process, chaos) = (process.clone(), self.chaos.clone());
                working.spawn(async move { lease.work(&process, &chaos).await });
            }
        }
    }

    fn now(&self) -> Now {
        Now { time: self.time.now(), instant: Instant::now() }
    }

    pub(crate) fn pending(&self) -> Pending {
        Pending { commits: self.relay.left(), ..self.broker.pending() }
    }
}

/// Waits until `then`, or for ever.
async fn at<T, F: Future<Output = ()>>(then: Option<T>, wait: impl FnOnce(T) -> F) {
    match then {
        Some(then) => wait(then).await,
        None => std::future::pending().await,
    }
}
