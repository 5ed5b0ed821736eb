use googleapis_tonic_google_pubsub_v1::google::pubsub::v1::publisher_client::PublisherClient;
use googleapis_tonic_google_pubsub_v1::google::pubsub::v1::{PublishRequest, PubsubMessage};
use prost::Message as _;
use skyfold::Result;
use skyfold::adapter::{self, unguarded};

use crate::calls::{Header, REQUEST_MAX, answered, request};
use crate::clients::Wire;

/// How many bytes a request may have, and a message: 10 MB ("Pub/Sub quotas and limits").
const REQUEST_BYTES_MAX: usize = 10_000_000;

/// How many bytes of a request are not its messages: the name of the topic, and what frames them.
const FRAME_BYTES: usize = 10_000;

/// How many messages a request may have ("Pub/Sub quotas and limits").
const REQUEST_MESSAGES_MAX: usize = 1_000;

/// A topic of Pub/Sub.
#[derive(Clone, Debug)]
pub(crate) struct Topic {
    client: PublisherClient<Wire>,
    name: String,
    route: Option<Header>,
}

/// Messages, each with its place in a batch.
pub(crate) type Group = Vec<(usize, PubsubMessage)>;

impl Topic {
    /// The topic of the full name `name`, reached over `wire`.
    pub(crate) fn new(wire: Wire, name: &str) -> Self {
        let route = Header::route(&format!("topic={name}"));
        Self { client: PublisherClient::new(wire), name: name.to_owned(), route }
    }

    /// Publishes all of `messages`, which have one ordering key or none, in one request.
    pub(crate) async fn publish(&self, messages: Vec<PubsubMessage>) -> Result<()> {
        let message = PublishRequest { topic: self.name.clone(), messages };
        let mut client = self.client.clone();
        let publish = client.publish(request(message, REQUEST_MAX, &self.route));
        let what = format!("the topic {}", self.name);
        answered(&what, REQUEST_MAX, publish).await.map_err(unguarded)?;
        Ok(())
    }
}

/// Whether a request has room for `message`.
pub(crate) fn fits(message: &PubsubMessage) -> bool {
    message.encoded_len() + FRAME_BYTES <= REQUEST_BYTES_MAX
}

/// The messages of `group`, in order, as requests that the service takes.
pub(crate) fn requests(group: Group) -> Vec<(Vec<usize>, Vec<PubsubMessage>)> {
    let (mut places, mut messages): (Vec<_>, Vec<_>) = group.into_iter().unzip();
    let sizes: Vec<_> = messages.iter().map(PubsubMessage::encoded_len).collect();
    let bytes_max = REQUEST_BYTES_MAX - FRAME_BYTES;
    let requests = adapter::requests(&sizes, REQUEST_MESSAGES_MAX, bytes_max).into_iter();
    let taken = requests.map(|request| {
        let count = request.len();
        (places.drain(..count).collect(), messages.drain(..count).collect())
    });
    taken.collect()
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
