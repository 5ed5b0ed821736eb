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

impl Bus {
    /// Makes one request, which is taken as a whole or not at all.
    async fn post(&self, entries: &[String]) -> Vec<Result<()>> {
        let posted = self.try_post(entries).await;
        entries.iter().map(|_| posted.as_ref().map_err(again).copied()).collect()
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
