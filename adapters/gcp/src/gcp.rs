use std::sync::Arc;

use skyfold::Ports;
use skyfold::ports::Clock;

use crate::bus::Bus;
use crate::clients::Clients;
use crate::clock::SystemClock;
use crate::documents::Documents;
use crate::events::Events;
use crate::firestore::Database;
use crate::keys::Keys;
use crate::queue::{Commands, Target, TaskQueue};
use crate::topic::Topic;

/// What the resources of one app are called, each by its full name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// The database of streams and documents: `projects/order/databases/(default)`. It is this
    /// app's alone.
    pub database: String,
    /// The database of the keys of personal data: `projects/order/databases/keys`.
    pub keys: String,
    /// The topic of events: `projects/order/topics/order`.
    pub topic: String,
    /// The topic of commands that are to run at once: `projects/order/topics/order-commands`. It
    /// takes a hundred of them in one request, where a queue takes each in its own, and as many a
    /// second as there are; without one they are tasks as well.
    pub immediate: Option<String>,
    /// The queue of commands: `projects/order/locations/europe-west3/queues/order`.
    pub queue: String,
    /// Where it delivers them.
    pub target: Target,
}

/// The ports on Google Cloud.
#[derive(Clone, Debug)]
pub struct Gcp {
    clients: Clients,
    names: Names,
    clock: Arc<dyn Clock>,
}

impl Gcp {
    /// Those on the resources called `names`, reached by `clients`.
    pub fn new(clients: Clients, names: Names) -> Self {
        Self { clients, names, clock: Arc::new(SystemClock) }
    }

    /// The same by `clock`: how a test lets time pass.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// What an app is bound to.
    pub fn ports(&self) -> Ports {
        let Self { clients, names, clock } = self;
        let database = Database::new(clients.firestore.clone(), &names.database);
        let events = Events { database: database.clone(), clock: clock.clone() };
        let events = Arc::new(events);
        let documents = Documents { database, clock: clock.clone() };
        let keys = Keys { database: Database::new(clients.firestore.clone(), &names.keys) };
        let topic = |name: &String| Topic::new(clients.pubsub.clone(), name);
        let bus = Bus { topic: topic(&names.topic) };
        let queue = Commands {
            queue: TaskQueue::new(clients.tasks.clone(), &names.queue, names.target.clone()),
            topic: names.immediate.as_ref().map(topic),
            clock: clock.clone(),
        };
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
