use std::sync::Arc;
use std::time::Duration;

use skyfold::limits::PAGE_ITEMS_MAX;
use skyfold::ports::{
    Consistency, Document, DocumentKey, FeedQuery, Guard, Ports, Range, Revision, Write,
};
use skyfold::{
    Announced, CloudEvent, CommandId, Commit, Head, Metadata, NewEvent, Payload, RecordedCommit,
    RecordedEvent, Result, Runtime, StreamId, StreamName, Version,
};
use time::OffsetDateTime;

use super::Bank;
use crate::{Fixture, Host};

/// For how long something is looked for that may lag behind.
const LOOKED_FOR_MAX: Duration = Duration::from_secs(60);

/// How much time passes between the first two looks. It doubles from look to look.
const LOOK: Duration = Duration::from_millis(100);

/// How much time passes between two looks at most.
const LOOK_MAX: Duration = Duration::from_secs(2);

/// The place in which a case takes place: ports without data.
pub(crate) struct World {
    fixture: Arc<dyn Fixture>,
    host: Box<dyn Host>,
    pub(crate) ports: Ports,
}

impl World {
    pub(crate) async fn open(fixture: Arc<dyn Fixture>) -> Self {
        let host = fixture.open().await.expect("the fixture opens");
        let ports = host.ports();
        Self { fixture, host, ports }
    }

    /// Another place, of the same kind.
    pub(crate) async fn another(&self) -> Self {
        Self::open(self.fixture.clone()).await
    }

    /// The app of the suite on these ports, in a process of its own.
    pub(crate) fn bank(&self) -> Bank {
        Bank::new(self.ports.clone())
    }

    /// Delivers what is to be delivered, by the adapter's own means.
    pub(crate) async fn settle(&self, runtime: &Runtime) {
        self.host.settle(runtime).await.expect("it settles");
    }

    /// Lets time pass.
    pub(crate) async fn pass(&self, duration: Duration) {
        self.host.pass(duration).await.expect("time passes");
    }

    /// Spoils a commit, past the ports.
    pub(crate) async fn spoil(&self, stream: &StreamName, first: Version) {
        self.host.spoil(stream, first).await.expect("it is there");
    }

    /// What `look` finds, as soon as it finds something.
    pub(crate) async fn eventually<T>(
        &self,
        what: &str,
        mut look: impl AsyncFnMut() -> Option<T>,
    ) -> T {
        let (mut passed, mut wait) = (Duration::ZERO, LOOK);
        while passed < LOOKED_FOR_MAX {
            if let Some(found) = look().await {
                return found;
            }
            self.pass(wait).await;
            passed += wait;
            wait = LOOK_MAX.min(wait * 2);
        }
        panic!("{what} is not to be seen after {LOOKED_FOR_MAX:?}");
    }

    pub(crate) async fn append(&self, expected: &Head, commit: &Commit) -> Result<()> {
        self.ports.events.append(expected, commit).await
    }

    /// Appends `commits` one after the other to `stream`, which is empty, and returns its head.
    pub(crate) async fn fill(&self, stream: &StreamName, commits: &[Commit]) -> Head {
        let mut head = Head::empty(stream.clone());
        for commit in commits {
            self.append(&head, commit).await.unwrap();
            let (stream, first) = (stream.clone(), head.version().next());
            head = RecordedCommit { stream, first, commit: commit.clone() }.head();
        }
        head
    }

    /// The head of `stream`.
    pub(crate) async fn head(&self, stream: &StreamName) -> Head {
        let read = self.ports.events.read(stream, Range::NEWEST, 1, Consistency::Strong);
        let newest = read.await.unwrap().commits.pop();
        newest.map_or_else(|| Head::empty(stream.clone()), |commit| commit.head())
    }

