use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};

use skyfold::{Error, ErrorKind, Result};

use crate::faults::{CrashPoint, FaultCounts, Faults, Moment};

/// How often in a row a fault may hit the same work.
pub(crate) const IN_A_ROW_MAX: u32 = 3;

/// How many calls fail in a row, at most, of whoever is not an invocation by the local host.
const OUTAGE_CALLS_MAX: u32 = 8;

/// How many calls succeed after that, at least: enough for a command to be done.
const PEACE_CALLS_MIN: u32 = 24;

/// How many lines of the trace are kept, the newest.
const TRACE_LINES_MAX: usize = 100_000;

/// Draws the faults.
#[derive(Debug)]
pub(crate) struct Chaos {
    faults: Faults,
    /// Whether there are no faults, from the start or from now on.
    is_calm: AtomicBool,
    drawn: Mutex<Drawn>,
}

#[derive(Debug)]
struct Drawn {
    rng: fastrand::Rng,
    counts: FaultCounts,
    trace: VecDeque<String>,
    /// How many calls from outside fail next.
    outage: u32,
    /// How many succeed after that.
    peace: u32,
}

tokio::task_local! {
    static INVOCATION: Invocation;
}

/// A call of a function by the local host.
#[derive(Clone, Debug)]
struct Invocation {
    /// Whether it has come to its end, and only does not know it yet.
    has_crashed: Arc<AtomicBool>,
    fate: Fate,
}

/// Whether faults may hit an invocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// They may.
    Open,
    /// They have done so often enough.
    Spared,
}

impl Fate {
    /// That of work which has failed `attempts` times.
    pub(crate) fn after(attempts: u32) -> Self {
        if attempts < IN_A_ROW_MAX { Self::Open } else { Self::Spared }
    }
}

/// What hits a call that writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strike {
    /// Nothing.
    Miss,
    /// Only this call, or parts of it.
    Call(Moment),
    /// This call and all later ones of the invocation.
    Invocation(Moment),
}

/// Whether an invocation came to its end before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ending {
    Usual,
    Crash,
}

impl Chaos {
    pub(crate) fn new(faults: Faults) -> Self {
        let drawn = Drawn {
            rng: fastrand::Rng::with_seed(faults.seed),
            counts: FaultCounts::default(),
            trace: VecDeque::new(),
            outage: 0,
            peace: 0,
        };
        let is_calm = AtomicBool::new(faults == Faults::none());
        Self { faults, is_calm, drawn: Mutex::new(drawn) }
    }

    pub(crate) fn is_calm(&self) -> bool {
        self.is_calm.load(Ordering::Relaxed)
    }

    /// Ends all faults.
    pub(crate) fn calm(&self) {
        self.is_calm.store(true, Ordering::Relaxed);
    }

    pub(crate) fn counts(&self) -> FaultCounts {
        self.lock().counts
    }

    pub(crate) fn trace(&self) -> Vec<String> {
        self.lock().trace.iter().cloned().collect()
    }

    /// Notes what happened, where there are faults to be understood.
    pub(crate) fn note(&self, line: impl FnOnce() -> String) {
        if self.is_calm() {
            return;
        }
        let mut drawn = self.lock();
        if drawn.trace.len() >= TRACE_LINES_MAX {
            drawn.trace.pop_front();
        }
        drawn.trace.push_back(line());
    }

    /// Whether something happens that does so with the probability that `which` names; counts it.
    pub(crate) fn happens(
        &self,
        which: fn(&Faults) -> f64,
        count: fn(&mut FaultCounts) -> &mut u64,
    ) -> bool {
        if self.is_calm() {
            return false;
        }
        let mut drawn = self.lock();
        let happens = drawn.chance(which(&self.faults));
        *count(&mut drawn.counts) += u64::from(happens);
        happens
    }

    /// A number from `least` to `most`, both included.
    pub(crate) fn number(&self, least: usize, most: usize) -> usize {
        self.lock().rng.usize(least..=most)
    }

    /// Lets other functions go first, now and then.
    pub(crate) async fn pause(&self) {
        if self.happens(|faults| faults.switch, |counts| &mut counts.switched) {
            tokio::task::yield_now().await;
        }
    }

