use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::sync::Arc;

use skyfold::ports::QueuedCommand;
use skyfold::{EventId, StreamId};
use tokio::time::Instant;

/// How many deliveries a projection or saga is given at once.
const DELIVERIES_MAX: usize = 25;

/// How many commands of one category run side by side.
const COMMANDS_MAX: usize = 16;

/// An announced event, encoded as on a bus.
#[derive(Clone, Debug)]
pub(crate) struct Announcement {
    pub(crate) id: EventId,
    pub(crate) envelope: Arc<str>,
}

/// What a function is to do.
#[derive(Clone, Debug)]
pub(crate) enum Work {
    /// Hear of an event.
    Hear(Announcement),
    /// Run a command.
    Run(Box<QueuedCommand>),
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hear(announcement) => write!(f, "the event {}", announcement.id),
            Self::Run(queued) => {
                let request = &queued.request;
                let (category, stream) = (&queued.category, &request.stream);
                write!(f, "the command {} for {category}-{stream}", request.id)
            }
        }
    }
}

/// Whether what failed is tried again at once or after a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// At once: nobody wants to wait.
    Eager,
    /// After a while, which becomes longer: whatever is wrong needs time to pass.
    Patient,
}

/// Something to do, and what became of it so far.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) work: Work,
    /// How often it failed.
    pub(crate) attempts: u32,
    /// Not to be tried before this time again, by whoever is patient. Not by the clock of the
    /// ports, which may stand still.
    pub(crate) not_before: Option<Instant>,
    /// Held back until this round, by a fault.
    pub(crate) from_round: u64,
    /// How often it was lost on its way.
    pub(crate) losses: u32,
    /// How often it came again after it had been handled.
    pub(crate) echoes: u32,
}

impl Item {
    pub(crate) fn new(work: Work) -> Self {
        Self { work, attempts: 0, not_before: None, from_round: 0, losses: 0, echoes: 0 }
    }
}

/// How much a function may be given.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Portion {
    /// How many deliveries at once.
    pub(crate) deliveries_max: usize,
    /// How many batches of them side by side.
    pub(crate) batches_max: usize,
    /// How many commands side by side.
    pub(crate) commands_max: usize,
    pub(crate) crowding: Crowding,
}

/// Whether commands of one stream run side by side, and so conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Crowding {
    Avoided,
    Allowed,
}

impl Portion {
    /// One batch after the other, since batches side by side would only run into each other. But a
    /// command that waits for a service at the edge does not keep others waiting.
    pub(crate) const USUAL: Self = Self {
        deliveries_max: DELIVERIES_MAX,
        batches_max: 1,
        commands_max: COMMANDS_MAX,
        crowding: Crowding::Avoided,
    };
}

/// What waits for one function.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    pub(crate) waiting: VecDeque<Item>,
    /// How often something was handed out that is not finished.
    leases: usize,
    /// How many items those hold.
    pub(crate) working: usize,
    /// The streams whose commands are among them.
    streams: HashSet<StreamId>,
}

impl Inbox {
    /// Hands out what the function may do next: a batch of deliveries or one command.
    pub(crate) fn lease(&mut self, portion: Portion, ready: impl Fn(&Item) -> bool) -> Vec<Item> {
        let is_free = |item: &Item| match (&item.work, portion.crowding) {
            (Work::Run(queued), Crowding::Avoided) => {
                !self.streams.contains(&queued.request.stream)
            }
            _ => true,
        };
        let is_next = |item: &Item| ready(item) && is_free(item);
        let Some(first) = self.waiting.iter().position(is_next) else { return vec![] };
        let item = &self.waiting[first];
        let (count_max, leases_max) = match &item.work {
            Work::Hear(_) => (portion.deliveries_max, portion.batches_max),
            Work::Run(_) => (1, portion.commands_max),
        };
        if self.leases >= leases_max {
            return vec![];
        }
        let mut leased = vec![];
        let mut at = first;
        while at < self.waiting.len() && leased.len() < count_max {
            match ready(&self.waiting[at]) {
                true => leased.extend(self.waiting.remove(at)),
                false => at += 1,
            }
        }
        self.leases += 1;
        self.working += leased.len();
        self.streams.extend(leased.iter().filter_map(stream).cloned());
        leased
    }

    /// Takes the number of those that were handed out together, and are no longer at work.
    pub(crate) fn release<'a>(&mut self, items: impl Iterator<Item = &'a Item>) {
        self.leases -= 1;
        for item in items {
            self.working -= 1;
            if let Some(stream) = stream(item) {
                self.streams.remove(stream);
            }
        }
    }
}

/// The stream that a command is for.
fn stream(item: &Item) -> Option<&StreamId> {
    match &item.work {
        Work::Hear(_) => None,
        Work::Run(queued) => Some(&queued.request.stream),
    }
}