    /// All commits of `stream`, oldest first, as they are now.
    pub(crate) async fn commits(&self, stream: &StreamName) -> Vec<RecordedCommit> {
        let (mut commits, mut after): (Vec<RecordedCommit>, _) = (vec![], Version::EMPTY);
        loop {
            let range = Range::After(after);
            let read = self.ports.events.read(stream, range, PAGE_ITEMS_MAX, Consistency::Strong);
            let slice = read.await.unwrap();
            let (found, is_end) = (!slice.commits.is_empty(), slice.is_end);
            commits.extend(slice.commits);
            assert!(found || is_end, "a page of {stream} that is not the last one is empty");
            if is_end {
                return commits;
            }
            after = commits.last().map_or(after, RecordedCommit::last);
        }
    }

    /// All events of `stream`, oldest first, as they are now.
    pub(crate) async fn events(&self, stream: &StreamName) -> Vec<RecordedEvent> {
        self.commits(stream).await.iter().flat_map(RecordedCommit::events).collect()
    }

    /// All events of `stream` as they would be announced.
    pub(crate) async fn news(&self, stream: &StreamName) -> Vec<Announced> {
        self.events(stream).await.into_iter().map(Announced::Event).collect()
    }

    /// Every commit that the feed shows now, slice by slice, and where each slice ended.
    pub(crate) async fn feed(&self, query: &FeedQuery) -> Vec<RecordedCommit> {
        let feed = &self.ports.feed;
        let mut commits = vec![];
        for slice in 0..feed.slices() {
            let mut from = None;
            loop {
                let page = feed.read(slice, query, from.as_ref()).await.unwrap();
                commits.extend(page.commits);
                from = Some(page.next);
                if page.is_tail {
                    break;
                }
            }
        }
        commits
    }

    /// Makes one change to a document.
    pub(crate) async fn write(&self, write: Write) -> Result<Revision> {
        let mut outcomes = self.ports.documents.write(&[write]).await;
        assert_eq!(outcomes.len(), 1, "one outcome for one write");
        outcomes.remove(0)
    }

    /// The document of `key`.
    pub(crate) async fn get(&self, key: &DocumentKey) -> Option<Document> {
        let mut found = self.ports.documents.get(std::slice::from_ref(key)).await.unwrap();
        assert_eq!(found.len(), 1, "one answer for one key");
        found.remove(0)
    }

    /// Deletes the document of `key`.
    pub(crate) async fn delete(&self, key: DocumentKey) {
        let (listings, guard) = (vec![], Guard::None);
        self.write(Write { key, body: None, listings, guard, expires: None }).await.unwrap();
    }

    pub(crate) fn now(&self) -> OffsetDateTime {
        self.ports.clock.now()
    }

    /// A commit of one event for each of `texts`.
    pub(crate) fn commit(&self, id: &str, texts: &[&str]) -> Commit {
        let event = |text: &&str| NewEvent {
            event_type: "Noted".into(),
            schema: 1,
            data: Payload::encode(&serde_json::json!({ "text": text })).unwrap(),
        };
        self.commit_of(id, texts.iter().map(event).collect())
    }

    pub(crate) fn commit_of(&self, id: &str, events: Vec<NewEvent>) -> Commit {
        let id = CommandId::new(id).unwrap();
        Commit::new(id, 7, self.now(), Metadata::default(), events).unwrap()
    }
}

/// An event as a store is asked to record it.
pub(crate) fn event(event_type: &str, schema: u32, data: &str) -> NewEvent {
    let data = Payload::parse(data).unwrap();
    NewEvent { event_type: event_type.into(), schema, data }
}

pub(crate) fn stream(name: &str) -> StreamName {
    name.parse().unwrap()
}

pub(crate) fn id(value: &str) -> StreamId {
    StreamId::new(value).unwrap()
}

/// The versions of `events`.
pub(crate) fn versions(events: &[RecordedEvent]) -> Vec<u64> {
    events.iter().map(|event| event.version.0).collect()
}

/// What arrives of an event whose data does not fit the bus.
pub(crate) fn by_reference(announced: &Announced) -> Announced {
    let Announced::Event(event) = announced else { return announced.clone() };
    let envelope = CloudEvent::new("bank", event).by_reference();
    let sent = serde_json::to_string(&envelope).unwrap();
    let arrived: CloudEvent = serde_json::from_str(&sent).unwrap();
    arrived.into_announced().unwrap()
}
