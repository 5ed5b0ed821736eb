//! What goes wrong, how often, and how often it did.

use std::fmt;
use std::time::Duration;

use fastrand::Rng;

/// How many draws a rate is a part of.
const DRAWS: u32 = 1 << 16;

/// A thing that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// A process dies before a call is made: everything that it had in memory is lost.
    CrashBefore,
    /// A process dies after a call had its effect, and before it heard of it.
    CrashAfter,
    /// One invocation is dropped before a call; its process lives on.
    Cancel,
    /// One invocation stands still for milliseconds to days, and then goes on with what it knew.
    Stall,
    /// A call had its effect, and the answer is lost.
    LostAnswer,
    /// A call has no effect and no answer.
    Unavailable,
    /// A call has no effect; fewer are asked for.
    Throttled,
    /// Of a batch some succeed, some fail, and of some the answer is lost.
    PartialBatch,
    /// An eventual read shows a prefix of the stream.
    StaleRead,
    /// The snapshot is gone.
    LostSnapshot,
    /// A state that was stored beside events has another digit somewhere.
    DamagedState,
    /// A page is shorter than it could be.
    ShortPage,
    /// A message is delivered twice.
    Duplicate,
    /// A message is delivered again after days.
    LateDuplicate,
    /// A message is late, by up to days.
    Delay,
    /// Two copies of a function are given the same at once.
    Twin,
    /// A client does not get the answer that it was given.
    LostReply,
    /// A clock differs from the true time by up to an hour.
    Skew,
    /// Half of the processes run the next version of the app, whose states have another form.
    Deployment,
    /// The next version also writes events in a newer schema, until all processes run it.
    Evolution,
    /// Past events are delivered once more while live ones come.
    Replay,
    /// Half of the processes run a release that fails on some events, until it is mended: those
    /// events are set aside, and an operator tries again or gives up.
    Poison,
    /// A new revision of read models is built beside the old one, and switched to.
    Revision,
    /// A subject of personal data is forgotten.
    Forgetting,
}

impl Fault {
    /// Every fault there is.
    pub const ALL: [Self; 24] = [
        Self::CrashBefore,
        Self::CrashAfter,
        Self::Cancel,
        Self::Stall,
        Self::LostAnswer,
        Self::Unavailable,
        Self::Throttled,
        Self::PartialBatch,
        Self::StaleRead,
        Self::LostSnapshot,
        Self::DamagedState,
        Self::ShortPage,
        Self::Duplicate,
        Self::LateDuplicate,
        Self::Delay,
        Self::Twin,
        Self::LostReply,
        Self::Skew,
        Self::Deployment,
        Self::Evolution,
        Self::Replay,
        Self::Poison,
        Self::Revision,
        Self::Forgetting,
    ];

    /// How often it happens where it can, of 65,536 times, in a seed of medium weather.
    fn usual_rate(self) -> u32 {
        match self {
            Self::CrashBefore | Self::CrashAfter => 120,
            Self::Cancel => 150,
            Self::Stall => 250,
            Self::LostAnswer | Self::Unavailable | Self::Throttled => 500,
            Self::PartialBatch => 3_000,
            Self::StaleRead | Self::LostSnapshot | Self::ShortPage => 16_000,
            Self::DamagedState => 2_000,
            Self::Twin | Self::Duplicate => 4_000,
            Self::LateDuplicate => 1_500,
            Self::Delay | Self::LostReply => 3_000,
            Self::Skew
            | Self::Deployment
            | Self::Evolution
            | Self::Poison
            | Self::Revision
            | Self::Forgetting => DRAWS / 2,
            Self::Replay => 3_000,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `LostAnswer` reads as `lost answer`.
        for (nth, letter) in format!("{self:?}").chars().enumerate() {
            match letter.is_uppercase() {
                true if nth > 0 => write!(f, " {}", letter.to_lowercase())?,
                _ => write!(f, "{}", letter.to_lowercase())?,
            }
        }
        Ok(())
    }
}

/// How often each fault happens.
#[derive(Clone, Debug)]
pub struct Faults {
    rates: [u32; Fault::ALL.len()],
}

impl Faults {
    /// None at all.
    pub fn none() -> Self {
        Self { rates: [0; Fault::ALL.len()] }
    }

