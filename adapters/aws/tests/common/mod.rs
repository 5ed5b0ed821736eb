//! An AWS of one test: a DynamoDB of its own in this process, and a bus and a queue that take what
//! EventBridge and SQS take, and deliver as they do.

#![allow(
    clippy::unwrap_used,
    dead_code,
    unused_imports,
    unreachable_pub,
    reason = "each of several tests uses part of it"
)]

mod batches;
mod services;
mod storm;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::config::{BehaviorVersion, Region};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_types::SdkConfig;
use conformance::Host;
use conformance::delivery::Deliveries;
use conformance::faults::steady;
use skyfold::ports::QueuedCommand;
use skyfold::{Error, ErrorKind, Ports, Result, Runtime, StreamName, Version};
use skyfold_aws::{Aws, Clients, Feed, Names, tables};
use skyfold_memory::VirtualClock;

use self::services::Services;
pub use self::services::refusal;
pub use self::storm::Storm;
pub use self::wire::{Answer, Sent, Weather, Wire, read, response, rewrite};

/// How often a settling may be begun again before something must be wrong.
const SETTLINGS_MAX: usize = 10_000;

/// One place, which shares nothing with any other.
pub struct Place {
    clock: VirtualClock,
    clients: Clients,
    ports: Ports,
    deliveries: Deliveries<QueuedCommand>,
}

/// What everything is called.
pub fn names() -> Names {
    Names {
        events: "order-events".into(),
        documents: "order-documents".into(),
        keys: "order-keys".into(),
        bus: "order".into(),
        queue: "http://sqs.local/000000000000/order".into(),
    }
}

/// A wire on which nothing happens.
pub fn calm() -> Wire {
    Wire::new(Services::new(VirtualClock::new()))
}

/// A configuration that reaches a DynamoDB of its own, empty, and whatever else over `wire`.
pub async fn config(wire: Wire) -> SdkConfig {
    let database = dynoxide::Database::memory().expect("a database opens in memory");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let address = listener.local_addr().expect("it has an address");
    tokio::spawn(dynoxide::server::serve_on(listener, database));
    let credentials = Credentials::new("test", "test", None, None, "test");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .endpoint_url(format!("http://{address}"))
        .http_client(wire.into_client())
        .build()
}

impl Place {
    /// A place whose feed is read by `feed`.
    pub async fn open(feed: Feed) -> Result<Self> {
        Self::open_with(feed, |wire| wire).await
    }

    /// The same over an altered wire.
    pub async fn open_with(feed: Feed, alter: impl FnOnce(Wire) -> Wire) -> Result<Self> {
        Self::make(feed, alter, |ports| ports).await
    }

    /// The same in `storm`, which blows from now on.
    pub async fn open_in(feed: Feed, storm: &Arc<Storm>) -> Result<Self> {
        let place = Self::open_with(feed, |wire| wire.in_weather(storm.clone())).await?;
        storm.blow();
        Ok(place)
    }

    /// The same with ports that fail for no reason that passes.
    pub async fn open_steady_in(feed: Feed, storm: &Arc<Storm>) -> Result<Self> {
        let place = Self::make(feed, |wire| wire.in_weather(storm.clone()), steady).await?;
        storm.blow();
        Ok(place)
    }

    async fn make(
        feed: Feed,
        alter: impl FnOnce(Wire) -> Wire,
        hold: impl FnOnce(Ports) -> Ports,
    ) -> Result<Self> {
        let clock = VirtualClock::new();
        let services = Services::new(clock.clone());
        let wire = alter(Wire::new(services.clone()));
        let clients = Clients::new(&config(wire).await);
        tables::create_events(&clients.dynamodb, &names().events, feed).await?;
        tables::create_documents(&clients.dynamodb, &names().documents).await?;
        tables::create_keys(&clients.dynamodb, &names().keys).await?;
        let aws = Aws::new(clients.clone(), names()).with_feed(feed);
        let aws = aws.with_clock(Arc::new(clock.clone()));
        let (deliveries, ports) = Deliveries::on(hold(aws.ports()), services.post);
        Ok(Self { clock, clients, ports, deliveries })
    }

    /// What reaches its services.
    pub fn clients(&self) -> &Clients {
        &self.clients
    }
}

#[async_trait]
impl Host for Place {
    fn ports(&self) -> Ports {
        self.ports.clone()
    }

    async fn settle(&self, runtime: &Runtime) -> Result<()> {
        for _ in 0..SETTLINGS_MAX {
            match self.deliveries.settle(runtime, async |command| Ok(command)).await {
                // A store in a storm: it is looked at again.
                Err(error) if error.is_transient() => {}
                settled => return settled,
            }
        }
        let message = format!("nothing came to rest, {SETTLINGS_MAX} times over");
        Err(Error::new(ErrorKind::Unexpected, message))
    }

    async fn spoil(&self, stream: &StreamName, first: Version) -> Result<()> {
        let s = |text: String| AttributeValue::S(text);
        for _ in 0..SETTLINGS_MAX {
            let update = self.clients.dynamodb.update_item().table_name(names().events);
            let update = update
                .key("PK", s(stream.to_string()))
                .key("SK", s(format!("{:020}", first.0)))
                .update_expression("SET B = :spoilt")
                .expression_attribute_values(":spoilt", s("{".into()));
            // A store in a storm.
            if update.send().await.is_ok() {
                return Ok(());
            }
        }
        Err(Error::new(ErrorKind::Unexpected, format!("{stream}@{first} stays as it is")))
    }

    async fn pass(&self, duration: Duration) -> Result<()> {
        self.clock.advance(duration);
        Ok(())
    }
}
