use async_trait::async_trait;
use futures::StreamExt as _;
use skyfold::adapter::{again, requests, too_many};
use skyfold::limits::{COMMIT_EVENTS_MAX, PAGE_ITEMS_MAX};
use skyfold::ports::Publisher;
use skyfold::{CloudEvent, Error, ErrorKind, Result};

use crate::CONCURRENT_MAX;
use crate::access::Access;
use crate::http;

/// How many bytes an event, and all events of a request, may have: 1 MB ("Azure Event Grid quotas
/// and limits").
const REQUEST_BYTES_MAX: usize = 1_000_000;

/// How many events a request may have ("Azure Event Grid quotas and limits").
const REQUEST_EVENTS_MAX: usize = 5_000;

/// How many announcements one batch may have.
const BATCH_MAX: usize = PAGE_ITEMS_MAX * COMMIT_EVENTS_MAX;

/// How many events of a request may be looked for that the topic refuses: more are no accident, and
/// each costs as many requests as the request has halves of halves.
const REFUSED_MAX: usize = 8;

/// The version of the API ("Publish CloudEvents to an Event Grid topic").
const VERSION: &str = "2018-01-01";

/// What the body is ("HTTP Protocol Binding for CloudEvents", section 3.3).
const CONTENT_TYPE: &str = "application/cloudevents-batch+json; charset=utf-8";

/// What a token is asked for.
const SCOPE: &str = "https://eventgrid.azure.net/.default";

/// A topic of Event Grid whose events are CloudEvents.
#[derive(Clone, Debug)]
pub(crate) struct Bus {
    pub(crate) client: reqwest::Client,
    pub(crate) endpoint: String,
    pub(crate) access: Access,
}

/// `event` as JSON, by reference if it is larger than the bus carries.
fn entry(event: &CloudEvent) -> Result<String> {
    let entry = with_data(event)?;
    // The brackets around it.
    if entry.len() + 2 <= REQUEST_BYTES_MAX {
        return Ok(entry);
    }
    with_data(&event.clone().by_reference())
}

fn with_data(event: &CloudEvent) -> Result<String> {
    serde_json::to_string(event).map_err(|error| {
        let message = format!("the announcement of {} has no JSON form", event.id);
        Error::new(ErrorKind::Invalid, message).with_source(error)
    })
}

/// Whether the topic does not take what a request holds: who may not announce, or finds no topic,
/// need not try it with less.
fn is_refused(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Invalid | ErrorKind::Oversized)
}

impl Bus {
    /// Makes one request, which is taken as a whole or not at all. One that the topic refuses for
    /// good goes out in halves, so that what it does not take keeps back no other.
    async fn post(&self, entries: &[String]) -> Vec<Result<()>> {
        let (mut outcomes, mut refused) = (vec![], 0);
        // The next one last.
        let mut parts = vec![entries];
        while let Some(part) = parts.pop() {
            let posted = self.try_post(part).await;
            if posted.as_ref().is_err_and(is_refused) {
                if part.len() > 1 && refused < REFUSED_MAX {
                    let (first, second) = part.split_at(part.len() / 2);
                    parts.extend([second, first]);
                    continue;
                }
                refused += 1;
            }
            outcomes.extend(part.iter().map(|_| posted.as_ref().map_err(again).copied()));
        }
        outcomes
    }

    async fn try_post(&self, entries: &[String]) -> Result<()> {
        // What it says of the URL holds no secret: the key is a header.
        let what = format!("the topic {}", self.endpoint);
        let request = self
            .client
            .post(&self.endpoint)
            .query(&[("api-version", VERSION)])
            .header("content-type", CONTENT_TYPE)
            .body(format!("[{}]", entries.join(",")));
        let request = self.access.permit(&what, SCOPE, request).await?;
        http::send(&what, request).await
    }
}

