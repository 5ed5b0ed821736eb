//! What the simulated ports and their simulation share.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fastrand::Rng;
use skyfold::ports::{DocumentKey, Listing, QueuedCommand};
use skyfold::{CloudEvent, EventId, Payload, RecordedCommit, RecordedEvent, StreamName, Version};
use time::OffsetDateTime;
use time::macros::datetime;

use crate::faults::{Counts, Fault, Faults};
use crate::personal::shows_secret;
use crate::scheduler::TaskId;
use crate::trace::{Trace, Tracing};

/// When every run begins.
pub(crate) const START: OffsetDateTime = datetime!(2010-12-01 08:00 UTC);

/// What a task asks of the simulation when it gives way.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Intent {
    /// To go on whenever it is its turn.
    Yield,
    /// To go on at this time.
    Sleep(OffsetDateTime),
    /// To be dropped.
    Cancel,
    /// To be dropped with everything that its process has in memory.
    Crash,
}

/// Something that was sent, and is to be delivered.
#[derive(Clone, Debug)]
pub(crate) enum Message {
    /// The store's feed brings a commit.
    Commit(Arc<RecordedCommit>),
    /// The bus brings an event.
    Event(Arc<CloudEvent>),
    /// The queue brings a command, no sooner than this after it was sent.
    Command(Arc<QueuedCommand>, Duration),
}

/// The state of everything outside of the app.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) now: OffsetDateTime,
    pub(crate) rng: Rng,
    pub(crate) faults: Faults,
    pub(crate) counts: Counts,
    pub(crate) trace: Trace,
    /// The task whose turn it is.
    pub(crate) task: TaskId,
    pub(crate) intent: Intent,
    /// What was sent during this turn.
    pub(crate) posted: Vec<Message>,
    /// Every commit that the store holds, by stream and in order.
    pub(crate) log: Log,
    /// Every document that was ever written, and the lists of its last write.
    pub(crate) documents: BTreeMap<DocumentKey, Vec<Listing>>,
    /// Every command that the queue accepted, as often as it did.
    pub(crate) sent: Vec<Arc<QueuedCommand>>,
    /// The first that a port was given with a secret in the clear.
    pub(crate) leak: Option<String>,
}

/// The commits of all streams.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log {
    pub(crate) streams: BTreeMap<StreamName, Vec<Arc<RecordedCommit>>>,
    /// In the order of their recording.
    pub(crate) all: Vec<Arc<RecordedCommit>>,
}

impl Log {
    pub(crate) fn push(&mut self, commit: Arc<RecordedCommit>) {
        self.streams.entry(commit.stream.clone()).or_default().push(commit.clone());
        self.all.push(commit);
    }

    pub(crate) fn commits(&self, stream: &StreamName) -> &[Arc<RecordedCommit>] {
        self.streams.get(stream).map_or(&[], Vec::as_slice)
    }

    /// The event of this name.
    pub(crate) fn event(&self, id: &EventId) -> Option<RecordedEvent> {
        let commits = self.commits(&id.stream);
        let after = commits.partition_point(|commit| commit.first <= id.version);
        let commit = commits.get(after.checked_sub(1)?)?;
        commit.events().find(|event| event.version == id.version)
    }

    /// Where `stream` ends.
    pub(crate) fn head(&self, stream: &StreamName) -> Version {
        self.commits(stream).last().map_or(Version::EMPTY, |commit| commit.last())
    }
}

impl State {
    /// Whether `fault` happens now; counts it if it does.
    pub(crate) fn strikes(&mut self, fault: Fault) -> bool {
        let strikes = self.faults.strikes(fault, &mut self.rng);
        if strikes {
            self.counts.count(fault);
        }
        strikes
    }

    /// Which of `candidates` happens now, if any; counts it.
    pub(crate) fn strike(&mut self, candidates: &[Fault]) -> Option<Fault> {
        let struck = self.faults.strike(candidates, &mut self.rng)?;
        self.counts.count(struck);
        Some(struck)
    }

    /// Looks for secrets in what is given to a port.
    pub(crate) fn inspect(&mut self, what: impl fmt::Debug, payload: &Payload) {
        if shows_secret(payload.get()) {
            self.leak.get_or_insert_with(|| format!("{what:?}: {}", payload.get()));
        }
    }

    /// Writes down what the task at hand does.
    pub(crate) fn note(&mut self, what: impl fmt::Display) {
        let task = self.task;
        self.trace.note(self.now, |line| {
            let _ = write!(line, "task {task}: {what}");
        });
    }

    /// Writes down what happens to no task.
    pub(crate) fn tell(&mut self, what: impl fmt::Display) {
        self.trace.note(self.now, |line| {
            let _ = write!(line, "{what}");
        });
    }
}

/// The state, shared.
#[derive(Clone, Debug)]
pub(crate) struct World(Arc<Mutex<State>>);

impl World {
    pub(crate) fn new(rng: Rng, faults: Faults, tracing: Tracing) -> Self {
        Self(Arc::new(Mutex::new(State {
            now: START,
            rng,
            faults,
            counts: Counts::default(),
            trace: Trace::new(tracing),
            task: 0,
            intent: Intent::Yield,
            posted: vec![],
            log: Log::default(),
            documents: BTreeMap::new(),
            sent: vec![],
            leak: None,
        })))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        // After a panic the run is over, and what it did is still of interest.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
