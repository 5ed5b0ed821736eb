use std::fmt;
use std::sync::Arc;

use skyfold::ports::{Clock, QueuedCommand};
use skyfold::{Ports, Result};

use crate::bus::Bus;
use crate::clients::Clients;
use crate::clock::SystemClock;
use crate::cosmos::Container;
use crate::documents::Documents;
use crate::events::Events;
use crate::keys::Keys;
use crate::queue::{Commands, unsigned};

/// What the resources of one app are called. Shown, it leaves out what may be a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Names {
    /// The database of Cosmos DB, in the account of data and in that of keys.
    pub database: String,
    /// The container of events.
    pub events: String,
    /// The container of documents.
    pub documents: String,
    /// The container of the keys of personal data.
    pub keys: String,
    /// The endpoint of the topic of Event Grid:
    /// `https://order.westeurope-1.eventgrid.azure.net/api/events`.
    pub topic: String,
    /// The URL of the queue of commands: `https://order.queue.core.windows.net/commands`, with the
    /// signature as its query if it has one.
    pub queue: String,
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { database, events, documents, keys, topic, queue } = self;
        f.debug_struct("Names")
            .field("database", database)
            .field("events", events)
            .field("documents", documents)
            .field("keys", keys)
            .field("topic", topic)
            .field("queue", &unsigned(queue))
            .finish()
    }
}

/// The ports on Azure.
#[derive(Clone, Debug)]
pub struct Azure {
    events: Container,
    documents: Container,
    keys: Container,
    clients: Clients,
    names: Names,
    clock: Arc<dyn Clock>,
}

impl Azure {
    /// Those on the resources called `names`, reached by `clients`. It asks each container how it
    /// is partitioned.
    ///
    /// # Errors
    ///
    /// [`NotFound`](skyfold::ErrorKind::NotFound) if a container does not exist, and those of the
    /// service.
    pub async fn open(clients: Clients, names: Names) -> Result<Self> {
        let data = clients.cosmos.database_client(names.database.clone());
        let secrets = clients.keys.database_client(names.database.clone());
        let (events, documents, keys) = tokio::try_join!(
            Container::open(&data, &names.events),
            Container::open(&data, &names.documents),
            Container::open(&secrets, &names.keys),
        )?;
        let clock = Arc::new(SystemClock);
        Ok(Self { events, documents, keys, clients, names, clock })
    }

    /// The same by `clock`: how a test lets time pass.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// What an app is bound to.
    pub fn ports(&self) -> Ports {
        let Self { clients, names, clock, .. } = self;
        let events =
            Arc::new(Events { commits: self.events.clone(), snapshots: self.documents.clone() });
        let documents = Documents { container: self.documents.clone(), clock: clock.clone() };
        let bus = Bus {
            client: clients.http.clone(),
            endpoint: names.topic.clone(),
            access: clients.topic.clone(),
        };
        Ports {
            events: events.clone(),
            feed: events,
            documents: Arc::new(documents),
            publisher: Arc::new(bus),
            queue: Arc::new(self.commands()),
            keys: Arc::new(Keys { container: self.keys.clone() }),
            clock: clock.clone(),
        }
    }

    /// The command that a message of the queue stands for, by the text of the message as Queue
    /// Storage holds it, base64 of JSON, or as a trigger brings it that has decoded it; `None` if
    /// it was [done](Self::command_done). A command of more than 48 KiB is not in the message
    /// itself; it is read from the container of documents, which keeps it until it was done.
    ///
    /// # Errors
    ///
    /// [`Corrupt`](skyfold::ErrorKind::Corrupt) if it is no command,
    /// [`NotFound`](skyfold::ErrorKind::NotFound) if the command is no longer kept, and those of
    /// the service.
    pub async fn queued_command(&self, message: &str) -> Result<Option<QueuedCommand>> {
        self.commands().open(message).await
    }

    /// Notes that the command of a message was done, before the message is deleted. One of more
    /// than 48 KiB is kept no longer; for 30 days it is known that it was done. For any other this
    /// asks for nothing.
    ///
    /// # Errors
    ///
    /// [`Corrupt`](skyfold::ErrorKind::Corrupt) if it is no command, and those of the service.
    pub async fn command_done(&self, message: &str) -> Result<()> {
        self.commands().close(message).await
    }

    pub(crate) fn commands(&self) -> Commands {
        Commands {
            client: self.clients.http.clone(),
            url: self.names.queue.clone(),
            access: self.clients.queue.clone(),
            container: self.documents.clone(),
            clock: self.clock.clone(),
        }
    }
}
