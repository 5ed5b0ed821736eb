use std::collections::{BTreeMap, HashMap};
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use skyfold::CloudEvent;
use skyfold::ports::Clock as _;
use skyfold_memory::VirtualClock;
use time::OffsetDateTime;
use tokio::net::TcpListener;

/// How many bytes a request to a topic may have, and how many events.
const REQUEST_BYTES_MAX: usize = 1_000_000;
const REQUEST_EVENTS_MAX: usize = 5_000;

/// How many bytes the text of a message may have, and how many seconds it can be held back.
const MESSAGE_BYTES_MAX: usize = 64 * 1024;
const DELAY_SECONDS_MAX: u64 = 7 * 24 * 60 * 60;

/// The key of the topic.
pub const KEY: &str = "topic-key";

/// As much of Event Grid and Queue Storage as the adapter asks for: they refuse what the real ones
/// refuse, and hold what they accepted.
#[derive(Clone, Debug)]
pub struct Services {
    clock: VirtualClock,
    held: Arc<Mutex<Held>>,
}

#[derive(Debug, Default)]
struct Held {
    /// What was announced, before the subscriptions.
    announced: Vec<CloudEvent>,
    /// A subscription for each function that hears.
    queues: BTreeMap<String, Vec<Delivery>>,
    /// What could not be handled, however often it was received.
    dead: Vec<(String, CloudEvent)>,
    /// The texts of messages, and when they are visible.
    messages: Vec<(OffsetDateTime, String)>,
}

/// An event for a function.
#[derive(Clone, Debug)]
pub struct Delivery {
    pub event: CloudEvent,
    pub receives: usize,
}

impl Services {
    pub fn new(clock: VirtualClock) -> Self {
        Self { clock, held: Arc::default() }
    }

    /// Serves them for as long as the runtime of the test runs, and says where.
    pub async fn serve(&self) -> String {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new()
            .route("/api/events", post(publish))
            .route("/commands/messages", post(put_message))
            .layer(DefaultBodyLimit::disable())
            .with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        url
    }

    /// What was announced since the last time.
    pub fn announced(&self) -> Vec<CloudEvent> {
        std::mem::take(&mut self.held().announced)
    }

    /// Brings `event` to the subscription of `function`.
    pub fn enqueue(&self, function: &str, event: CloudEvent) {
        self.put_back(function, Delivery { event, receives: 1 });
    }

    pub fn put_back(&self, function: &str, delivery: Delivery) {
        self.held().queues.entry(function.to_owned()).or_default().push(delivery);
    }

    pub fn set_aside(&self, function: &str, event: CloudEvent) {
        self.held().dead.push((function.to_owned(), event));
    }

    /// The next events of each subscription, the newest first: it promises no order.
    pub fn receive(&self, batch: usize) -> Vec<(String, Vec<Delivery>)> {
        let mut held = self.held();
        let waiting = held.queues.iter_mut().filter(|(_, queue)| !queue.is_empty());
        let take = |queue: &mut Vec<Delivery>| {
            let mut taken = queue.split_off(queue.len().saturating_sub(batch));
            taken.reverse();
            taken
        };
        waiting.map(|(function, queue)| (function.clone(), take(queue))).collect()
    }

    /// The messages that are visible now.
    pub fn due(&self) -> Vec<String> {
        let now = self.clock.now();
        let mut held = self.held();
        let (due, later) = std::mem::take(&mut held.messages).into_iter().partition(|m| m.0 <= now);
        held.messages = later;
        due.into_iter().map(|(_, text): (_, String)| text).collect()
    }

    pub fn run_again(&self, message: String) {
        let now = self.clock.now();
        self.held().messages.push((now, message));
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap()
    }
}

type Params = Query<HashMap<String, String>>;

async fn publish(
    State(services): State<Services>,
    Query(params): Params,
    headers: HeaderMap,
    body: String,
) -> StatusCode {
    assert_eq!(params["api-version"], "2018-01-01");
    assert_eq!(headers["content-type"], "application/cloudevents-batch+json; charset=utf-8");
    if headers.get("aeg-sas-key").is_none_or(|key| key != KEY) {
        return StatusCode::UNAUTHORIZED;
    }
    let events: Vec<CloudEvent> = serde_json::from_str(&body).unwrap();
    if body.len() > REQUEST_BYTES_MAX || events.len() > REQUEST_EVENTS_MAX {
        return StatusCode::PAYLOAD_TOO_LARGE;
    }
    services.held().announced.extend(events);
    StatusCode::OK
}

async fn put_message(
    State(services): State<Services>,
    Query(params): Params,
    headers: HeaderMap,
    body: String,
) -> StatusCode {
    assert!(headers.contains_key("x-ms-version"));
    assert_eq!(params["messagettl"], "-1");
    let delay: u64 = params["visibilitytimeout"].parse().unwrap();
    if delay > DELAY_SECONDS_MAX {
        return StatusCode::BAD_REQUEST;
    }
    let text = body.strip_prefix("<QueueMessage><MessageText>");
    let text = text.and_then(|text| text.strip_suffix("</MessageText></QueueMessage>"));
    let Some(text) = text else { return StatusCode::BAD_REQUEST };
    if text.len() > MESSAGE_BYTES_MAX {
        return StatusCode::PAYLOAD_TOO_LARGE;
    }
    let visible = services.clock.now() + Duration::from_secs(delay);
    services.held().messages.push((visible, text.to_owned()));
    StatusCode::CREATED
}
