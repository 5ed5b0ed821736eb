use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use futures::StreamExt as _;
use googleapis_tonic_google_pubsub_v1::google::pubsub::v1::publisher_client::PublisherClient;
use googleapis_tonic_google_pubsub_v1::google::pubsub::v1::{PublishRequest, PubsubMessage};
use prost::Message as _;
use skyfold::limits::{COMMIT_EVENTS_MAX, PAGE_ITEMS_MAX};
use skyfold::ports::Publisher;
use skyfold::{CloudEvent, Error, ErrorKind, Result};

use crate::calls::{Header, REQUEST_MAX, answered, request};
use crate::clients::Wire;
use crate::errors::{again, unguarded};

/// How many bytes a request may have, and a message: 10 MB ("Pub/Sub quotas and limits").
const REQUEST_BYTES_MAX: usize = 10_000_000;

/// How many bytes of a request are not its messages: the name of the topic, and what frames them.
const FRAME_BYTES: usize = 10_000;

/// How many messages a request may have ("Pub/Sub quotas and limits").
const REQUEST_MESSAGES_MAX: usize = 1_000;

/// How many announcements one batch may have.
const BATCH_MAX: usize = PAGE_ITEMS_MAX * COMMIT_EVENTS_MAX;

/// How many requests of one batch are on their way at once.
const CONCURRENT_MAX: usize = 16;

/// What the data of a message is ("CloudEvents: Google Cloud Pub/Sub Protocol Binding").
const CONTENT_TYPE: &str = "application/cloudevents+json; charset=utf-8";

/// A topic of Pub/Sub.
#[derive(Clone, Debug)]
pub(crate) struct Bus {
    client: PublisherClient<Wire>,
    topic: String,
    route: Option<Header>,
}

/// Messages of one stream, with their places in the batch: a request takes those of one ordering
/// key alone.
type Group = Vec<(usize, PubsubMessage)>;

impl Bus {
    /// The topic of the full name `topic`, reached over `wire`.
    pub(crate) fn new(wire: Wire, topic: &str) -> Self {
        let route = Header::route(&format!("topic={topic}"));
        Self { client: PublisherClient::new(wire), topic: topic.to_owned(), route }
    }

    /// Publishes the messages of one stream, one request after the other, so that they arrive in
    /// their order. What follows one that failed is not sent: it would overtake it.
    async fn publish_stream(&self, group: Group) -> Vec<(usize, Result<()>)> {
        let mut outcomes = vec![];
        let mut failed: Option<Error> = None;
        for (places, messages) in requests(group) {
            let published = match &failed {
                Some(error) => Err(again(error)),
                None => self.publish_request(messages).await,
            };
            outcomes.extend(places.into_iter().map(|place| (place, copy(&published))));
            failed = published.err();
        }
        outcomes
    }

    async fn publish_request(&self, messages: Vec<PubsubMessage>) -> Result<()> {
        let message = PublishRequest { topic: self.topic.clone(), messages };
        let mut client = self.client.clone();
        let publish = client.publish(request(message, REQUEST_MAX, &self.route));
        let what = format!("the topic {}", self.topic);
        answered(&what, REQUEST_MAX, publish).await.map_err(unguarded)?;
        Ok(())
    }
}

fn copy(outcome: &Result<()>) -> Result<()> {
    outcome.as_ref().map_err(again).copied()
}

/// `event` as a message, by reference if it is larger than the bus carries.
fn message(event: &CloudEvent) -> Result<PubsubMessage> {
    let message = with_data(event)?;
    if message.encoded_len() + FRAME_BYTES <= REQUEST_BYTES_MAX {
        return Ok(message);
    }
    with_data(&event.clone().by_reference())
}

fn with_data(event: &CloudEvent) -> Result<PubsubMessage> {
    let data = serde_json::to_vec(event).map_err(|error| {
        let message = format!("the announcement of {} has no JSON form", event.id);
        Error::new(ErrorKind::Invalid, message).with_source(error)
    })?;
    let attributes = [
        ("content-type", CONTENT_TYPE),
        // What a subscription can be filtered by.
        ("category", event.subject.category()),
        ("type", &event.event_type),
    ];
    let attributes = attributes.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let (attributes, ordering_key) = (HashMap::from(attributes), event.partitionkey.to_string());
    Ok(PubsubMessage { data, attributes, ordering_key, ..Default::default() })
}

/// The messages of `group`, in order, as requests that the service takes.
fn requests(group: Group) -> Vec<(Vec<usize>, Vec<PubsubMessage>)> {
    let mut requests: Vec<(Vec<usize>, Vec<PubsubMessage>)> = vec![];
    let mut bytes = FRAME_BYTES;
    for (place, message) in group {
        let size = message.encoded_len();
        match requests.last_mut() {
            Some((places, messages))
                if places.len() < REQUEST_MESSAGES_MAX && bytes + size <= REQUEST_BYTES_MAX =>
            {
                bytes += size;
                places.push(place);
                messages.push(message);
            }
            _ => {
                bytes = FRAME_BYTES + size;
                requests.push((vec![place], vec![message]));
            }
        }
    }
    requests
}

#[async_trait]
impl Publisher for Bus {
    async fn publish(&self, batch: &[CloudEvent]) -> Vec<Result<()>> {
        let count = batch.len();
        if count > BATCH_MAX {
            let message = format!("a batch of {count} announcements, of at most {BATCH_MAX}");
            let refused = |_| Err(Error::new(ErrorKind::Oversized, &*message));
            return batch.iter().map(refused).collect();
        }
        let (mut outcomes, mut groups) = (vec![], BTreeMap::<_, Group>::new());
        for (nth, event) in batch.iter().enumerate() {
            outcomes.push(message(event).map(|message| {
                groups.entry(&event.partitionkey).or_default().push((nth, message));
            }));
        }
        let mut published = vec![];
        for group in groups.into_values() {
            published.push(self.publish_stream(group));
        }
        let published = futures::stream::iter(published).buffer_unordered(CONCURRENT_MAX);
        let published: Vec<_> = published.collect().await;
        for (place, outcome) in published.into_iter().flatten() {
            outcomes[place] = outcome;
        }
        outcomes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_hold_no_more_messages_and_bytes_than_fit() {
        let of = |bytes: usize| PubsubMessage { data: vec![0; bytes], ..Default::default() };
        let count = |bytes: usize, count: usize| {
            let requests = requests((0..count).map(|nth| (nth, of(bytes))).collect());
            requests.into_iter().map(|(places, _)| places.len()).collect::<Vec<_>>()
        };
        assert!(count(1, 0).is_empty());
        assert_eq!(count(1, 2_001), [1_000, 1_000, 1]);
        assert_eq!(count(4_000_000, 3), [2, 1]);
        assert_eq!(count(20_000_000, 2), [1, 1]);
    }
}
