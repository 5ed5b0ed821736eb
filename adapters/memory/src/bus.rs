use std::sync::Arc;

use async_trait::async_trait;
use skyfold::adapter::too_many;
use skyfold::limits::{COMMIT_EVENTS_MAX, PAGE_ITEMS_MAX};
use skyfold::ports::Publisher;
use skyfold::{CloudEvent, Error, ErrorKind, Result};

use crate::broker::Broker;
use crate::inbox::Announcement;

/// How many bytes an envelope may have that carries its event: 64 KiB, what Event Grid counts as
/// one operation, and little enough that both ways of announcing are taken on memory.
const ENVELOPE_BYTES_MAX: usize = 64 * 1024;

/// How many announcements one batch may have.
const BATCH_MAX: usize = PAGE_ITEMS_MAX * COMMIT_EVENTS_MAX;

/// The bus of one process.
#[derive(Clone, Debug)]
pub(crate) struct Bus(pub(crate) Arc<Broker>);

impl Bus {
    pub(crate) fn announce(&self, batch: &[CloudEvent]) -> Vec<Result<()>> {
        let count = batch.len();
        if count > BATCH_MAX {
            let refused = |_| Err(too_many("announcements", count, BATCH_MAX));
            return batch.iter().map(refused).collect();
        }
        let announce = |event: &CloudEvent| self.0.announce(enclose(event)?);
        batch.iter().map(announce).collect()
    }
}

/// The announcement of `event`, by reference if it is too large to travel.
fn enclose(event: &CloudEvent) -> Result<Announcement> {
    let encode = |event: &CloudEvent| {
        serde_json::to_string(event).map_err(|error| {
            let message = format!("the announcement of {} has no JSON form", event.id);
            Error::new(ErrorKind::Invalid, message).with_source(error)
        })
    };
    let mut envelope = encode(event)?;
    if envelope.len() > ENVELOPE_BYTES_MAX {
        envelope = encode(&event.clone().by_reference())?;
    }
    Ok(Announcement { id: event.id.clone(), envelope: envelope.into() })
}

#[async_trait]
impl Publisher for Bus {
    async fn publish(&self, batch: &[CloudEvent]) -> Vec<Result<()>> {
        self.announce(batch)
    }
}