    /// Some of them, at rates that differ from seed to seed by orders of magnitude: what two
    /// faults do to each other shows best while the others are quiet.
    pub fn drawn(rng: &mut Rng) -> Self {
        let mut faults = Self::none();
        // Whether somebody is forgotten is drawn last, see `forgetting`.
        for fault in Fault::ALL.into_iter().filter(|fault| *fault != Fault::Forgetting) {
            let (doublings, is_drawn) = (rng.u32(0..6), rng.u32(0..5) > 1);
            if is_drawn {
                let rate = (fault.usual_rate() << doublings) / 8;
                faults.rates[fault as usize] = rate.clamp(1, DRAWS / 2);
            }
        }
        // A new revision is enough of a new release for one run.
        let is_revised = rng.u32(0..4) == 0;
        if !is_revised {
            faults = faults.without(Fault::Revision);
        }
        if faults.has(Fault::Revision) {
            for release in [Fault::Deployment, Fault::Evolution, Fault::Poison] {
                faults = faults.without(release);
            }
        }
        faults
    }

    /// The same, and in every second run somebody is forgotten.
    #[must_use]
    pub(crate) fn forgetting(self, rng: &mut Rng) -> Self {
        match rng.bool() {
            true => self.with(Fault::Forgetting, Fault::Forgetting.usual_rate()),
            false => self,
        }
    }

    /// The same without `fault`.
    #[must_use]
    pub fn without(&self, fault: Fault) -> Self {
        let mut faults = self.clone();
        faults.rates[fault as usize] = 0;
        faults
    }

    /// The same with `fault` at `rate`.
    pub(crate) fn with(mut self, fault: Fault, rate: u32) -> Self {
        self.rates[fault as usize] = rate;
        self
    }

    /// Whether `fault` can happen.
    pub fn has(&self, fault: Fault) -> bool {
        self.rates[fault as usize] > 0
    }

    /// Whether anything can happen.
    pub(crate) fn has_any(&self) -> bool {
        self.rates.iter().any(|rate| *rate > 0)
    }

    /// Whether `fault` happens this time.
    pub(crate) fn strikes(&self, fault: Fault, rng: &mut Rng) -> bool {
        let rate = self.rates[fault as usize];
        rate > 0 && rng.u32(0..DRAWS) < rate
    }

    /// Which of `candidates` happens this time, if any: one draw for all of them.
    pub(crate) fn strike(&self, candidates: &[Fault], rng: &mut Rng) -> Option<Fault> {
        let mut draw = rng.u32(0..DRAWS);
        for fault in candidates {
            let rate = self.rates[*fault as usize];
            if draw < rate {
                return Some(*fault);
            }
            draw -= rate;
        }
        None
    }
}

/// How often each fault happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts([u64; Fault::ALL.len()]);

impl Default for Counts {
    fn default() -> Self {
        Self([0; Fault::ALL.len()])
    }
}

impl Counts {
    /// How often `fault` happened.
    pub fn of(&self, fault: Fault) -> u64 {
        self.0[fault as usize]
    }

    pub(crate) fn count(&mut self, fault: Fault) {
        self.0[fault as usize] += 1;
    }

    /// Adds those of another run.
    pub fn add(&mut self, other: &Self) {
        for (sum, more) in self.0.iter_mut().zip(other.0) {
            *sum += more;
        }
    }
}

/// A duration between two powers of two of milliseconds, each order of magnitude as likely.
pub(crate) fn spread(rng: &mut Rng, doublings: std::ops::Range<u32>) -> Duration {
    let least = 1_u64 << rng.u32(doublings);
    Duration::from_millis(rng.u64(least..2 * least))
}
