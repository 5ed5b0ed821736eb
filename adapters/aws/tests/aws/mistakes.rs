//! What an installation that is not as it should be is told, and how soon.

use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::config::http::HttpRequest;
use aws_sdk_dynamodb::config::{BehaviorVersion, Region};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use aws_types::SdkConfig;
use futures::future::BoxFuture;
use skyfold::ports::{Guard, Write};
use skyfold::{
    CloudEvent, CommandId, Commit, Error, ErrorKind, Head, Metadata, NewEvent, Payload, Ports,
    RecordedEvent, Version,
};
use skyfold_aws::{Aws, Clients, Feed, tables};
use time::OffsetDateTime;

use crate::common::{Answer, Sent, Weather, calm, config, names, refusal};
use crate::errors::{keys, queued, read, stream};

/// How soon an error is to be told, on a busy machine.
const SOON: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_missing_table_is_named_with_what_to_do() {
    let config = config(calm()).await;
    let ports = Aws::new(Clients::new(&config), names()).ports();
    let error = read(&ports).await;
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    let text = error.to_string();
    assert!(text.contains("the table order-events in eu-central-1: it does not exist"), "{text}");
    assert!(text.contains("region"), "{text}");
    let error = ports.documents.get(&keys(2)).await.unwrap_err();
    assert!(error.to_string().contains("order-documents"), "{error}");
}

/// The answers of the services of a region in which nothing of the app is.
#[derive(Debug)]
struct Elsewhere;

impl Weather for Elsewhere {
    fn before(&self, sent: &mut Sent, request: &mut HttpRequest) -> Option<Answer> {
        assert!(request.headers().get("authorization").unwrap().contains("/eu-west-1/"));
        let code = match sent.target.starts_with("AmazonSQS") {
            true => "AWS.SimpleQueueService.NonExistentQueue",
            false => "ResourceNotFoundException",
        };
        Some(Ok(refusal(code, "Requested resource not found")))
    }

    fn after(&self, _: Sent, answer: Answer) -> BoxFuture<'static, Answer> {
        Box::pin(std::future::ready(answer))
    }
}

/// An event of account 1.
fn event() -> RecordedEvent {
    RecordedEvent {
        stream: stream(),
        version: Version(1),
        event_type: "Opened".into(),
        schema: 1,
        time: OffsetDateTime::UNIX_EPOCH,
        command: CommandId::new("c").unwrap(),
        metadata: Metadata::default(),
        data: Payload::default(),
    }
}

#[tokio::test]
async fn what_is_in_another_region_is_named_with_the_region_that_was_asked() {
    let wire = calm().in_weather(Arc::new(Elsewhere));
    let config = config(wire).await.into_builder().region(Region::new("eu-west-1")).build();
    let ports = Aws::new(Clients::new(&config), names()).ports();
    let queue = format!("the queue {}", names().queue);
    let news = [CloudEvent::new("bank", &event())];
    let errors = [
        ("the table order-events", read(&ports).await),
        ("the table order-documents", ports.documents.get(&keys(2)).await.unwrap_err()),
        ("the table order-keys", ports.keys.get(&["ada".parse().unwrap()]).await.unwrap_err()),
        ("the event bus order", ports.publisher.publish(&news).await.remove(0).unwrap_err()),
        (&queue, ports.queue.send(&queued(1)).await.remove(0).unwrap_err()),
    ];
    for (what, error) in errors {
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
        let says = format!("{what} in eu-west-1: it does not exist there");
        assert!(error.to_string().starts_with(&says), "{error}");
        assert!(error.to_string().contains("AWS_REGION"), "{error}");
    }
}

#[tokio::test]
async fn a_table_without_the_index_of_the_feed_is_of_another_layout() {
    let clients = Clients::new(&config(calm()).await);
    tables::create_events(&clients.dynamodb, &names().events, Feed::Scan).await.unwrap();
    let ports = Aws::new(clients, names()).ports();
    is_of_another_layout("reading the feed", ports.feed.read(0, &Default::default(), None).await);
}

