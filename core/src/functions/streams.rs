//! How a stream is loaded into a state and continued: shared by commands and sagas.

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use time::OffsetDateTime;

use crate::commit::StateAt;
use crate::functions::Context;
use crate::functions::history::{self, History};
use crate::functions::placement::{self, Place};
use crate::ports::{Consistency, Range, Snapshot};
use crate::privacy::mark::clear_subjects;
use crate::window::{Entry, Seen, Window};
use crate::{
    CommandId, Commit, Error, ErrorKind, Head, RecordedCommit, RecordedEvent, Result, Snapshots,
    StoredState, StreamName, Version,
};

/// How often a load starts over because a snapshot was newer than what it had read.
const LOADS_MAX: u32 = 4;

/// What turns the events of a stream into a state.
pub(crate) trait Fold: Send + Sync {
    type State: Default + Serialize + DeserializeOwned + Clone + Send + Sync + 'static;

    fn snapshots(&self) -> Snapshots;

    fn fold(&self, state: &mut Self::State, event: &RecordedEvent) -> Result<()>;
}

/// A stream as it was found.
#[derive(Clone, Debug)]
pub(crate) struct Loaded<S> {
    pub(crate) state: S,
    pub(crate) head: Head,
    /// Whether it was read consistently just now, so that a refusal may be based on it.
    pub(crate) is_current: bool,
    window: Window,
    stored: Stored,
    time: Option<OffsetDateTime>,
}

/// Where the newest stored state of a stream is.
#[derive(Clone, Copy, Debug, Default)]
struct Stored {
    at: StateAt,
    /// How many commits have followed without one.
    commits: u64,
    /// How many events they hold.
    events: u64,
    /// When the first of them was recorded.
    since: Option<OffsetDateTime>,
}

impl Stored {
    fn at(at: StateAt) -> Self {
        Self { at, ..Self::default() }
    }

    /// The same after one more commit without a state.
    fn passed(self, commit: &Commit) -> Self {
        Self {
            at: self.at,
            commits: self.commits + 1,
            events: self.events + commit.count(),
            since: self.since.or(Some(commit.time)),
        }
    }
}

/// A stored state, from which to fold on.
struct Base<S> {
    state: S,
    version: Version,
    stored: Stored,
}

/// Reads `stream` from the cache, or else as cheaply as it can be read.
pub(crate) async fn load_cheaply<F: Fold>(
    fold: &F,
    context: &Context,
    stream: &StreamName,
) -> Result<Loaded<F::State>> {
    match context.warm::<Loaded<F::State>>(stream).await? {
        Some(warm) => Ok(Arc::unwrap_or_clone(warm)),
        None => load(fold, context, stream, Consistency::Eventual).await,
    }
}

/// Reads `stream` as it is now.
pub(crate) async fn load_current<F: Fold>(
    fold: &F,
    context: &Context,
    stream: &StreamName,
) -> Result<Loaded<F::State>> {
    context.forget(stream);
    load(fold, context, stream, Consistency::Strong).await
}

async fn load<F: Fold>(
    fold: &F,
    context: &Context,
    stream: &StreamName,
    mut consistency: Consistency,
) -> Result<Loaded<F::State>> {
    for _ in 0..LOADS_MAX {
        if let Some(loaded) = try_load(fold, context, stream, consistency).await? {
            return Ok(loaded);
        }
        consistency = Consistency::Strong;
    }
    Err(Error::new(ErrorKind::Conflict, format!("{stream} is written faster than it can be read")))
}

