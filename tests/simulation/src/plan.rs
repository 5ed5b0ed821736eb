//! What a seed stands for: who asks for what and when, and what goes wrong meanwhile.

use std::time::Duration;

use fastrand::Rng;
use skyfold::ports::Pricing;
use skyfold::{CommandId, Payload, StreamId, StreamName};

use crate::faults::{Fault, Faults, spread};
use crate::world::START;

/// How many processes there are, at most.
const NODES_MAX: usize = 4;

/// How many instances of a function work side by side, at most.
const INSTANCES_MAX: usize = 6;

/// How far a client's clock is ahead or behind, at most.
const SKEW_SECONDS_MAX: i64 = 3_600;

/// How far the clocks of all clients are ahead, at most: with what two clocks differ by, this is
/// as far as ids are accepted.
const FAST_SECONDS_MAX: i64 = 22 * 3_600;

/// A command that somebody is to give.
#[derive(Clone, Debug)]
pub struct Ask {
    /// When, from the beginning.
    pub at: Duration,
    /// To which stream.
    pub stream: StreamName,
    /// The command.
    pub command: Payload,
}

/// A command that a client gives.
#[derive(Clone, Debug)]
pub(crate) struct Op {
    /// Its place in the whole plan.
    pub(crate) nth: usize,
    pub(crate) at: Duration,
    pub(crate) stream: StreamName,
    pub(crate) id: CommandId,
    pub(crate) command: Payload,
    pub(crate) expects: Expects,
    /// Once it was accepted it is sent again after each of these.
    pub(crate) again: Vec<Duration>,
    /// It is sent twice at once.
    pub(crate) is_hedged: bool,
}

/// Whether the client insists on the version of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expects {
    Anything,
    /// The version that the stream has when the client first asks.
    Current,
    /// One that it had before.
    Former,
}

/// How much is asked in one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// A few commands.
    Small,
    /// Enough to fill a view's memory of streams.
    Large,
}

/// What a seed stands for.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(crate) seed: u64,
    pub(crate) ops: Vec<Op>,
    pub(crate) faults: Faults,
    pub(crate) nodes: usize,
    /// How many instances of a function work side by side.
    pub(crate) instances: usize,
    pub(crate) pricing: Pricing,
    /// When things stop going wrong.
    pub(crate) calm: Duration,
    /// Decides whose turn it is.
    pub(crate) schedule: u64,
    /// Decides what goes wrong when.
    pub(crate) mishaps: u64,
}

/// How often a task stands still in a large run, of 65,536 calls.
const STALLS: u32 = 1_500;

/// One run in so many is large.
const LARGE_ONE_IN: u64 = 64;

impl Plan {
    /// The plan of `seed`, with the commands that `ask` thinks up.
    pub fn drawn(seed: u64, ask: impl FnOnce(&mut Rng, Size) -> Vec<Ask>) -> Self {
        let mut rng = Rng::with_seed(seed);
        let size = match seed % LARGE_ONE_IN {
            0 => Size::Large,
            _ => Size::Small,
        };
        let asks = ask(&mut rng.fork(), size);
        let faults = match size {
            Size::Small => Faults::drawn(&mut rng),
            // What a view has forgotten is asked for by whoever slept meanwhile.
            Size::Large => Faults::drawn(&mut rng).with(Fault::Stall, STALLS),
        };
        let ops = ops(asks, faults.has(Fault::Skew), &mut rng);
        let last = ops.iter().map(|op| op.at).max().unwrap_or_default();
        let calm = last + spread(&mut rng, 6..24);
        let (nodes, instances) = (rng.usize(1..=NODES_MAX), rng.usize(1..=INSTANCES_MAX));
        let pricing = pricing(&mut rng);
        let (schedule, mishaps) = (rng.u64(..), rng.u64(..));
        let faults = faults.forgetting(&mut rng);
        Self { seed, ops, faults, nodes, instances, pricing, calm, schedule, mishaps }
    }

    /// The same with the turns and the mishaps that another seed decides.
    pub(crate) fn reordered(&self, seed: u64) -> Self {
        let mut rng = Rng::with_seed(self.seed.rotate_left(32) ^ seed);
        Self { schedule: rng.u64(..), mishaps: rng.u64(..), ..self.clone() }
    }

    /// How many commands clients give.
    pub fn commands(&self) -> usize {
        self.ops.len()
    }
}

/// A store's prices decide where states are kept and how many commands a stream remembers: every
/// place and every length is to come up.
fn pricing(rng: &mut Rng) -> Pricing {
    let any = |rng: &mut Rng, of: &[usize]| of[rng.usize(0..of.len())];
    Pricing {
        write_unit_bytes: any(rng, &[0, 64, 256, 512, 1024]),
        item_overhead_bytes: any(rng, &[0, 50, 100]),
        read_bytes_per_write_unit: any(rng, &[512, 4_096, 40_960]),
        state_bytes_max: any(rng, &[0, 64, 200, 16_384]),
    }
}

/// What the clients make of `asks`.
fn ops(asks: Vec<Ask>, is_skewed: bool, rng: &mut Rng) -> Vec<Op> {
    // Sometimes everybody's clock is ahead, by nearly as much as ids are refused for.
    let fast = match (is_skewed, rng.u32(0..3)) {
        (true, 0) => rng.i64(0..FAST_SECONDS_MAX),
        _ => 0,
    };
    let skew = match is_skewed {
        true => fast - SKEW_SECONDS_MAX..fast + SKEW_SECONDS_MAX,
        false => 0..1,
    };
    let mut ops: Vec<Op> = vec![];
    for (nth, Ask { at, stream, command }) in asks.into_iter().enumerate() {
        let made = START + at + time::Duration::seconds(rng.i64(skew.clone()));
        let place = nth.to_string();
        let id = match rng.u32(0..20) {
            0..2 => CommandId::new(format!("key-{nth}")).expect("it is short and printable"),
            _ => CommandId::derived(made, &[&place]),
        };
        // An id that was used before, for something else, is a client's mistake.
        let before = ops.iter().rev().find(|op| op.stream == stream && op.command != command);
        let id = match before {
            Some(before) if rng.u32(0..40) == 0 => before.id.clone(),
            _ => id,
        };
        let expects = match rng.u32(0..20) {
            0 => Expects::Former,
            1 | 2 => Expects::Current,
            _ => Expects::Anything,
        };
        let again = (0..rng.u32(0..12).saturating_sub(9)).map(|_| spread(rng, 2..30)).collect();
        let is_hedged = rng.u32(0..12) == 0;
        ops.push(Op { nth, at, stream, id, command, expects, again, is_hedged });
    }
    ops
}

impl Ask {
    /// That `command` be given to the stream `id` of `category` after `at`.
    pub fn new<C: serde::Serialize>(at: Duration, category: &str, id: &str, command: &C) -> Self {
        let id = StreamId::new(id).expect("a plan names legal streams");
        let command = Payload::encode(command).expect("a command has a JSON form");
        Self { at, stream: StreamName::new(category, &id), command }
    }
}