fn is_of_another_layout<T: std::fmt::Debug>(told: &str, outcome: Result<T, Error>) {
    let error = outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid, "{told}: {error:?}");
    assert!(error.to_string().contains("another layout"), "{told}: {error:?}");
}

/// Ports on tables that have the keys `sort` beside a partition key `partition`.
async fn on_tables(partition: &str, sort: Option<(&str, ScalarAttributeType)>) -> Ports {
    let clients = Clients::new(&config(calm()).await);
    let keys = [(partition, ScalarAttributeType::S)].into_iter().chain(sort);
    let keys: Vec<_> = keys.zip([KeyType::Hash, KeyType::Range]).collect();
    for table in [names().events, names().documents, names().keys] {
        let mut create = clients.dynamodb.create_table().table_name(table);
        for ((name, of), role) in keys.clone() {
            let attribute = AttributeDefinition::builder().attribute_name(name).attribute_type(of);
            let key = KeySchemaElement::builder().attribute_name(name).key_type(role);
            create = create.attribute_definitions(attribute.build().unwrap());
            create = create.key_schema(key.build().unwrap());
        }
        create.billing_mode(BillingMode::PayPerRequest).send().await.unwrap();
    }
    Aws::new(clients, names()).ports()
}

#[tokio::test]
async fn tables_of_other_keys_are_of_another_layout() {
    let head = Head::empty(stream());
    let opened = NewEvent { event_type: "Opened".into(), schema: 1, data: Payload::default() };
    let (id, at) = (CommandId::new("c").unwrap(), OffsetDateTime::UNIX_EPOCH);
    let commit = Commit::new(id, 7, at, Metadata::default(), vec![opened]).unwrap();
    let write = Write {
        key: keys(1).remove(0),
        body: Some(Payload::default()),
        listings: vec![],
        guard: Guard::Absent,
        expires: None,
    };
    for (partition, sort) in [
        ("pk", Some(("sk", ScalarAttributeType::S))),
        ("PK", Some(("version", ScalarAttributeType::N))),
        ("PK", Some(("SK", ScalarAttributeType::N))),
        ("PK", None),
    ] {
        let told = format!("{partition} {sort:?}");
        let ports = on_tables(partition, sort.clone()).await;
        is_of_another_layout(&told, Err::<(), _>(read(&ports).await));
        is_of_another_layout(&told, ports.documents.get(&keys(2)).await);
        is_of_another_layout(&told, ports.documents.get(&keys(1)).await);
        is_of_another_layout(&told, ports.keys.get(&["ada".parse().unwrap()]).await);
        if sort.is_some() {
            // A table that has no other key takes any item.
            is_of_another_layout(&told, ports.events.append(&head, &commit).await);
            is_of_another_layout(
                &told,
                ports.documents.write(std::slice::from_ref(&write)).await.remove(0),
            );
        }
    }
}

#[tokio::test]
async fn missing_credentials_are_told_at_once() {
    let start = Instant::now();
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .http_client(calm().into_client())
        .build();
    let error = read(&Aws::new(Clients::new(&config), names()).ports()).await;
    assert_eq!(error.kind(), ErrorKind::Denied, "{error}");
    assert!(error.to_string().contains("AWS_ACCESS_KEY_ID"), "{error}");
    assert!(start.elapsed() < SOON);
}

#[tokio::test]
async fn a_service_that_nobody_reaches_is_unavailable_within_seconds() {
    let start = Instant::now();
    let config = config(calm()).await.into_builder().endpoint_url("http://127.0.0.1:9").build();
    let error = read(&Aws::new(Clients::new(&config), names()).ports()).await;
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert!(error.to_string().contains("in eu-central-1: it did not answer"), "{error}");
    assert!(start.elapsed() < SOON);
}