    /// Calls a function, and says how that ended.
    pub(crate) async fn invoke<T>(&self, fate: Fate, call: impl Future<Output = T>) -> (T, Ending) {
        let invocation = Invocation { has_crashed: Arc::default(), fate };
        let has_crashed = invocation.has_crashed.clone();
        let outcome = INVOCATION.scope(invocation, call).await;
        match has_crashed.load(Ordering::Relaxed) {
            true => (outcome, Ending::Crash),
            false => (outcome, Ending::Usual),
        }
    }

    /// Does several things at once, each a step in turn, in an order by chance.
    pub(crate) async fn interleave<T>(&self, mut jobs: Vec<Job<'_, T>>) -> Vec<T> {
        let mut outcomes = vec![];
        let step = |context: &mut Context<'_>| {
            self.lock().rng.shuffle(&mut jobs);
            jobs.retain_mut(|job| match job.as_mut().poll(context) {
                Poll::Ready(outcome) => {
                    outcomes.push(outcome);
                    false
                }
                Poll::Pending => true,
            });
            if jobs.is_empty() { Poll::Ready(()) } else { Poll::Pending }
        };
        std::future::poll_fn(step).await;
        outcomes
    }

    /// Fails a call that reads if whoever makes it is down.
    pub(crate) fn reach(&self, what: &str) -> Result<()> {
        if self.is_calm() {
            return Ok(());
        }
        let is_down = match current() {
            Some(invocation) => invocation.has_crashed.load(Ordering::Relaxed),
            None => self.lock().outside(),
        };
        if is_down { Err(unreachable(what)) } else { Ok(()) }
    }

    /// What hits a call that writes.
    pub(crate) fn strike(&self, what: &str) -> Strike {
        if self.is_calm() {
            return Strike::Miss;
        }
        let strike = self.draw();
        match strike {
            Strike::Miss => {}
            Strike::Call(moment) => self.note(|| format!("a fault {moment:?} {what}")),
            Strike::Invocation(moment) => self.note(|| format!("a crash {moment:?} {what}")),
        }
        strike
    }

    fn draw(&self) -> Strike {
        let mut drawn = self.lock();
        let invocation = current();
        let is_down = match &invocation {
            Some(invocation) => invocation.has_crashed.load(Ordering::Relaxed),
            None => drawn.outside(),
        };
        if is_down {
            return Strike::Invocation(Moment::Before);
        }
        drawn.counts.writes += 1;
        let write = drawn.counts.writes;
        let planned = self.faults.crash_at.filter(|point| point.write == write);
        let is_open = match &invocation {
            Some(invocation) => invocation.fate == Fate::Open,
            None => drawn.peace == 0,
        };
        let (moment, is_crash) = match planned {
            Some(CrashPoint { moment, .. }) => (moment, true),
            None if is_open && drawn.chance(self.faults.crash) => {
                let moment = if drawn.rng.bool() { Moment::Before } else { Moment::After };
                (moment, drawn.rng.bool())
            }
            None => return Strike::Miss,
        };
        match moment {
            Moment::Before => drawn.counts.failed_before += 1,
            Moment::After => drawn.counts.failed_after += 1,
        }
        if !is_crash {
            return Strike::Call(moment);
        }
        drawn.counts.crashed += 1;
        match invocation {
            Some(invocation) => invocation.has_crashed.store(true, Ordering::Relaxed),
            None => {
                drawn.outage = drawn.rng.u32(1..=OUTAGE_CALLS_MAX);
                drawn.peace = PEACE_CALLS_MIN;
            }
        }
        Strike::Invocation(moment)
    }

    fn lock(&self) -> MutexGuard<'_, Drawn> {
        self.drawn.lock().expect("nothing panics while it holds the faults")
    }
}

/// Something to do beside other things.
pub(crate) type Job<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

impl Drawn {
    fn chance(&mut self, probability: f64) -> bool {
        probability > 0.0 && self.rng.f64() < probability
    }

    /// Counts a call by whoever is not an invocation. Says whether it fails.
    fn outside(&mut self) -> bool {
        if self.outage > 0 {
            self.outage -= 1;
            return true;
        }
        self.peace = self.peace.saturating_sub(1);
        false
    }
}

fn current() -> Option<Invocation> {
    INVOCATION.try_with(Invocation::clone).ok()
}

/// The error of a call that nobody answered.
pub(crate) fn unreachable(what: &str) -> Error {
    Error::new(ErrorKind::Unavailable, format!("no answer to {what}: a fault made on purpose"))
}
