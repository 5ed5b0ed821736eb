use std::sync::Arc;

use async_trait::async_trait;
use skyfold::ports::{Consistency, EventFeed, EventStore, FeedPage, FeedQuery};
use skyfold::ports::{Position, Pricing, Range, Slice, Snapshot};
use skyfold::{Commit, Head, Payload, RecordedCommit, Result, StoredState, StreamName, Version};

use crate::faults::Fault;
use crate::ports::call::Call;
use crate::ports::gate::{Effect, Gate};
use crate::world::Message;

/// The event store and its feed, as a process finds them on a bad day.
#[derive(Debug)]
pub(crate) struct Events {
    pub(crate) store: Arc<dyn EventStore>,
    pub(crate) feed: Arc<dyn EventFeed>,
    pub(crate) pricing: Pricing,
    pub(crate) gate: Gate,
}

impl Events {
    async fn record(&self, expected: &Head, commit: &Commit) -> Result<()> {
        self.store.append(expected, commit).await?;
        let (stream, first) = (expected.stream().clone(), expected.version().next());
        let commit = RecordedCommit { stream: stream.clone(), first, commit: commit.clone() };
        let commit = Arc::new(commit);
        let mut state = self.gate.world.lock();
        commit.commit.events().iter().for_each(|event| state.inspect(&stream, &event.data));
        commit.commit.state().into_iter().for_each(|kept| state.inspect(&stream, &kept.state));
        state.log.push(commit.clone());
        state.posted.push(Message::Commit(commit));
        Ok(())
    }

    fn strikes(&self, fault: Fault) -> bool {
        self.gate.world.lock().strikes(fault)
    }

    /// The version of the first event that an eventual read does not show.
    fn horizon(&self, stream: &StreamName, consistency: Consistency) -> Version {
        let mut state = self.gate.world.lock();
        let commits = state.log.commits(stream).len();
        let everything = Version(u64::MAX);
        if consistency == Consistency::Strong || commits == 0 || !state.strikes(Fault::StaleRead) {
            return everything;
        }
        // Mostly it is the newest commit that is missing.
        let hidden = match state.rng.bool() {
            true => 1,
            false => state.rng.usize(1..=commits),
        };
        state.log.commits(stream)[commits - hidden].first
    }
}

/// `state` with another digit in the place of its last, if it has one.
fn damaged(state: &StoredState) -> StoredState {
    let mut text = state.state.get().to_owned();
    if let Some(last) = text.rfind(|letter: char| letter.is_ascii_digit()) {
        let other = if text[last..].starts_with('7') { "8" } else { "7" };
        text.replace_range(last..=last, other);
    }
    let state_text = Payload::parse(&text).expect("a digit is as good as another");
    StoredState { state: state_text, ..state.clone() }
}

#[async_trait]
impl EventStore for Events {
    fn pricing(&self) -> Pricing {
        self.pricing
    }

    async fn append(&self, expected: &Head, commit: &Commit) -> Result<()> {
        let (stream, first) = (expected.stream(), expected.version().next());
        let call = Call::Append(stream, first);
        self.gate.pass(Effect::Write, call, self.record(expected, commit)).await
    }

    async fn read(
        &self,
        stream: &StreamName,
        range: Range,
        limit: usize,
        consistency: Consistency,
    ) -> Result<Slice> {
        let call = Call::Read(stream, range, consistency);
        let limit = match limit > 1 && self.gate.world.lock().strikes(Fault::ShortPage) {
            true => self.gate.world.lock().rng.usize(1..limit.min(4)),
            false => limit,
        };
        let read = async {
            let horizon = self.horizon(stream, consistency);
            let range = match range {
                Range::Before(version) => Range::Before(version.min(horizon)),
                after => after,
            };
            let mut slice = self.store.read(stream, range, limit, consistency).await?;
            let found = slice.commits.len();
            slice.commits.retain(|commit| commit.first < horizon);
            slice.is_end |= slice.commits.len() < found;
            for commit in &mut slice.commits {
                if let Some(state) = commit.commit.state()
                    && self.strikes(Fault::DamagedState)
                {
                    let state = damaged(state);
                    commit.commit = commit.commit.clone().with_state(Some(state));
                }
            }
            Ok(slice)
        };
        self.gate.pass(Effect::Read, call, read).await
    }

    async fn snapshot(&self, stream: &StreamName) -> Result<Option<Snapshot>> {
        let call = Call::Snapshot(stream);
        let found = self.gate.pass(Effect::Read, call, self.store.snapshot(stream)).await?;
        let found = found.filter(|_| !self.strikes(Fault::LostSnapshot));
        Ok(found.map(|Snapshot { version, state }| match self.strikes(Fault::DamagedState) {
            true => Snapshot { version, state: damaged(&state) },
            false => Snapshot { version, state },
        }))
    }

    async fn save_snapshot(&self, stream: &StreamName, snapshot: &Snapshot) -> Result<()> {
        let call = Call::SaveSnapshot(stream, snapshot.version);
        self.gate.world.lock().inspect(stream, &snapshot.state.state);
        self.gate.pass(Effect::Write, call, self.store.save_snapshot(stream, snapshot)).await
    }
}

#[async_trait]
impl EventFeed for Events {
    fn slices(&self) -> u16 {
        self.feed.slices()
    }

    async fn read(
        &self,
        slice: u16,
        query: &FeedQuery,
        from: Option<&Position>,
    ) -> Result<FeedPage> {
        self.gate.pass(Effect::Read, Call::Feed(slice), self.feed.read(slice, query, from)).await
    }

    async fn latest(&self, limit: usize) -> Result<Vec<RecordedCommit>> {
        self.gate.pass(Effect::Read, Call::Newest, self.feed.latest(limit)).await
    }
}
