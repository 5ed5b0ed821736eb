use async_trait::async_trait;
use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::primitives::DateTime;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use futures::StreamExt as _;
use skyfold::adapter::{again, requests, too_many};
use skyfold::limits::{COMMIT_EVENTS_MAX, PAGE_ITEMS_MAX};
use skyfold::ports::Publisher;
use skyfold::{CloudEvent, Error, ErrorKind, Result};

use crate::batches::{CONCURRENT_MAX, ENTRIES_MAX, as_message, unmentioned};
use crate::errors::{entry_failed, failed, located};

/// How many bytes an entry, and all entries of a request, may have. EventBridge has said 1 MB since
/// January 2026, and still says 256 KB in places ("Amazon EventBridge quotas"): the less is safe.
pub(crate) const REQUEST_BYTES_MAX: usize = 256 * 1024;

/// How many bytes the time of an entry counts as ("Calculating PutEvents event entry size").
const TIME_BYTES: usize = 14;

/// How many announcements one batch may have.
const BATCH_MAX: usize = PAGE_ITEMS_MAX * COMMIT_EVENTS_MAX;

/// An event bus of EventBridge.
#[derive(Clone, Debug)]
pub(crate) struct Bus {
    pub(crate) client: Client,
    pub(crate) bus: String,
}

/// An event as an entry.
struct Entry {
    source: String,
    detail_type: String,
    detail: String,
    time: DateTime,
}

impl Entry {
    /// `event`, by reference if it is larger than the bus carries.
    fn of(event: &CloudEvent) -> Result<Self> {
        let entry = Self::with_data(event)?;
        if entry.bytes() <= REQUEST_BYTES_MAX {
            return Ok(entry);
        }
        Self::with_data(&event.clone().by_reference())
    }

    fn with_data(event: &CloudEvent) -> Result<Self> {
        let detail = serde_json::to_string(event).map_err(|error| {
            let message = format!("the announcement of {} has no JSON form", event.id);
            Error::new(ErrorKind::Invalid, message).with_source(error)
        })?;
        Ok(Self {
            source: event.source.trim_start_matches('/').to_owned(),
            detail_type: event.event_type.clone(),
            detail: as_message(detail),
            time: DateTime::from_secs(event.time.unix_timestamp()),
        })
    }

    /// How many bytes it counts as.
    fn bytes(&self) -> usize {
        TIME_BYTES + self.source.len() + self.detail_type.len() + self.detail.len()
    }
}

impl Bus {
    /// Makes one request of at most ten entries.
    async fn put(&self, entries: &[Entry]) -> Vec<Result<()>> {
        let what = located("the event bus", &self.bus, self.client.config().region());
        let entry = |entry: &Entry| {
            PutEventsRequestEntry::builder()
                .event_bus_name(&self.bus)
                .source(&entry.source)
                .detail_type(&entry.detail_type)
                .detail(&entry.detail)
                .time(entry.time)
                .build()
        };
        let request = entries.iter().map(entry).collect();
        let answer = match self.client.put_events().set_entries(Some(request)).send().await {
            Ok(answer) => answer.entries.unwrap_or_default(),
            Err(error) => {
                let error = failed(&what, error);
                return entries.iter().map(|_| Err(again(&error))).collect();
            }
        };
        let outcome = |nth: usize| match answer.get(nth) {
            None => Err(unmentioned(&what)),
            Some(entry) if entry.error_code.is_none() => Ok(()),
            Some(entry) => Err(entry_failed(&what, entry.error_code(), entry.error_message())),
        };
        (0..entries.len()).map(outcome).collect()
    }
}

#[async_trait]
impl Publisher for Bus {
    async fn publish(&self, batch: &[CloudEvent]) -> Vec<Result<()>> {
        let count = batch.len();
        if count > BATCH_MAX {
            let refused = |_| Err(too_many("announcements", count, BATCH_MAX));
            return batch.iter().map(refused).collect();
        }
        let (mut outcomes, mut entries, mut places) = (vec![], vec![], vec![]);
        for (nth, event) in batch.iter().enumerate() {
            outcomes.push(Entry::of(event).map(|entry| {
                entries.push(entry);
                places.push(nth);
            }));
        }
        let sizes: Vec<_> = entries.iter().map(Entry::bytes).collect();
        let requests = requests(&sizes, ENTRIES_MAX, REQUEST_BYTES_MAX).into_iter();
        let puts = requests.map(|request| self.put(&entries[request]));
        let answers: Vec<_> = futures::stream::iter(puts).buffered(CONCURRENT_MAX).collect().await;
        for (place, outcome) in places.into_iter().zip(answers.into_iter().flatten()) {
            outcomes[place] = outcome;
        }
        outcomes
    }
}
