//! A store as version 1 left it, and this release on it.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use skyfold::ports::{Consistency, DocumentKey, Guard, Listing, Range, Write};
use skyfold::{
    AsOf, CommandId, CommandRequest, Commit, Decider, Head, Metadata, Payload, RecordedCommit,
    RecordedEvent, Reply, Runtime, StreamId, StreamName, Trigger, ViewRequest,
};
use skyfold_memory::{Memory, VirtualClock};

const LOG: &str = include_str!("../data/v1/log.jsonl");
const DOCUMENTS: &str = include_str!("../data/v1/documents.jsonl");

/// A day after version 1 has recorded something for the last time.
const LATER: Duration = Duration::from_secs(24 * 60 * 60);

/// A commit, as a line of the log holds it.
#[derive(Deserialize)]
struct Line {
    stream: StreamName,
    commit: Commit,
}

/// A document, as a line holds it.
#[derive(Clone, Deserialize)]
pub(crate) struct Document {
    pub(crate) collection: String,
    pub(crate) id: String,
    pub(crate) body: Value,
    listings: Vec<Listed>,
}

#[derive(Clone, Deserialize)]
struct Listed {
    list: usize,
    under: String,
    by: String,
}

/// Whether the states are there that version 1 has stored.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum States {
    Kept,
    Dropped,
}

/// What version 1 has recorded, in the order of time.
pub(crate) fn log() -> Vec<(StreamName, Commit)> {
    let line = |line| serde_json::from_str(line).unwrap();
    LOG.lines().map(line).map(|Line { stream, commit }| (stream, commit)).collect()
}

/// What it has kept beside that.
pub(crate) fn documents() -> Vec<Document> {
    DOCUMENTS.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// This release on a store of version 1.
pub(crate) struct Upgraded {
    pub(crate) runtime: Runtime,
    memory: Memory,
}

impl Upgraded {
    /// Everything that version 1 left, after this release has done what there was to do.
    pub(crate) async fn new(states: States) -> Self {
        let upgraded = Self::with(states, documents()).await;
        upgraded.settle().await;
        upgraded
    }

    /// The log and these documents, before this release has done anything.
    pub(crate) async fn with(states: States, documents: Vec<Document>) -> Self {
        let clock = VirtualClock::new();
        clock.advance(LATER);
        let memory = Memory::with_clock(clock);
        for (stream, commit) in log() {
            append(&memory, stream, commit, states).await;
        }
        for document in documents {
            write(&memory, document).await;
        }
        let runtime = order::app().bind(memory.ports()).unwrap();
        Self { runtime, memory }
    }

    pub(crate) async fn settle(&self) {
        self.memory.settle(&self.runtime).await.unwrap();
    }

    pub(crate) async fn give<D: Decider>(&self, id: &str, command: D::Command) {
        let (id, stream) = (CommandId::fresh(self.runtime.now()), StreamId::new(id).unwrap());
        let (command, metadata) = (Payload::encode(&command).unwrap(), Metadata::default());
        let request = CommandRequest { stream, id, command, expected: None, metadata };
        let reply = self.runtime.invoke(D::CATEGORY, Trigger::Command(request)).await.unwrap();
        assert!(matches!(reply, Reply::Accepted(_)), "{reply:?}");
    }

    pub(crate) async fn view(&self, name: &str, key: &str) -> Value {
        let request = ViewRequest { key: key.to_owned(), after: None };
        match self.runtime.invoke(name, Trigger::View(request)).await.unwrap() {
            Reply::Answer(answer) => answer.body.decode().unwrap(),
            reply => panic!("{name} {key} is shown, not {reply:?}"),
        }
    }

    pub(crate) async fn state(&self, function: &str, id: &str) -> Value {
        let trigger = Trigger::State(StreamId::new(id).unwrap(), AsOf::Now);
        match self.runtime.invoke(function, trigger).await.unwrap() {
            Reply::State(state) => state.state.decode().unwrap(),
            reply => panic!("{function} {id} has a state, not {reply:?}"),
        }
    }

    /// What the transaction `id` of `saga` heard first, as it is on record.
    pub(crate) async fn heard(&self, saga: &str, id: &str) -> String {
        let stream: StreamName = format!("saga.{saga}-{id}").parse().unwrap();
        let commits = self.read(&stream).await;
        commits[0].events().next().unwrap().data.to_string()
    }

    /// The newest event of this type.
    pub(crate) async fn newest(&self, stream: &str, event_type: &str) -> RecordedEvent {
        let commits = self.read(&stream.parse().unwrap()).await;
        let events = commits.iter().flat_map(RecordedCommit::events);
        events.filter(|event| event.event_type == event_type).last().unwrap()
    }

    async fn read(&self, stream: &StreamName) -> Vec<RecordedCommit> {
        let range = Range::After(skyfold::Version::EMPTY);
        let store = &self.runtime.ports().events;
        store.read(stream, range, 100, Consistency::Strong).await.unwrap().commits
    }
}

async fn append(memory: &Memory, stream: StreamName, commit: Commit, states: States) {
    let events = memory.ports().events;
    let newest = events.read(&stream, Range::NEWEST, 1, Consistency::Strong).await.unwrap();
    let head = newest.commits.first().map_or_else(|| Head::empty(stream), RecordedCommit::head);
    let commit = match states {
        States::Kept => commit,
        States::Dropped => commit.with_state(None),
    };
    events.append(&head, &commit).await.unwrap();
}

async fn write(memory: &Memory, document: Document) {
    let Document { collection, id, body, listings } = document;
    let body = Some(Payload::encode(&body).unwrap());
    let listing = |Listed { list, under, by }| Listing { list, under, by };
    let listings = listings.into_iter().map(listing).collect();
    let key = DocumentKey { collection, id };
    let write = Write { key, body, listings, guard: Guard::Absent, expires: None };
    for written in memory.ports().documents.write(&[write]).await {
        written.unwrap();
    }
}
