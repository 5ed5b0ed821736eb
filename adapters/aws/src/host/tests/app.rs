use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use lambda_runtime::Context;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use skyfold::ports::{
    Consistency, Document, DocumentKey, DocumentStore, ListQuery, Page, Ports, Publisher, Range,
    Revision, ScanQuery, Write,
};
use skyfold::{
    App, Category, CloudEvent, Decider, Effect, Error, ErrorKind, Projection, RecordedCommit,
    RecordedEvent, Result, Runtime, Saga, StreamId, StreamName, Subscription, Version,
};
use skyfold_memory::Memory;

use crate::host::Lambda;
use crate::host::failure::Failure;

/// A door that can be opened as often as one likes, and a view of who did.
pub(super) struct Door;

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub(super) enum Command {
    Open { by: String },
}

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub(super) enum Event {
    Opened { by: String },
}

#[derive(Debug, thiserror::Error)]
#[error("nobody is no one to open a door")]
pub(super) struct Nobody;

impl Decider for Door {
    const CATEGORY: Category = "door";
    type State = u32;
    type Command = Command;
    type Event = Event;
    type Error = Nobody;

    fn decide(_: &u32, Command::Open { by }: Command) -> Result<Vec<Event>, Nobody> {
        if by.is_empty() { Err(Nobody) } else { Ok(vec![Event::Opened { by }]) }
    }

    fn evolve(count: &mut u32, _: &Event) {
        *count += 1;
    }
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Visitors(Vec<String>);

impl Projection for Visitors {
    const NAME: &'static str = "visitors";
    type Input = Event;
    type View = Self;

    fn subscription() -> Subscription<Event> {
        Subscription::of::<Door>()
    }

    fn project(_: &str, view: Option<Self>, event: &RecordedEvent<Event>) -> Option<Self> {
        let Event::Opened { by } = event.data.clone();
        let Self(mut all) = view.unwrap_or(Self(vec![]));
        all.push(by);
        Some(Self(all))
    }
}

/// A visit, which begins when the door is opened and ends when it is opened again.
pub(super) struct Visit;

impl Saga for Visit {
    const NAME: &'static str = "visit";
    type Input = Event;
    type State = u32;

    fn subscription() -> Subscription<Event> {
        Subscription::of::<Door>()
    }

    fn correlate(event: &RecordedEvent<Event>) -> Option<StreamId> {
        Some(event.stream.id())
    }

    fn react(count: &mut u32, _: &RecordedEvent<Event>) -> Vec<Effect> {
        *count += 1;
        vec![]
    }

    fn has_ended(count: &u32) -> bool {
        *count > 1
    }
}

/// The app on ports of its own, whose bus and documents may fail.
pub(super) struct Scene {
    pub(super) runtime: Runtime,
    pub(super) bus: Arc<Bus>,
    pub(super) documents: Arc<Documents>,
}

impl Scene {
    pub(super) fn new() -> Self {
        let ports = Memory::new().ports();
        let bus = Arc::new(Bus::default());
        let documents = Documents { inner: ports.documents.clone(), failures: Mutex::default() };
        let documents = Arc::new(documents);
        let ports = Ports { publisher: bus.clone(), documents: documents.clone(), ..ports };
        let app = App::new("example").decider::<Door>().projection::<Visitors>().saga::<Visit>();
        Self { runtime: app.bind(ports).unwrap(), bus, documents }
    }

    /// Calls the function `name` with `payload`.
    pub(super) async fn call(&self, name: &str, payload: &Value) -> Result<Value, Failure> {
        self.answer(self.lambda(name), payload).await
    }

    /// The function `name`.
    pub(super) fn lambda(&self, name: &str) -> Lambda {
        Lambda::new(self.runtime.clone(), name, Default::default()).unwrap()
    }

    /// Calls `lambda` with `payload`.
    pub(super) async fn answer(&self, lambda: Lambda, payload: &Value) -> Result<Value, Failure> {
        let payload = RawValue::from_string(payload.to_string()).unwrap();
        lambda.answer(&payload, Context::default()).await
    }

    /// Opens the front door by a command to the function itself.
    pub(super) async fn open(&self, id: &str, by: &str) -> Result<Value, Failure> {
        let command = json!({ "Open": { "by": by } });
        let request = json!({ "stream": "front", "id": id, "command": command });
        self.call("door", &json!({ "category": "door", "request": request })).await
    }

    /// What is recorded of the front door.
    pub(super) async fn commits(&self) -> Vec<RecordedCommit> {
        self.commits_of("door-front").await
    }

    /// What is recorded in `stream`.
    pub(super) async fn commits_of(&self, stream: &str) -> Vec<RecordedCommit> {
        let stream: StreamName = stream.parse().unwrap();
        let range = Range::After(Version::EMPTY);
        let read = self.runtime.ports().events.read(&stream, range, 100, Consistency::Strong);
        read.await.unwrap().commits
    }
}

/// A bus that announces all but the events of some ids.
#[derive(Debug, Default)]
pub(super) struct Bus {
    pub(super) refused: Mutex<BTreeSet<String>>,
    pub(super) announced: Mutex<Vec<String>>,
}

#[async_trait]
impl Publisher for Bus {
    async fn publish(&self, batch: &[CloudEvent]) -> Vec<Result<()>> {
        let publish = |event: &CloudEvent| {
            let id = event.id.to_string();
            if self.refused.lock().unwrap().contains(&id) {
                return Err(Error::new(ErrorKind::Unexpected, "this one is not wanted"));
            }
            self.announced.lock().unwrap().push(id);
            Ok(())
        };
        batch.iter().map(publish).collect()
    }
}

/// Documents that cannot be read so many times.
#[derive(Debug)]
pub(super) struct Documents {
    inner: Arc<dyn DocumentStore>,
    pub(super) failures: Mutex<u32>,
}

#[async_trait]
impl DocumentStore for Documents {
    async fn get(&self, keys: &[DocumentKey]) -> Result<Vec<Option<Document>>> {
        {
            let mut failures = self.failures.lock().unwrap();
            if *failures > 0 {
                *failures -= 1;
                return Err(Error::new(ErrorKind::Unexpected, "the table says something strange"));
            }
        }
        self.inner.get(keys).await
    }

    async fn write(&self, batch: &[Write]) -> Vec<Result<Revision>> {
        self.inner.write(batch).await
    }

    async fn list(&self, query: &ListQuery) -> Result<Page> {
        self.inner.list(query).await
    }

    async fn scan(&self, query: &ScanQuery) -> Result<Page> {
        self.inner.scan(query).await
    }
}
