use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Category, Data, Upcasters};

/// In which form the state of a stream is stored, and when, if it is too large for a commit.
///
/// A state that fits into the commit at no extra cost rides along with every one, whatever this
/// says; see [`Pricing`](crate::ports::Pricing).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snapshots {
    /// The form of the state. Raise it when the state's fields or `evolve` change: states of
    /// another form are ignored, and the events are folded again.
    pub format: u32,
    /// Keep a snapshot each time the stream has grown by this many events since the last; 0 keeps
    /// none.
    pub every: u64,
    /// Also keep one after this time, however little the stream has grown.
    pub after: Duration,
}

impl Snapshots {
    /// Format 1, every 64 events or hour.
    pub const DEFAULT: Self = Self { format: 1, every: 64, after: Duration::from_secs(3600) };

    /// The default, for a state of `format`.
    pub const fn format(format: u32) -> Self {
        Self { format, ..Self::DEFAULT }
    }
}

/// The rules of one kind of stream, as pure functions.
///
/// Nothing here may read a clock, a random number or a service: what a decision needs beyond the
/// state is put in the command by whoever sends it, or at the edge
/// ([`App::decider_with_edge`](crate::App::decider_with_edge)). The same history and command
/// always give the same events, which is what makes replay, retry and testing possible.
///
/// - `decide` refuses a command or says what happened; no events means there was nothing to do.
/// - `evolve` accepts every event that was ever recorded. It does not validate.
///
/// The state before any event is its `Default`.
#[diagnostic::on_unimplemented(
    note = "a decider has a CATEGORY, the types State, Command, Event and Error, and the \
            functions decide and evolve"
)]
pub trait Decider: Send + Sync + 'static {
    /// Names the streams: never change it once events exist. Letters a-z, digits and dots.
    const CATEGORY: Category;
    /// In which form the state is stored, and when.
    const SNAPSHOTS: Snapshots = Snapshots::DEFAULT;
    /// The commands, by their variants' names, that only the app gives itself: those by which a
    /// saga moves a stream on. A host takes them from no caller.
    const INTERNAL: &'static [&'static str] = &[];

    /// What past events amount to, as far as decisions need it.
    type State: Default + Serialize + DeserializeOwned + Clone + Send + Sync + 'static;
    /// What may be asked: an enum in serde's default form, whose variants name the commands.
    type Command: Data;
    /// What may have happened: an enum in serde's default form, whose variants' names are stored.
    type Event: Data;
    /// Why a command is refused.
    type Error: std::error::Error + Send + Sync + 'static;

    /// What happens if `command` is given in `state`.
    ///
    /// # Errors
    ///
    /// The reason why the command is refused. Its text is what the caller is told.
    fn decide(state: &Self::State, command: Self::Command)
    -> Result<Vec<Self::Event>, Self::Error>;

    /// Brings `state` up to date after `event`.
    fn evolve(state: &mut Self::State, event: &Self::Event);

    /// How events recorded under older schemas are read.
    fn upcasters() -> Upcasters {
        Upcasters::default()
    }
}
