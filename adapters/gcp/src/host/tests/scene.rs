use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use conformance::domain;
use conformance::faults::{Fault, Faulty, Request as Asked, tapped};
use http_body_util::BodyExt as _;
use serde_json::Value;
use skyfold::ports::{Consistency, Ports, Publisher, Range};
use skyfold::{
    CloudEvent, Error, ErrorKind, EventId, LetterQuery, RecordedCommit, Result, Runtime, Version,
};
use skyfold_http::Options;
use skyfold_memory::Memory;
use tower::ServiceExt as _;

use crate::host::{Callers, service};

/// The app of the conformance suite, in memory, whose deliveries a test makes.
pub(super) struct Scene {
    pub(super) runtime: Runtime,
    pub(super) bus: Arc<Bus>,
    faults: Arc<Faulty>,
}

/// What was announced; and whether nothing can be now.
#[derive(Debug, Default)]
pub(super) struct Bus {
    pub(super) announced: Mutex<Vec<EventId>>,
    pub(super) is_down: AtomicBool,
}

#[async_trait]
impl Publisher for Bus {
    async fn publish(&self, batch: &[CloudEvent]) -> Vec<Result<()>> {
        let is_down = self.is_down.load(Ordering::Relaxed);
        let announce = |event: &CloudEvent| match is_down {
            true => Err(Error::new(ErrorKind::Denied, "the bus is down")),
            false => {
                self.announced.lock().unwrap().push(event.id.clone());
                Ok(())
            }
        };
        batch.iter().map(announce).collect()
    }
}

impl Scene {
    pub(super) fn new() -> Self {
        let bus = Arc::new(Bus::default());
        let ports = Ports { publisher: bus.clone(), ..Memory::new().ports() };
        let faults = Faulty::new(|asked| matches!(asked, Asked::Append(..) | Asked::Get(_)), []);
        let runtime = domain::app().bind(tapped(ports, faults.clone())).unwrap();
        Self { runtime, bus, faults }
    }

    /// Has the store fail so many times from now on, at appending and at reading documents, in a
    /// way that nobody knows.
    pub(super) fn fail(&self, times: usize) {
        let strange = Some(Fault::Before(ErrorKind::Unexpected));
        self.faults.extend(std::iter::repeat_n(strange, times));
    }

    /// How many dead letters there are.
    pub(super) async fn letters(&self) -> usize {
        self.runtime.dead_letters().list(&LetterQuery::default()).await.unwrap().items.len()
    }

    /// The function `name`, which takes deliveries from anybody.
    pub(super) fn service(&self, name: &str) -> Router {
        self.service_for(name, Callers::anybody())
    }

    pub(super) fn service_for(&self, name: &str, callers: Callers) -> Router {
        service(self.runtime.clone(), name, Options::default(), callers).unwrap()
    }

    /// Pays 5 cents into the account `1`, by a command of this id, over HTTP.
    pub(super) async fn deposit(&self, id: &str) {
        let request =
            Request::post("/account/1/deposit").header("content-type", "application/json");
        let request = request.header("idempotency-key", id).body(Body::from(r#"{"cents":5}"#));
        let (status, answer) = sent(&self.service("account"), request.unwrap()).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
    }

    /// What was recorded of the account `1`.
    pub(super) async fn commits(&self) -> Vec<RecordedCommit> {
        let (events, all) = (&self.runtime.ports().events, Range::After(Version::EMPTY));
        let stream = "account-1".parse().unwrap();
        events.read(&stream, all, 100, Consistency::Strong).await.unwrap().commits
    }

    /// What the view of the account `1` shows.
    pub(super) async fn balance(&self) -> (StatusCode, Value) {
        let request = Request::get("/balances/1").body(Body::empty()).unwrap();
        sent(&self.service("api"), request).await
    }

    /// Every event of the account `1`, as Pub/Sub pushes it for the `attempt`th time.
    pub(super) async fn pushes(&self, attempt: u32) -> Vec<Value> {
        let commits = self.commits().await;
        let events = commits.iter().flat_map(|commit| commit.events());
        let push = |event| push(&CloudEvent::new("bank", &event), attempt);
        events.map(push).collect()
    }
}

/// `data` as Pub/Sub pushes it for the `attempt`th time.
pub(super) fn push(data: &impl serde::Serialize, attempt: u32) -> Value {
    let mut push: Value = serde_json::from_str(include_str!("golden/push.json")).unwrap();
    push["message"]["data"] = STANDARD.encode(serde_json::to_vec(data).unwrap()).into();
    push["deliveryAttempt"] = attempt.into();
    push
}

/// Posts `body` as JSON. Returns the status.
pub(super) async fn post(service: &Router, path: &str, body: &Value) -> StatusCode {
    let request = Request::post(path).header("content-type", "application/json");
    sent(service, request.body(Body::from(body.to_string())).unwrap()).await.0
}

/// What `request` is answered.
pub(super) async fn sent(service: &Router, request: Request<Body>) -> (StatusCode, Value) {
    let response = service.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap_or_default())
}
