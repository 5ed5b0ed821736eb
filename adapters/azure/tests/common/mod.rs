//! An Azure of one test: a database of its own on Microsoft's emulator of Cosmos DB, and a topic
//! and a queue that take what Event Grid and Queue Storage take, and deliver as they do. What is
//! put into the queue passes through Microsoft's emulator of Queue Storage.

#![allow(
    clippy::unwrap_used,
    dead_code,
    unused_imports,
    unused_macros,
    unreachable_pub,
    reason = "each of several tests uses part of it"
)]

mod emulator;
mod queue;
mod services;
pub mod trials;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use azure_core::credentials::Secret;
use conformance::Host;
use conformance::delivery::{Deliveries, Post};
use conformance::domain::Command;
use conformance::faults::steady;
use serde_json::json;
use skyfold::ports::QueuedCommand;
use skyfold::{
    CommandId, CommandRequest, Error, ErrorKind, Payload, Ports, Receipt, Reply, Result, Runtime,
    StreamId, StreamName, Trigger, Version,
};
use skyfold_azure::{Access, Azure, Clients};
use skyfold_memory::VirtualClock;

pub use self::emulator::{
    LAGGING, azurite, client, client_near, cosmos, database, environment, names,
};
use self::services::Services;

/// How often a settling may be begun again before something must be wrong.
const SETTLINGS_MAX: usize = 10_000;

/// One place, which shares nothing with any other.
pub struct Place {
    clock: VirtualClock,
    azure: Azure,
    ports: Ports,
    post: Post<String>,
    deliveries: Deliveries<String>,
    database: String,
}

impl Place {
    pub async fn open() -> Result<Self> {
        Self::make(|ports| ports).await
    }

    /// The same in the storm that follows from `seed`, with ports that fail for no reason that
    /// passes.
    pub async fn open_steady_in(seed: u64) -> Result<Self> {
        let place = Self::make(steady).await?;
        cosmos().storm(&place.database, seed).unwrap();
        Ok(place)
    }

    async fn make(hold: impl FnOnce(Ports) -> Ports) -> Result<Self> {
        let (clock, database) = (VirtualClock::new(), emulator::database());
        let services = Services::new(clock.clone(), &database);
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
        let post = services.post;
        let (deliveries, ports) = Deliveries::on(hold(azure.ports()), post.clone());
        Ok(Self { clock, azure, ports, post, deliveries, database })
    }

    /// The database that it is.
    pub fn database(&self) -> &str {
        &self.database
    }

    /// Gives the account 1 of `runtime` a command.
    pub async fn give(&self, runtime: &Runtime, command: &Command) -> Receipt {
        let request = CommandRequest {
            stream: StreamId::new("1").unwrap(),
            id: CommandId::fresh(runtime.now()),
            command: Payload::encode(command).unwrap(),
            expected: None,
            metadata: Default::default(),
        };
        match runtime.invoke("account", Trigger::Command(request)).await.unwrap() {
            Reply::Accepted(receipt) => receipt,
            reply => panic!("{reply:?}"),
        }
    }

    /// The ports as they are.
    pub fn azure(&self) -> &Azure {
        &self.azure
    }

    /// The messages that are visible now, which it then has no more.
    pub fn messages(&self) -> Vec<String> {
        self.post.due()
    }

    /// The commands of the messages that are visible now.
    pub async fn queued(&self) -> Vec<QueuedCommand> {
        let mut commands = vec![];
        for message in self.messages() {
            commands.extend(self.azure.queued_command(&message).await.unwrap());
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
        let open = |message: String| async move {
            let opened = self.azure.queued_command(&message).await?;
            opened.ok_or_else(|| Error::new(ErrorKind::Unexpected, "nothing is done by itself"))
        };
        for _ in 0..SETTLINGS_MAX {
            match self.deliveries.settle(runtime, open).await {
                // A store in a storm: it is looked at again.
                Err(error) if error.is_transient() => {}
                settled => return settled,
            }
        }
        let message = format!("nothing came to rest, {SETTLINGS_MAX} times over");
        Err(Error::new(ErrorKind::Unexpected, message))
    }

    async fn spoil(&self, stream: &StreamName, first: Version) -> Result<()> {
        let database = client().await.database_client(&self.database);
        let container = database.container_client(names("", "").events, None).await.unwrap();
        let id = format!("{:020}", first.0);
        // Half of a commit, or an item that somebody has made without one.
        let item = match first.0 % 2 {
            0 => json!({ "id": id, "s": stream, "b": "{", "t": "" }),
            _ => json!({ "id": id, "s": stream }),
        };
        for _ in 0..SETTLINGS_MAX {
            let replace = container.replace_item(stream.to_string(), &id, &item, None);
            // A store in a storm.
            if replace.await.is_ok() {
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
