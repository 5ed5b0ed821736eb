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
use skyfold::ports::QueuedCommand;
use skyfold::{Ports, Result, Runtime};
use skyfold_gcp::{Clients, Gcp, Names, Target, Wire};
use skyfold_memory::VirtualClock;

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

    async fn pass(&self, duration: Duration) -> Result<()> {
        self.clock.advance(duration);
        Ok(())
    }
}
