//! The bus over Google's emulator of Pub/Sub.

use std::time::{Duration, Instant};

use googleapis_tonic_google_pubsub_v1::google::pubsub::v1;
use skyfold::{CloudEvent, Error, ErrorKind};
use skyfold_gcp::{Clients, Gcp, Names, Wire};
use v1::publisher_client::PublisherClient;
use v1::subscriber_client::SubscriberClient;
use v1::{AcknowledgeRequest, PubsubMessage, PullRequest, Subscription, Topic};

use crate::common::{names, project, pubsub};
use crate::errors::announcements;

/// How long all that was published may take to arrive.
const ARRIVES_MAX: Duration = Duration::from_secs(60);

/// A topic, and one subscription that keeps the order of each key.
struct Bus {
    wire: Wire,
    topic: String,
    subscription: String,
}

impl Bus {
    async fn open() -> Self {
        let (wire, project) = (Wire::to(&pubsub().await).unwrap(), project());
        let topic = format!("projects/{project}/topics/order");
        let made = Topic { name: topic.clone(), ..Default::default() };
        PublisherClient::new(wire.clone()).create_topic(made).await.unwrap();
        let subscription = format!("projects/{project}/subscriptions/balances");
        let made = Subscription {
            name: subscription.clone(),
            topic: topic.clone(),
            enable_message_ordering: true,
            ack_deadline_seconds: 60,
            ..Default::default()
        };
        SubscriberClient::new(wire.clone()).create_subscription(made).await.unwrap();
        Self { wire, topic, subscription }
    }

    fn ports(&self) -> skyfold::Ports {
        let wire = self.wire.clone();
        let clients = Clients { firestore: wire.clone(), pubsub: wire.clone(), tasks: wire };
        let names = Names { topic: self.topic.clone(), ..names("p") };
        Gcp::new(clients, names).ports()
    }

    /// The next `count` messages.
    async fn pull(&self, count: usize) -> Vec<PubsubMessage> {
        let (start, mut pulled) = (Instant::now(), vec![]);
        let mut client = SubscriberClient::new(self.wire.clone());
        while pulled.len() < count {
            assert!(start.elapsed() < ARRIVES_MAX, "{} of {count} have arrived", pulled.len());
            let subscription = self.subscription.clone();
            let request = PullRequest { subscription, max_messages: 500, ..Default::default() };
            let received = client.pull(request).await.unwrap().into_inner().received_messages;
            let ack_ids: Vec<_> = received.iter().map(|message| message.ack_id.clone()).collect();
            pulled.extend(received.into_iter().filter_map(|received| received.message));
            if !ack_ids.is_empty() {
                let subscription = self.subscription.clone();
                client.acknowledge(AcknowledgeRequest { subscription, ack_ids }).await.unwrap();
            }
        }
        pulled
    }
}

pub(crate) async fn announcements_of_a_stream_arrive_in_their_order() {
    let bus = Bus::open().await;
    let streams = ["order-1", "order-2", "stock-1"];
    let mut batch = vec![];
    for version in 0..200 {
        batch.extend(streams.map(|stream| announcements(stream, 200).swap_remove(version)));
    }
    let outcomes = bus.ports().publisher.publish(&batch).await;
    assert!(outcomes.iter().all(Result::is_ok), "{:?}", outcomes.iter().find(|o| o.is_err()));
    let messages = bus.pull(batch.len()).await;
    for stream in streams {
        let of_it = messages.iter().filter(|message| message.ordering_key == stream);
        let events: Vec<CloudEvent> =
            of_it.map(|message| serde_json::from_slice(&message.data).unwrap()).collect();
        assert_eq!(events, announcements(stream, 200), "{stream}");
    }
    let message = messages.iter().find(|message| message.ordering_key == "stock-1").unwrap();
    let attribute = |name: &str| message.attributes[name].as_str();
    assert_eq!(attribute("content-type"), "application/cloudevents+json; charset=utf-8");
    assert_eq!((attribute("category"), attribute("type")), ("stock", "stock.Noted"));
}

pub(crate) async fn a_missing_topic_is_told() {
    let bus = Bus::open().await;
    let bus = Bus { topic: "projects/p/topics/missing".into(), ..bus };
    let outcomes = bus.ports().publisher.publish(&announcements("order-1", 2)).await;
    let kinds: Vec<_> = outcomes.iter().map(|o| o.as_ref().map_err(Error::kind)).collect();
    assert_eq!(kinds, [Err(ErrorKind::NotFound); 2]);
    let error = outcomes[0].as_ref().unwrap_err();
    assert!(error.to_string().contains("projects/p/topics/missing: it does not exist"), "{error}");
}
