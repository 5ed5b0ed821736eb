use std::collections::{BTreeMap, VecDeque};

use crate::functions::history;
use crate::ports::EventStore;
use crate::{Announced, Error, ErrorKind, RecordedEvent, Result, StreamName, Version};

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
    /// The version up to which events were handled or passed on.
    reached: Version,
    /// What was announced beyond it, in order of version.
    announced: VecDeque<Announced>,
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
        Self { store, stream, reached, announced: announced.into() }
    }

    /// Whether everything announced was passed on.
    pub(crate) fn is_done(&self) -> bool {
        self.announced.is_empty()
    }

    /// The next events to handle, in order; none when everything announced was passed on. About
    /// [`STRIDE_MAX`] at most.
    pub(crate) async fn next(&mut self) -> Result<Vec<RecordedEvent>> {
        let mut due = self.take_delivered();
        while due.len() < STRIDE_MAX && !self.announced.is_empty() {
            let missing = history::events_after(self.store, self.stream, self.reached).await?;
            let Some(last) = missing.last() else {
                let (stream, reached) = (self.stream, self.reached);
                let message =
                    format!("{stream} ends at {reached}, before what was announced of it");
                return Err(Error::new(ErrorKind::Unavailable, message));
            };
            self.reached = last.version;
            due.extend(missing);
            due.extend(self.take_delivered());
        }
        Ok(due)
    }

    /// Takes events as far as they continue what was reached, and drops what was reached before.
    fn take_delivered(&mut self) -> Vec<RecordedEvent> {
        let mut due = vec![];
        while let Some(next) = self.announced.front() {
            if next.version() <= self.reached {
                self.announced.pop_front();
                continue;
            }
            match next {
                Announced::Event(event) if event.version == self.reached.next() => {
                    self.reached = event.version;
                    due.push(event.clone());
                    self.announced.pop_front();
                }
                _ => break,
            }
        }
        due
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