#[async_trait]
impl Publisher for Bus {
    async fn publish(&self, batch: &[CloudEvent]) -> Vec<Result<()>> {
        let count = batch.len();
        if count > BATCH_MAX {
            let refused = |_| Err(too_many("announcements", count, BATCH_MAX));
            return batch.iter().map(refused).collect();
        }
        let (mut outcomes, mut entries, mut places) = (vec![], vec![], vec![]);
        for (nth, event) in batch.iter().enumerate() {
            outcomes.push(entry(event).map(|entry| {
                entries.push(entry);
                places.push(nth);
            }));
        }
        // Each with the comma or bracket before it, and one bracket at the end.
        let sizes: Vec<_> = entries.iter().map(|entry| entry.len() + 1).collect();
        let requests = requests(&sizes, REQUEST_EVENTS_MAX, REQUEST_BYTES_MAX - 1).into_iter();
        let posts = requests.map(|request| self.post(&entries[request]));
        let answers: Vec<_> = futures::stream::iter(posts).buffered(CONCURRENT_MAX).collect().await;
        for (place, outcome) in places.into_iter().zip(answers.into_iter().flatten()) {
            outcomes[place] = outcome;
        }
        outcomes
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::sync::{Arc, Mutex};

    use axum::Router;
    use axum::extract::State;
    use axum::http::StatusCode;
    use axum::routing::post;
    use azure_core::credentials::Secret;
    use skyfold::{CommandId, Metadata, Payload, RecordedEvent, Version};
    use time::OffsetDateTime;
    use tokio::net::TcpListener;

    use super::*;
    use crate::Clients;

    /// What a topic has taken, and how many requests there were.
    type Taken = Arc<Mutex<(Vec<u64>, usize)>>;

    /// Takes a request if no event of it is of the type `Bad`.
    async fn take(State(taken): State<Taken>, body: String) -> StatusCode {
        let events: Vec<CloudEvent> = serde_json::from_str(&body).unwrap();
        let mut taken = taken.lock().unwrap();
        taken.1 += 1;
        if events.iter().any(|event| event.event_type == "account.Bad") {
            return StatusCode::BAD_REQUEST;
        }
        taken.0.extend(events.iter().map(|event| event.id.version.0));
        StatusCode::OK
    }

    /// Announces 1,000 events in a request, of which those at `bad` are refused. Returns which were
    /// announced, how many are said to be, and in how many requests.
    async fn announced(bad: &[u64]) -> (Vec<u64>, Vec<u64>, usize) {
        let taken = Taken::default();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let endpoint = format!("http://{}/", listener.local_addr().unwrap());
        let router = Router::new().route("/", post(take)).with_state(taken.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let access = Access::Key(Secret::from("key"));
        let bus = Bus { client: Clients::http().unwrap(), endpoint, access };
        let event = |version| {
            let event_type = if bad.contains(&version) { "Bad" } else { "Good" };
            let event = RecordedEvent {
                stream: "account-1".parse().unwrap(),
                version: Version(version),
                event_type: event_type.into(),
                schema: 1,
                time: OffsetDateTime::UNIX_EPOCH,
                command: CommandId::new("c").unwrap(),
                metadata: Metadata::default(),
                data: Payload::default(),
            };
            CloudEvent::new("bank", &event)
        };
        let batch: Vec<_> = (1..=1_000).map(event).collect();
        let outcomes = bus.publish(&batch).await;
        let said = batch.iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_ok());
        let said = said.map(|(event, _)| event.id.version.0).collect();
        let taken = taken.lock().unwrap();
        (taken.0.clone(), said, taken.1)
    }

    #[tokio::test]
    async fn what_a_topic_refuses_keeps_back_no_other_event_of_its_request() {
        for bad in [&[][..], &[1], &[500, 501, 1_000]] {
            let (announced, said, requests) = announced(bad).await;
            let good: Vec<_> = (1..=1_000).filter(|version| !bad.contains(version)).collect();
            assert_eq!((&announced, &said), (&good, &good), "{bad:?}");
            assert!(requests <= 1 + 20 * bad.len(), "{bad:?} takes {requests} requests");
        }
    }

    #[tokio::test]
    async fn a_topic_that_refuses_all_is_not_asked_about_each() {
        let all: Vec<_> = (1..=1_000).collect();
        let (announced, said, requests) = announced(&all).await;
        assert_eq!((announced.len(), said.len()), (0, 0));
        assert!(requests <= 40, "{requests}");
    }
}
