use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use conformance::delivery::Post;
use skyfold::CloudEvent;
use skyfold_memory::VirtualClock;
use tokio::net::TcpListener;

use super::azurite;
use super::queue::Passage;

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
    pub post: Post<String>,
    /// Through what each message passes, where it is installed.
    passage: Option<Arc<Passage>>,
}

impl Services {
    /// Those of the place `name`.
    pub fn new(clock: VirtualClock, name: &str) -> Self {
        let passage = azurite().map(|azurite| Arc::new(Passage::new(azurite, name)));
        Self { post: Post::new(Arc::new(clock)), passage }
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
    events.into_iter().for_each(|event| services.post.announce(event));
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
    let text = match services.passage.clone() {
        // To its end, also if the caller waits no longer: what is left in it is the next one's.
        Some(passage) => match tokio::spawn(passage.pass(body, delay)).await.unwrap() {
            Ok(text) => text,
            Err(status) => return status,
        },
        None => text.to_owned(),
    };
    let visible = services.post.now() + Duration::from_secs(delay);
    services.post.send(visible, text);
    StatusCode::CREATED
}