/// Reads the newest commit, and what came before only as far as it carries no state. `None` if the
/// snapshot was newer than that commit.
async fn try_load<F: Fold>(
    fold: &F,
    context: &Context,
    stream: &StreamName,
    consistency: Consistency,
) -> Result<Option<Loaded<F::State>>> {
    let store = &*context.ports.events;
    let is_current = consistency == Consistency::Strong;
    let Some(mut newest) = store.read(stream, Range::NEWEST, 1, consistency).await?.commits.pop()
    else {
        let (state, head) = (F::State::default(), Head::empty(stream.clone()));
        let (window, stored) = (Window::default(), Stored::default());
        return Ok(Some(Loaded { state, head, is_current, window, stored, time: None }));
    };
    let mut base = match carried(fold, context, &newest) {
        Some(base) => base,
        None => base(fold, context, stream, newest.commit.state_at).await?,
    };
    if base.version > newest.last() {
        return Ok(None);
    }
    let mut reached = base.version;
    if reached < newest.last() {
        let mut history = History::after(store, stream, reached, consistency);
        while let Some(commits) = history.next().await? {
            for commit in commits {
                for event in commit.events().filter(|event| event.version > base.version) {
                    fold.fold(&mut base.state, &event)?;
                }
                base.stored = base.stored.passed(&commit.commit);
                reached = commit.last();
                if reached > newest.last() {
                    newest = commit;
                }
            }
        }
    }
    if reached < newest.last() {
        // A later read saw less than an earlier one.
        return Ok(None);
    }
    let mut window = newest.commit.window.clone();
    window.remember(newest.entry());
    let (head, time) = (newest.head(), Some(newest.commit.time));
    let Base { state, stored, .. } = base;
    Ok(Some(Loaded { state, head, is_current, window, stored, time }))
}

/// The state that `commit` carries, if it can be read.
fn carried<F: Fold>(
    fold: &F,
    context: &Context,
    commit: &RecordedCommit,
) -> Option<Base<F::State>> {
    let (state, version) = (commit.commit.state.as_ref()?, commit.last());
    let state = read_state(fold, context, &commit.stream, version, state)?;
    Some(Base { state, version, stored: Stored::at(StateAt::Commit(commit.first)) })
}

/// The state that the snapshot of `stream` holds, if it can be read.
async fn kept<F: Fold>(
    fold: &F,
    context: &Context,
    stream: &StreamName,
) -> Result<Option<Base<F::State>>> {
    let snapshot = match context.ports.events.snapshot(stream).await {
        Err(error) if error.kind() == ErrorKind::Corrupt => {
            context.ignore_damaged(stream, Version::EMPTY, &error.to_string());
            return Ok(None);
        }
        snapshot => snapshot?,
    };
    Ok(snapshot.and_then(|Snapshot { version, state }| {
        let state = read_state(fold, context, stream, version, &state)?;
        Some(Base { state, version, stored: Stored::at(StateAt::Snapshot(version)) })
    }))
}

/// One of another form, or one that cannot be read, is no state: it is only a cache.
fn read_state<F: Fold>(
    fold: &F,
    context: &Context,
    stream: &StreamName,
    version: Version,
    stored: &StoredState,
) -> Option<F::State> {
    if !stored.is_intact(stream, version) {
        context.ignore_damaged(stream, version, "it does not match its checksum");
        return None;
    }
    if stored.format != fold.snapshots().format {
        return None;
    }
    let read = stored.state.decode();
    read.map_err(|error| context.ignore_damaged(stream, version, &error.to_string())).ok()
}

/// Where to begin folding: the newest stored state, if there is one and it can be read.
async fn base<F: Fold>(
    fold: &F,
    context: &Context,
    stream: &StreamName,
    at: StateAt,
) -> Result<Base<F::State>> {
    let store = &*context.ports.events;
    let found = match at {
        StateAt::Nowhere => None,
        StateAt::Commit(first) => {
            let range = Range::Before(first.next());
            let slice = store.read(stream, range, 1, Consistency::Strong).await?;
            slice.commits.first().and_then(|commit| carried(fold, context, commit))
        }
        StateAt::Snapshot(_) => kept(fold, context, stream).await?,
    };
    let beginning =
        || Base { state: F::State::default(), version: Version::EMPTY, stored: Stored::default() };
    Ok(found.unwrap_or_else(beginning))
}

