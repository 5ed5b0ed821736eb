use serde::Serialize;

/// Which faults the ports and the local host make, and how often: each number is the probability
/// at one occasion, from 0 to 1.
///
/// All of them are drawn from one seed, so that a run of one thread with a
/// [`VirtualClock`](crate::VirtualClock) repeats itself exactly. No fault keeps anything from
/// being finished for ever: after a few in a row the same work is left in peace.
#[derive(Clone, Debug, PartialEq)]
pub struct Faults {
    /// What all chance comes from.
    pub seed: u64,
    /// A delivery or queued command comes once more: at about the same time, or long after it was
    /// handled.
    pub duplicate: f64,
    /// It overtakes others.
    pub reorder: f64,
    /// It comes later than others that were sent after it, now and then very much later.
    pub delay: f64,
    /// It is lost on its way, and sent again when no answer comes.
    pub drop: f64,
    /// A delayed command comes before it is due, as from a queue that cannot hold it so long.
    pub early: f64,
    /// A port's write fails, before or after it took effect. One in two of these is the end of the
    /// whole invocation: every later call of it fails as well, and what it kept at hand is lost.
    pub crash: f64,
    /// An eventually consistent read misses the newest commits, or a list the newest writes.
    pub stale: f64,
    /// A call of a port lets other functions go first, so that they run into each other.
    pub switch: f64,
    /// A crash at one certain write, beside those by chance.
    pub crash_at: Option<CrashPoint>,
}

/// One certain write, at which an invocation ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CrashPoint {
    /// Which call that writes, counted from 1 over all ports.
    pub write: u64,
    /// On which side of it.
    pub moment: Moment,
}

/// A side of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Before it takes effect.
    Before,
    /// After it took effect, of which nobody is told.
    After,
}

impl Faults {
    /// None at all.
    pub const fn none() -> Self {
        Self {
            seed: 0,
            duplicate: 0.0,
            reorder: 0.0,
            delay: 0.0,
            drop: 0.0,
            early: 0.0,
            crash: 0.0,
            stale: 0.0,
            switch: 0.0,
            crash_at: None,
        }
    }

    /// More of every kind than any cloud makes.
    pub const fn heavy(seed: u64) -> Self {
        Self {
            seed,
            duplicate: 0.3,
            reorder: 0.5,
            delay: 0.3,
            drop: 0.2,
            early: 0.2,
            crash: 0.1,
            stale: 0.5,
            switch: 0.5,
            crash_at: None,
        }
    }

    /// A single crash, before or after the `write`th call that writes: with each number in turn,
    /// a crash between any two writes.
    pub const fn crash_at(write: u64, moment: Moment) -> Self {
        Self { crash_at: Some(CrashPoint { write, moment }), ..Self::none() }
    }
}

/// How many faults of each kind there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FaultCounts {
    /// Deliveries and commands that came once more.
    pub duplicated: u64,
    /// Those that overtook others.
    pub reordered: u64,
    /// Those that came later.
    pub delayed: u64,
    /// Those that were lost on their way.
    pub dropped: u64,
    /// Commands that came before they were due.
    pub early: u64,
    /// Writes that failed before they took effect.
    pub failed_before: u64,
    /// Writes that failed after they took effect, in whole or in part.
    pub failed_after: u64,
    /// Invocations that ended with such a write.
    pub crashed: u64,
    /// Reads that missed something.
    pub stale: u64,
    /// Calls that let others go first.
    pub switched: u64,
    /// All calls that write, those without a fault included: how far
    /// [`crash_at`](Faults::crash_at) may count.
    pub writes: u64,
}
