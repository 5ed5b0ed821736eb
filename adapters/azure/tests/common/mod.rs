//! An Azure of one test: a database of its own on Microsoft's emulator of Cosmos DB, and a topic
//! and a queue that take what Event Grid and Queue Storage take, and deliver as they do.

#![allow(
    clippy::unwrap_used,
    dead_code,
    unused_imports,
    unused_macros,
    unreachable_pub,
    reason = "each of several tests uses part of it"
)]

mod delivery;
mod doorbell;
mod emulator;
mod services;
pub mod trials;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use azure_core::credentials::Secret;
use conformance::Host;
use skyfold::ports::QueuedCommand;
use skyfold::{Error, ErrorKind, Ports, Result, Runtime};
use skyfold_azure::{Access, Azure, Clients, Names};
use skyfold_memory::VirtualClock;

use self::doorbell::Doorbell;
pub use self::emulator::{client, cosmos};
use self::services::Services;

/// How many rounds a settling may take before something must be wrong.
const ROUNDS_MAX: usize = 10_000;

/// One place, which shares nothing with any other.
pub struct Place {
    clock: VirtualClock,
    azure: Azure,
    ports: Ports,
    doorbell: Arc<Doorbell>,
    services: Services,
    database: String,
}

/// What everything of `database` is called, with the services at `url`.
pub fn names(database: &str, url: &str) -> Names {
    Names {
        database: database.to_owned(),
        events: "events".into(),
        documents: "documents".into(),
        keys: "keys".into(),
        topic: format!("{url}/api/events"),
        queue: format!("{url}/commands"),
    }
}

impl Place {
    pub async fn open() -> Result<Self> {
        let (clock, database) = (VirtualClock::new(), emulator::database());
        let services = Services::new(clock.clone());
        let url = services.serve().await;
        let cosmos = client().await;
        let clients = Clients {
            keys: cosmos.clone(),
            cosmos,
            http: Clients::http()?,
            topic: Access::Key(Secret::from(services::KEY)),
            queue: Access::Signed,
        };
        let azure = Azure::open(clients, names(&database, &url)).await?;
        let azure = azure.with_clock(Arc::new(clock.clone()));
        let ports = azure.ports();
        let doorbell = Arc::new(Doorbell::new(ports.events.clone()));
        let ports = Ports { events: doorbell.clone(), ..ports };
        Ok(Self { clock, azure, ports, doorbell, services, database })
    }

    /// The database that it is.
    pub fn database(&self) -> &str {
        &self.database
    }

    /// The commands of the messages that are visible now.
    pub async fn queued(&self) -> Vec<QueuedCommand> {
        let mut commands = vec![];
        for message in self.services.due() {
            commands.push(self.azure.queued_command(&message).await.unwrap());
        }
        commands
    }
}

#[async_trait]
impl Host for Place {
    fn ports(&self) -> Ports {
        self.ports.clone()
    }

    async fn settle(&self, runtime: &Runtime) -> Result<()> {
        for _ in 0..ROUNDS_MAX {
            let relayed = delivery::relay(&self.doorbell, runtime).await?;
            let delivered = delivery::deliver(&self.azure, &self.services, runtime).await;
            if !relayed && !delivered {
                return Ok(());
            }
        }
        let message = format!("nothing came to rest in {ROUNDS_MAX} rounds");
        Err(Error::new(ErrorKind::Unexpected, message))
    }

    async fn pass(&self, duration: Duration) -> Result<()> {
        self.clock.advance(duration);
        Ok(())
    }
}
