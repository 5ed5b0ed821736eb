use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use futures::StreamExt as _;
use googleapis_tonic_google_pubsub_v1::google::pubsub::v1::PubsubMessage;
use skyfold::adapter::{again, too_many};
use skyfold::limits::{COMMIT_EVENTS_MAX, PAGE_ITEMS_MAX};
use skyfold::ports::Publisher;
use skyfold::{CloudEvent, Error, ErrorKind, Result};

use crate::errors::copy;
use crate::topic::{Group, Topic, fits, requests};

/// How many announcements one batch may have.
const BATCH_MAX: usize = PAGE_ITEMS_MAX * COMMIT_EVENTS_MAX;

/// How many requests of one batch are on their way at once.
const CONCURRENT_MAX: usize = 16;

/// What the data of a message is ("CloudEvents: Google Cloud Pub/Sub Protocol Binding").
const CONTENT_TYPE: &str = "application/cloudevents+json; charset=utf-8";

/// A topic of Pub/Sub that events are announced on, those of a stream in their order.
#[derive(Clone, Debug)]
pub(crate) struct Bus {
    pub(crate) topic: Topic,
}

impl Bus {
    /// Publishes the messages of one stream, one request after the other, so that they arrive in
    /// their order. What follows one that failed is not sent: it would overtake it.
    async fn publish_stream(&self, group: Group) -> Vec<(usize, Result<()>)> {
        let mut outcomes = vec![];
        let mut failed: Option<Error> = None;
        for (places, messages) in requests(group) {
            let published = match &failed {
                Some(error) => Err(again(error)),
                None => self.topic.publish(messages).await,
            };
            outcomes.extend(places.into_iter().map(|place| (place, copy(&published))));
            failed = published.err();
        }
        outcomes
    }
}

/// `event` as a message, by reference if it is larger than the bus carries.
fn message(event: &CloudEvent) -> Result<PubsubMessage> {
    let message = with_data(event)?;
    if fits(&message) {
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

#[async_trait]
impl Publisher for Bus {
    async fn publish(&self, batch: &[CloudEvent]) -> Vec<Result<()>> {
        let count = batch.len();
        if count > BATCH_MAX {
            let refused = |_| Err(too_many("announcements", count, BATCH_MAX));
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
