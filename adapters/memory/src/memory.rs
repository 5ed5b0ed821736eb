use std::sync::Arc;
use std::time::Duration;

use skyfold::{DeadLetter, Ports, Result, Runtime, StreamName, Version};

use crate::broker::Broker;
use crate::bus::Bus;
use crate::chaos::Chaos;
use crate::clock::{Time, VirtualClock};
use crate::documents::Documents;
use crate::driver::Driver;
use crate::dump::{Dump, dump};
use crate::faults::{FaultCounts, Faults};
use crate::faulty::Faulty;
use crate::pending::Pending;
use crate::queue::Commands;
use crate::relay::Relay;
use crate::store::Store;
use crate::subject_keys::SubjectKeys;
use crate::wake::Wake;

/// A cloud in one process: cheap to clone, and gone with its last clone.
#[derive(Clone, Debug)]
pub struct Memory {
    store: Arc<Store>,
    documents: Arc<Documents>,
    keys: Arc<SubjectKeys>,
    broker: Arc<Broker>,
    pub(crate) driver: Arc<Driver>,
    chaos: Arc<Chaos>,
    time: Time,
}

impl Memory {
    /// An empty one that goes by the machine's clock and makes no faults.
    pub fn new() -> Self {
        Self::build(Time::System, Faults::none())
    }

    /// An empty one that goes by `clock` and makes no faults.
    pub fn with_clock(clock: VirtualClock) -> Self {
        Self::build(Time::Virtual(clock), Faults::none())
    }

    /// An empty one that goes by `clock` and makes `faults`.
    pub fn with_faults(faults: Faults, clock: VirtualClock) -> Self {
        Self::build(Time::Virtual(clock), faults)
    }

    fn build(time: Time, faults: Faults) -> Self {
        let (wake, chaos) = (Wake::new(), Arc::new(Chaos::new(faults)));
        let store = Arc::new(Store::new(wake.clone()));
        let documents = Arc::new(Documents::new(time.clone()));
        let broker = Arc::new(Broker::new(time.clone(), chaos.clone(), wake.clone()));
        let relay = Relay::new(store.clone(), broker.clone(), chaos.clone());
        let driver = Driver {
            broker: broker.clone(),
            relay,
            time: time.clone(),
            chaos: chaos.clone(),
            wake,
        };
        let keys = Arc::default();
        Self { store, documents, keys, broker, driver: Arc::new(driver), chaos, time }
    }

    /// What an app is bound to.
    pub fn ports(&self) -> Ports {
        let (store, documents, keys) =
            (self.store.clone(), self.documents.clone(), self.keys.clone());
        let bus = Arc::new(Bus(self.broker.clone()));
        let queue = Arc::new(Commands(self.broker.clone()));
        let clock = Arc::new(self.time.clone());
        if self.chaos.is_calm() {
            let (events, feed) = (store.clone(), store);
            return Ports { events, feed, documents, publisher: bus, queue, keys, clock };
        }
        Ports {
            events: self.faulty(&store),
            feed: self.faulty(&store),
            documents: self.faulty(&documents),
            publisher: self.faulty(&bus),
            queue: self.faulty(&queue),
            keys: self.faulty(&keys),
            clock,
        }
    }

    fn faulty<T>(&self, port: &Arc<T>) -> Arc<Faulty<T>> {
        Arc::new(Faulty { inner: port.clone(), chaos: self.chaos.clone() })
    }

    /// Ends all faults, from now on: what is left comes through unharmed, and what is read is
    /// current.
    pub fn calm(&self) {
        self.chaos.calm();
    }

    /// How many faults there were so far.
    pub fn fault_counts(&self) -> FaultCounts {
        self.chaos.counts()
    }

    /// What the local host did and which faults it met, the latest 100,000 lines; empty without
    /// faults.
    pub fn trace(&self) -> Vec<String> {
        self.chaos.trace()
    }

    /// Relays, delivers and works, always in the same order, until nothing is left to do now.
    /// Commands that are due later wait; see [`settle_through_time`](Self::settle_through_time).
    ///
    /// What fails is tried again at once. What fails for good becomes a
    /// [dead letter](Self::dead_letters).
    ///
    /// # Errors
    ///
    /// [`Unavailable`](skyfold::ErrorKind::Unavailable) if nothing can be finished of what is
    /// left, with the last failure; those of reading the log.
    pub async fn settle(&self, runtime: &Runtime) -> Result<()> {
        self.driver.settle(runtime).await
    }

    /// Settles, advances the clock to when the next delayed command is due, and so on, until no
    /// command is due within `limit` from now: how a test lets timeouts come.
    ///
    /// # Errors
    ///
    /// [`Invalid`](skyfold::ErrorKind::Invalid) if the clock is not a [`VirtualClock`]; those of
    /// [`settle`](Self::settle).
    pub async fn settle_through_time(&self, runtime: &Runtime, limit: Duration) -> Result<()> {
        self.driver.settle_through_time(runtime, limit).await
    }

    /// The live host: relays, delivers and runs commands as they come and become due, until it is
    /// dropped. What fails is tried again after a while; functions run side by side.
    pub fn run(&self, runtime: Runtime) -> impl Future<Output = ()> + Send + use<> {
        self.driver.clone().run(runtime)
    }

    /// How much is left to do.
    pub fn pending(&self) -> Pending {
        let dead_letters = self.documents.dead_letters().len();
        Pending { dead_letters, ..self.driver.pending() }
    }

    /// Everything that is kept, for comparing one store with another.
    ///
    /// # Errors
    ///
    /// [`Corrupt`](skyfold::ErrorKind::Corrupt) if something cannot be read.
    pub fn dump(&self) -> Result<Dump> {
        dump(&self.store, &self.documents)
    }

    /// Every text that is kept anywhere, as it is kept, the keys of subjects aside: for a search
    /// after what must not be found.
    pub fn texts(&self) -> Vec<String> {
        let texts = [self.store.texts(), self.documents.texts(), self.broker.texts(), self.trace()];
        texts.concat()
    }

    /// Spoils the commit of `stream` that begins at `first`, so that nobody can read it, as would
    /// somebody who alters the store by hand.
    ///
    /// # Errors
    ///
    /// [`NotFound`](skyfold::ErrorKind::NotFound) if there is none.
    pub fn spoil(&self, stream: &StreamName, first: Version) -> Result<()> {
        self.store.spoil(stream, first)
    }

    /// What waits for an operator since it would fail for ever, in the order of the ids.
    pub fn dead_letters(&self) -> Vec<DeadLetter> {
        self.documents.dead_letters()
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}
