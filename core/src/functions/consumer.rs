use std::collections::{BTreeMap, VecDeque};

use crate::functions::history;
use crate::functions::parking::Standing;
use crate::ports::EventStore;
use crate::{Announced, Error, ErrorKind, EventId, RecordedEvent, Result, StreamName, Version};

/// How many events are handled between two writes of how far a consumer is.
pub(crate) const STRIDE_MAX: usize = 1_000;

/// Makes an ordered stream without gaps of what a bus delivers late, twice, or out of order.
///
/// A delivery is a doorbell: it says that a stream has reached a version. An event that is older
/// than what was handled is dropped, the next one is passed on, and a later one is a sign to read
/// the missing ones from the store. Nothing announced is left out: either it is passed on, or the
/// delivery fails and comes again.
#[derive(Debug)]
pub(crate) struct Doorbell<'a> {
    store: &'a dyn EventStore,
    stream: &'a StreamName,
    /// The version up to which events were handled, passed on or read ahead.
    reached: Version,
    /// What was announced beyond it, in order of version.
    announced: VecDeque<Announced>,
    /// What was read ahead.
    read: VecDeque<RecordedEvent>,
}

impl<'a> Doorbell<'a> {
    /// Takes what was `announced` of `stream`, which has been handled up to `reached`.
    pub(crate) fn new(
        store: &'a dyn EventStore,
        stream: &'a StreamName,
        reached: Version,
        announced: &[Announced],
    ) -> Self {
        let mut announced = announced.to_vec();
        announced.sort_by_key(Announced::version);
        Self { store, stream, reached, announced: announced.into(), read: VecDeque::new() }
    }

    /// Whether everything announced was passed on.
    pub(crate) fn is_done(&self) -> bool {
        self.announced.is_empty() && self.read.is_empty()
    }

    /// The next events to handle, in order, up to `stride` of them; none when everything announced
    /// was passed on.
    pub(crate) async fn next(&mut self, stride: usize) -> Result<Vec<RecordedEvent>> {
        self.take_delivered();
        while self.read.len() < stride && !self.announced.is_empty() {
            let missing = history::events_after(self.store, self.stream, self.reached).await;
            let missing = match missing {
                // What was read before it is handled first: the next call meets the same.
                Err(_) if !self.read.is_empty() => break,
                missing => missing?,
            };
            let Some(last) = missing.last() else {
                let (stream, reached) = (self.stream, self.reached);
                let message = format!("{stream} ends at {reached}, before what was announced");
                return Err(Error::new(ErrorKind::Unavailable, message));
            };
            self.reached = last.version;
            self.read.extend(missing);
            self.take_delivered();
        }
        let count = stride.min(self.read.len());
        Ok(self.read.drain(..count).collect())
    }

    /// Takes events as far as they continue what was reached, and drops what was reached before.
    fn take_delivered(&mut self) {
        while let Some(next) = self.announced.pop_front() {
            match next {
                old if old.version() <= self.reached => {}
                Announced::Event(event) if event.version == self.reached.next() => {
                    self.reached = event.version;
                    self.read.push_back(event);
                }
                later => {
                    self.announced.push_front(later);
                    return;
                }
            }
        }
    }
}

/// What was announced of one stream, and at which of its events the handling is.
#[derive(Debug)]
pub(crate) struct Delivery<'a> {
    pub(crate) stream: &'a StreamName,
    pub(crate) announced: &'a [Announced],
    /// Whether it waits where its stream does, as all do but those that an operator asks for.
    heeds_waiting: bool,
    /// Whether it waited.
    has_waited: bool,
    at: Version,
}

impl<'a> Delivery<'a> {
    /// What the bus delivers.
    pub(crate) fn new(stream: &'a StreamName, announced: &'a [Announced]) -> Self {
        let at = announced.iter().map(Announced::version).min().unwrap_or_default();
        Self { stream, announced, heeds_waiting: true, has_waited: false, at }
    }

    /// What an operator delivers to a consumer that waits at `event`.
    pub(crate) fn again(event: &'a EventId, announced: &'a [Announced]) -> Self {
        let (stream, at) = (&event.stream, event.version);
        Self { stream, announced, heeds_waiting: false, has_waited: false, at }
    }

    /// Everything up to `reached` was handled.
    pub(crate) fn reach(&mut self, reached: Version) {
        self.at = reached.next();
    }

    /// Begins where the consumer is. Says whether it has to wait.
    pub(crate) fn waits(&mut self, standing: Standing) -> bool {
        self.reach(standing.reached);
        self.has_waited = standing.is_waiting && self.heeds_waiting;
        self.has_waited
    }

    /// Whether something that was announced still waits.
    pub(crate) fn is_held_up(&self) -> bool {
        self.has_waited && self.announced.iter().any(|announced| announced.version() >= self.at)
    }

    /// The event that is being handled.
    pub(crate) fn at(&self) -> EventId {
        EventId { stream: self.stream.clone(), version: self.at }
    }
}

/// Sorts deliveries by stream, since each stream is handled, and may fail, on its own.
pub(crate) fn by_stream(announced: Vec<Announced>) -> BTreeMap<StreamName, Vec<Announced>> {
    let mut streams: BTreeMap<StreamName, Vec<Announced>> = BTreeMap::new();
    for announced in announced {
        streams.entry(announced.stream().clone()).or_default().push(announced);
    }
    streams
}
