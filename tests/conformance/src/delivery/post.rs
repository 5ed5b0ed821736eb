use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use skyfold::CloudEvent;
use skyfold::ports::Clock;
use time::OffsetDateTime;

/// What a bus and a queue hold of what they accepted; `M` is a message of the queue.
#[derive(Clone, Debug)]
pub struct Post<M> {
    clock: Arc<dyn Clock>,
    held: Arc<Mutex<Held<M>>>,
}

#[derive(Debug)]
struct Held<M> {
    /// What was announced, before the subscriptions.
    announced: Vec<CloudEvent>,
    /// A subscription for each function that hears.
    queues: BTreeMap<String, Vec<Delivery>>,
    /// What could not be handled, however often it was received.
    dead: Vec<(String, CloudEvent)>,
    /// Commands, and when they become visible.
    commands: Vec<(OffsetDateTime, M)>,
}

/// An event for a function.
#[derive(Clone, Debug)]
pub(super) struct Delivery {
    pub(super) event: CloudEvent,
    /// How often it was received.
    pub(super) receives: usize,
}

impl<M> Post<M> {
    /// Nothing yet; what is visible is judged by `clock`.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let (announced, dead, commands) = (vec![], vec![], vec![]);
        let held = Held { announced, queues: BTreeMap::new(), dead, commands };
        Self { clock, held: Arc::new(Mutex::new(held)) }
    }

    /// The time.
    pub fn now(&self) -> OffsetDateTime {
        self.clock.now()
    }

    /// Accepts an announcement.
    pub fn announce(&self, event: CloudEvent) {
        self.held().announced.push(event);
    }

    /// Accepts a message that becomes visible at `visible`.
    pub fn send(&self, visible: OffsetDateTime, message: M) {
        self.held().commands.push((visible, message));
    }

    /// Accepts a message that is visible at once.
    pub fn hold(&self, message: M) {
        self.send(self.now(), message);
    }

    /// The messages that are visible now; they are no longer held.
    pub fn due(&self) -> Vec<M> {
        let now = self.now();
        let mut held = self.held();
        let (due, later): (Vec<_>, Vec<_>) =
            std::mem::take(&mut held.commands).into_iter().partition(|command| command.0 <= now);
        held.commands = later;
        due.into_iter().map(|(_, message)| message).collect()
    }

    /// What was announced since the last time.
    pub(super) fn announced(&self) -> Vec<CloudEvent> {
        std::mem::take(&mut self.held().announced)
    }

    /// Brings `event` to the subscription of `function`.
    pub(super) fn enqueue(&self, function: &str, event: CloudEvent) {
        self.put_back(function, Delivery { event, receives: 1 });
    }

    pub(super) fn put_back(&self, function: &str, delivery: Delivery) {
        self.held().queues.entry(function.to_owned()).or_default().push(delivery);
    }

    pub(super) fn set_aside(&self, function: &str, event: CloudEvent) {
        self.held().dead.push((function.to_owned(), event));
    }

    /// The next events of each subscription, the newest first: none promises an order.
    pub(super) fn receive(&self, batch: usize) -> Vec<(String, Vec<Delivery>)> {
        let mut held = self.held();
        let waiting = held.queues.iter_mut().filter(|(_, queue)| !queue.is_empty());
        let take = |queue: &mut Vec<Delivery>| {
            let mut taken = queue.split_off(queue.len().saturating_sub(batch));
            taken.reverse();
            taken
        };
        waiting.map(|(function, queue)| (function.clone(), take(queue))).collect()
    }

    fn held(&self) -> MutexGuard<'_, Held<M>> {
        self.held.lock().expect("nothing panics while it holds the post")
    }
}
