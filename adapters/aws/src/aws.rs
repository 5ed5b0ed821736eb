use std::sync::Arc;

use skyfold::Ports;
use skyfold::ports::Clock;

use crate::bus::Bus;
use crate::clients::Clients;
use crate::clock::SystemClock;
use crate::documents::Documents;
use crate::events::{Events, Feed};
use crate::keys::Keys;
use crate::queue::Commands;

/// What the resources of one app are called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// The table of events.
    pub events: String,
    /// The table of documents.
    pub documents: String,
    /// The table of the keys of personal data.
    pub keys: String,
    /// The event bus: its name or its ARN.
    pub bus: String,
    /// The URL of the queue of commands.
    pub queue: String,
}

/// The ports on AWS.
#[derive(Clone, Debug)]
pub struct Aws {
    clients: Clients,
    names: Names,
    feed: Feed,
    clock: Arc<dyn Clock>,
}

impl Aws {
    /// Those on the resources called `names`, reached by `clients`.
    pub fn new(clients: Clients, names: Names) -> Self {
        Self { clients, names, feed: Feed::default(), clock: Arc::new(SystemClock) }
    }

    /// The same with the feed read by `feed`.
    #[must_use]
    pub fn with_feed(self, feed: Feed) -> Self {
        Self { feed, ..self }
    }

    /// The same by `clock`: how a test lets time pass.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// What an app is bound to.
    pub fn ports(&self) -> Ports {
        let Self { clients, names, feed, clock } = self;
        let events = Arc::new(Events {
            client: clients.dynamodb.clone(),
            table: names.events.clone(),
            feed: *feed,
            clock: clock.clone(),
        });
        let documents = Documents {
            client: clients.dynamodb.clone(),
            table: names.documents.clone(),
            clock: clock.clone(),
        };
        let bus = Bus { client: clients.eventbridge.clone(), bus: names.bus.clone() };
        let queue = Commands {
            client: clients.sqs.clone(),
            url: names.queue.clone(),
            clock: clock.clone(),
        };
        let keys = Keys { client: clients.dynamodb.clone(), table: names.keys.clone() };
        Ports {
            events: events.clone(),
            feed: events,
            documents: Arc::new(documents),
            publisher: Arc::new(bus),
            queue: Arc::new(queue),
            keys: Arc::new(keys),
            clock: clock.clone(),
        }
    }
}
