use std::task::Poll;
use std::time::Duration;

use skyfold::{Error, ErrorKind, Result};

use crate::faults::{Fault, spread};
use crate::ports::call::Call;
use crate::world::{Intent, State, World};

/// The longest that a service which asks for fewer calls asks to wait, in powers of two of
/// milliseconds: more than a caller grants.
const RETRY_AFTER_DOUBLINGS: u32 = 14;

/// The longest that a process stands still, in powers of two of milliseconds: days.
const STALL_DOUBLINGS: u32 = 28;

/// What stands before and behind every call of a port: others run meanwhile, and things go wrong.
#[derive(Clone, Debug)]
pub(crate) struct Gate {
    pub(crate) world: World,
}

/// What becomes of one item of a batch.
#[derive(Debug)]
pub(crate) enum Fate {
    /// It is done, and its answer arrives.
    Done,
    /// It is done, and its answer is lost.
    Lost(Error),
    /// It is not done.
    Failed(Error),
}

const BEFORE: [Fault; 5] =
    [Fault::CrashBefore, Fault::Cancel, Fault::Stall, Fault::Unavailable, Fault::Throttled];
const AFTER_WRITE: [Fault; 2] = [Fault::CrashAfter, Fault::LostAnswer];
const AFTER_READ: [Fault; 1] = [Fault::CrashAfter];

/// Whether a call changes anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    Read,
    Write,
}

impl Gate {
    /// Makes `call`, unless something goes wrong before, and returns what it came to, unless
    /// something goes wrong after.
    pub(crate) async fn pass<T>(
        &self,
        effect: Effect,
        call: Call<'_>,
        made: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        self.before(call).await?;
        let outcome = made.await;
        self.after(effect, call, outcome).await
    }

    /// Gives way to others, and perhaps does not come back.
    pub(crate) async fn before(&self, call: Call<'_>) -> Result<()> {
        give_way().await;
        let fault = self.world.lock().strike(&BEFORE);
        let Some(fault) = fault else { return Ok(()) };
        self.world.lock().note(format_args!("{call}: {fault}"));
        match fault {
            Fault::CrashBefore => self.never(Intent::Crash).await,
            Fault::Cancel => self.never(Intent::Cancel).await,
            Fault::Stall => {
                let duration = spread(&mut self.world.lock().rng, 5..STALL_DOUBLINGS);
                self.sleep(duration).await;
            }
            _ => return Err(failure(fault, &mut self.world.lock())),
        }
        Ok(())
    }

    /// Passes `outcome` on, unless it never arrives.
    pub(crate) async fn after<T>(
        &self,
        effect: Effect,
        call: Call<'_>,
        outcome: Result<T>,
    ) -> Result<T> {
        let candidates: &[Fault] = match effect {
            Effect::Read => &AFTER_READ,
            Effect::Write => &AFTER_WRITE,
        };
        let fault = self.note(call, outcome.as_ref().err(), candidates);
        match fault {
            None => {}
            Some(Fault::CrashAfter) => self.never(Intent::Crash).await,
            Some(fault) => return Err(failure(fault, &mut self.world.lock())),
        }
        give_way().await;
        outcome
    }

    fn note(&self, call: Call<'_>, error: Option<&Error>, candidates: &[Fault]) -> Option<Fault> {
        let mut state = self.world.lock();
        let fault = state.strike(candidates);
        match (error, fault) {
            (None, None) => state.note(call),
            (None, Some(fault)) => state.note(format_args!("{call}: {fault}")),
            (Some(error), None) => state.note(format_args!("{call}: {error}")),
            (Some(error), Some(fault)) => state.note(format_args!("{call}: {error}, {fault}")),
        }
        fault
    }

    /// What becomes of each of `count` items. With `Err`, none is done.
    pub(crate) async fn fates(&self, call: Call<'_>, count: usize) -> Result<(Vec<Fate>, Ending)> {
        self.before(call).await?;
        let mut state = self.world.lock();
        let is_partial = state.strikes(Fault::PartialBatch);
        let ending = match state.strike(&AFTER_READ) {
            Some(_) => Ending::Crash,
            None => Ending::Answer,
        };
        let mut fates = vec![];
        for _ in 0..count {
            let fate = match is_partial {
                true => one_of_many(&mut state),
                false => match state.strike(&[Fault::LostAnswer]) {
                    Some(fault) => Fate::Lost(failure(fault, &mut state)),
                    None => Fate::Done,
                },
            };
            fates.push(fate);
        }
        let done = fates.iter().filter(|fate| !matches!(fate, Fate::Failed(_))).count();
        state.note(format_args!("{call}: {done} of {count} done"));
        Ok((fates, ending))
    }

    /// Ends a batch.
    pub(crate) async fn end(&self, ending: Ending) {
        match ending {
            Ending::Answer => give_way().await,
            Ending::Crash => self.never(Intent::Crash).await,
        }
    }

    pub(crate) async fn sleep(&self, duration: Duration) {
        let until = self.world.lock().now + duration;
        self.intend(Intent::Sleep(until)).await;
    }

    async fn never(&self, intent: Intent) {
        self.intend(intent).await;
        unreachable!("what was dropped does not go on");
    }

    async fn intend(&self, intent: Intent) {
        self.world.lock().intent = intent;
        give_way().await;
    }
}

/// How a batch ends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ending {
    Answer,
    /// The process dies before it hears of it.
    Crash,
}

/// Lets another task run.
async fn give_way() {
    let mut was_here = false;
    std::future::poll_fn(|_| match std::mem::replace(&mut was_here, true) {
        true => Poll::Ready(()),
        false => Poll::Pending,
    })
    .await;
}

fn one_of_many(state: &mut State) -> Fate {
    match state.rng.u32(0..4) {
        0 => Fate::Failed(failure(Fault::Throttled, state)),
        1 => Fate::Lost(failure(Fault::LostAnswer, state)),
        _ => Fate::Done,
    }
}

/// The error that the caller sees of `fault`. Half of them ask for a wait.
fn failure(fault: Fault, state: &mut State) -> Error {
    let kind = match fault {
        Fault::Throttled => ErrorKind::Throttled,
        _ => ErrorKind::Unavailable,
    };
    let error = Error::new(kind, "it was made to fail");
    match state.rng.bool() {
        true => error.with_retry_after(spread(&mut state.rng, 4..RETRY_AFTER_DOUBLINGS)),
        false => error,
    }
}
