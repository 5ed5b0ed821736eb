use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use conformance::domain::app;
use conformance::faults::{Fault, Faulty, Request as Asked, tapped};
use serde_json::{Value, json};
use skyfold::ports::{Consistency, Ports, Publisher, QueuedCommand, Range};
use skyfold::{CloudEvent, Error, ErrorKind, RecordedCommit, Result, Runtime, StreamName, Version};
use skyfold_memory::{Memory, VirtualClock};
use tower::ServiceExt as _;

use crate::host::functions::routes;
use crate::host::messages::Messages;

/// A queue that keeps no command elsewhere.
#[derive(Debug, Default)]
pub(super) struct Small {
    /// The messages whose command was done before.
    pub(super) done: Mutex<Vec<String>>,
    /// The messages of which it was noted since.
    pub(super) closed: Mutex<Vec<String>>,
}

#[async_trait]
impl Messages for Small {
    async fn open(&self, text: &str) -> Result<Option<QueuedCommand>> {
        if self.done.lock().unwrap().iter().any(|done| done == text) {
            return Ok(None);
        }
        serde_json::from_str(text).map(Some).map_err(|error| {
            Error::new(ErrorKind::Corrupt, "the message is no command").with_source(error)
        })
    }

    async fn close(&self, text: &str) -> Result<()> {
        self.closed.lock().unwrap().push(text.to_owned());
        Ok(())
    }
}

/// The app of the suite on ports of its own, whose bus may be closed, as the Functions host asks
/// for it.
pub(super) struct Scene {
    pub(super) runtime: Runtime,
    pub(super) bus: Arc<Bus>,
    pub(super) clock: VirtualClock,
    pub(super) messages: Arc<Small>,
    faults: Arc<Faulty>,
    router: Router,
}

impl Scene {
    pub(super) fn new() -> Self {
        let bus = Arc::new(Bus::default());
        let clock = VirtualClock::new();
        let ports = Memory::with_clock(clock.clone()).ports();
        let ports = Ports { publisher: bus.clone(), ..ports };
        let faults = Faulty::new(|asked| matches!(asked, Asked::Append(..) | Asked::Get(_)), []);
        let runtime = app().bind(tapped(ports, faults.clone())).unwrap();
        let messages = Arc::<Small>::default();
        let router = routes(runtime.clone(), messages.clone(), Default::default()).unwrap();
        Self { runtime, bus, clock, messages, faults, router }
    }

    /// Has the store fail so many times from now on, at appending and at reading documents.
    #[cfg_attr(not(feature = "container-apps"), expect(dead_code, reason = "nobody asks for it"))]
    pub(super) fn fail(&self, times: usize, kind: ErrorKind) {
        self.faults.extend(std::iter::repeat_n(Some(Fault::Before(kind)), times));
    }

    /// Asks for `path`, with a body if there is one.
    pub(super) async fn ask(&self, method: &str, path: &str, body: &str) -> (StatusCode, Value) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", "application/json; charset=utf-8")
            .body(Body::from(body.to_owned()))
            .unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    }

    /// Posts what a trigger has brought to `function`. Returns whether it is done with.
    pub(super) async fn fire(&self, function: &str, invocation: &Value) -> bool {
        let path = format!("/{function}");
        let (status, answer) = self.ask("POST", &path, &invocation.to_string()).await;
        assert_eq!((&answer["Outputs"], &answer["ReturnValue"]), (&json!({}), &Value::Null));
        let is_done = status == StatusCode::OK;
        assert_eq!(answer["Logs"] == json!([]), is_done, "{status}: {answer}");
        is_done
    }

    /// Gives `command` to the account `ada`.
    pub(super) async fn give(&self, id: &str, command: Value) {
        let request = json!({ "stream": "ada", "id": id, "command": command });
        let queued = json!({ "category": "account", "request": request });
        let invocation = json!({ "Data": { "message": queued } });
        assert!(self.fire("commands", &invocation).await);
    }

    /// What is recorded of the account `ada`.
    pub(super) async fn commits(&self) -> Vec<RecordedCommit> {
        let stream: StreamName = "account-ada".parse().unwrap();
        let range = Range::After(Version::EMPTY);
        let read = self.runtime.ports().events.read(&stream, range, 100, Consistency::Strong);
        read.await.unwrap().commits
    }

    /// How many dead letters there are.
    pub(super) async fn letters(&self) -> usize {
        self.runtime.dead_letters().list(&Default::default()).await.unwrap().items.len()
    }
}

/// A bus that notes what it announces, and that may be closed.
#[derive(Debug, Default)]
pub(super) struct Bus {
    pub(super) is_closed: Mutex<bool>,
    pub(super) announced: Mutex<Vec<CloudEvent>>,
}

#[async_trait]
impl Publisher for Bus {
    async fn publish(&self, batch: &[CloudEvent]) -> Vec<Result<()>> {
        let publish = |event: &CloudEvent| {
            if *self.is_closed.lock().unwrap() {
                return Err(Error::new(ErrorKind::Unexpected, "the bus is closed"));
            }
            self.announced.lock().unwrap().push(event.clone());
            Ok(())
        };
        batch.iter().map(publish).collect()
    }
}