/// What is known of a command that has come.
pub(crate) enum Known {
    /// It was not recorded.
    New,
    /// It was.
    Recorded(Entry),
}

impl<S: Clone + Serialize + Send + Sync + 'static> Loaded<S> {
    /// When the newest commit was recorded.
    pub(crate) fn time(&self) -> Option<OffsetDateTime> {
        self.time
    }

    /// Whether the command `id` was recorded before, however long ago.
    pub(crate) async fn known(&self, context: &Context, id: &CommandId) -> Result<Known> {
        match self.window.find(id) {
            Seen::Recorded(entry) => Ok(Known::Recorded(entry.clone())),
            Seen::New => Ok(Known::New),
            Seen::Unknown => {
                let found = history::find(&*context.ports.events, self.head.stream(), id).await?;
                Ok(found.map_or(Known::New, |commit| Known::Recorded(commit.entry())))
            }
        }
    }

    /// Gives `commit` the time at which it is recorded: times do not fall within a stream, whatever
    /// the clocks of its writers say.
    pub(crate) fn stamp(&self, commit: &mut Commit) {
        commit.time = self.time.map_or(commit.time, |time| time.max(commit.time));
    }

    /// Records `commit`, which leads to `state`, and keeps what it led to at hand.
    pub(crate) async fn append<F: Fold<State = S>>(
        self,
        fold: &F,
        context: &Context,
        mut commit: Commit,
        state: S,
    ) -> Result<Head> {
        self.stamp(&mut commit);
        commit.window = self.window;
        commit.state_at = self.stored.at;
        let (stream, head) = (self.head.stream().clone(), self.head.after(&commit));
        let (snapshots, encoded) = (fold.snapshots(), crate::Payload::encode(&state)?);
        let stored = StoredState::new(&stream, head.version(), snapshots.format, encoded);
        let subjects = clear_subjects(&stored.state)?;
        let pricing = context.ports.events.pricing();
        let place = placement::place(&pricing, &mut commit, &stored, self.stored.commits);
        let bytes = placement::bytes(&commit) + 2 * stored.state.bytes();
        if place == Place::Commit {
            commit.state_at = StateAt::Nowhere;
            commit.state = Some(stored.clone());
        }
        let appended = context.ports.events.append(&self.head, &commit).await;
        if let Err(error) = appended {
            context.forget(&stream);
            return Err(error);
        }

        let first = self.head.version().next();
        let mut at = match place {
            Place::Commit => Stored::at(StateAt::Commit(first)),
            Place::Later | Place::Snapshot => self.stored.passed(&commit),
        };
        let time = commit.time;
        if place == Place::Snapshot && is_due(&snapshots, &at, time) {
            let snapshot = Snapshot { version: head.version(), state: stored };
            match context.ports.events.save_snapshot(&stream, &snapshot).await {
                Ok(()) => at = Stored::at(StateAt::Snapshot(head.version())),
                // The command has taken effect; the next one tries again.
                Err(error) => tracing::warn!(%stream, %error, "no snapshot was kept"),
            }
        }
        let mut window = commit.window;
        window.remember(Entry {
            id: commit.id,
            fingerprint: commit.fingerprint,
            first,
            count: commit.events.len() as u32,
        });
        let loaded = Loaded {
            state,
            head: head.clone(),
            is_current: false,
            window,
            stored: at,
            time: Some(time),
        };
        context.keep(stream, loaded, bytes, subjects);
        Ok(head)
    }
}

/// Whether the stream has grown enough, or long enough, since its last snapshot.
fn is_due(snapshots: &Snapshots, stored: &Stored, now: OffsetDateTime) -> bool {
    let waited = stored.since.is_some_and(|since| now - since >= snapshots.after);
    snapshots.every > 0 && (stored.events >= snapshots.every || waited)
}
