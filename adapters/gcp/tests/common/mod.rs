//! A Google Cloud of one test: a project of its own on Google's emulator of Firestore, and a topic
//! and a queue that take what Pub/Sub and Cloud Tasks take, and deliver as they do.

#![allow(
    clippy::unwrap_used,
    dead_code,
    unused_imports,
    unused_macros,
    unreachable_pub,
    reason = "each of several tests uses part of it"
)]

mod emulator;
pub mod frames;
mod indexed;
mod services;
pub mod trials;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use conformance::Host;
use conformance::delivery::Deliveries;
use googleapis_tonic_google_firestore_v1::google::firestore::v1;
use skyfold::ports::QueuedCommand;
use skyfold::{Ports, Result, Runtime, StreamName, Version};
use skyfold_gcp::{Clients, Gcp, Names, Target, Wire};
use skyfold_memory::VirtualClock;
use tonic::Request;
use v1::firestore_client::FirestoreClient;
use v1::value::ValueType;

pub use self::emulator::{answering, firestore, project, pubsub, start};
pub use self::services::{IMMEDIATE, Services};
pub use self::wire::{Answer, Line, Weather};

/// One place, which shares nothing with any other.
pub struct Place {
    clock: VirtualClock,
    project: String,
    ports: Ports,
    deliveries: Deliveries<QueuedCommand>,
}

/// What everything of `project` is called.
pub fn names(project: &str) -> Names {
    Names {
        database: format!("projects/{project}/databases/(default)"),
        keys: format!("projects/{project}/databases/keys"),
        topic: "projects/order/topics/order".into(),
        immediate: None,
        queue: "projects/order/locations/europe-west3/queues/order".into(),
        target: Target { url: "http://order.local/commands".into(), account: None },
    }
}

/// Services of which nothing is asked.
pub fn calm() -> Services {
    Services::new(VirtualClock::new())
}

impl Place {
    pub async fn open() -> Result<Self> {
        Self::open_with(|line| line).await
    }

    /// The same over an altered line.
    pub async fn open_with(alter: impl FnOnce(Line) -> Line) -> Result<Self> {
        let (clock, project) = (VirtualClock::new(), project());
        let services = Services::new(clock.clone());
        let line = alter(Line::new(Wire::to(&firestore().await)?, services.clone()));
        let wire = Wire::new(line);
        let clients = Clients { firestore: wire.clone(), pubsub: wire.clone(), tasks: wire };
        let gcp = Gcp::new(clients, names(&project)).with_clock(Arc::new(clock.clone()));
        let (deliveries, ports) = Deliveries::on(gcp.ports(), services.post);
        Ok(Self { clock, project, ports, deliveries })
    }

    /// The project that it is.
    pub fn project(&self) -> &str {
        &self.project
    }
}

#[async_trait]
impl Host for Place {
    fn ports(&self) -> Ports {
        self.ports.clone()
    }

    async fn settle(&self, runtime: &Runtime) -> Result<()> {
        self.deliveries.settle(runtime, async |command| Ok(command)).await
    }

    async fn spoil(&self, stream: &StreamName, first: Version) -> Result<()> {
        let database = names(&self.project).database;
        let name = format!("{database}/documents/streams/{stream}/commits/{:020}", first.0);
        let spoilt = v1::Value { value_type: Some(ValueType::StringValue("{".into())) };
        let fields = [("b".to_owned(), spoilt)].into();
        let mut request = Request::new(v1::UpdateDocumentRequest {
            document: Some(v1::Document { name, fields, ..Default::default() }),
            update_mask: Some(v1::DocumentMask { field_paths: vec!["b".into()] }),
            ..Default::default()
        });
        request.metadata_mut().insert("authorization", "Bearer owner".parse().unwrap());
        let mut client = FirestoreClient::new(Wire::to(&firestore().await)?);
        client.update_document(request).await.unwrap();
        Ok(())
    }

    async fn pass(&self, duration: Duration) -> Result<()> {
        self.clock.advance(duration);
        Ok(())
    }
}
