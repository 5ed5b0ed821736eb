use futures::StreamExt as _;
use skyfold::adapter::{again, check_changes, check_write, guard_failed, unguarded};
use skyfold::ports::{Guard, Revision, Write};
use skyfold::{Error, ErrorKind, Payload, Result};
use uuid::Uuid;

use super::Documents;
use super::item::{Item, millis, of_write, place};
use super::revision::At;
use crate::CONCURRENT_MAX;

impl Documents {
    /// Makes each change. There is no request that changes several partitions.
    pub(super) async fn put(&self, batch: &[Write]) -> Vec<Result<Revision>> {
        if let Err(error) = check_changes(batch) {
            return batch.iter().map(|_| Err(again(&error))).collect();
        }
        let mut writes = vec![];
        for write in batch {
            writes.push(self.apply(write));
        }
        futures::stream::iter(writes).buffered(CONCURRENT_MAX).collect().await
    }

    async fn apply(&self, write: &Write) -> Result<Revision> {
        check_write(write)?;
        let written = match &write.body {
            Some(body) => self.replace(write, body).await,
            None => self.delete(write).await,
        };
        written.map_err(|error| match error.kind() {
            ErrorKind::Conflict if write.guard == Guard::None => unguarded(error),
            ErrorKind::Conflict => guard_failed(write, error),
            _ => error,
        })
    }

    /// Writes `body`, if the guard holds, to which a document that has expired is absent.
    async fn replace(&self, write: &Write, body: &Payload) -> Result<Revision> {
        let now = self.clock.now();
        let item = of_write(write, body, now);
        let (container, Item { partition, id, .. }) = (&self.container, &item);
        let etag = match &write.guard {
            Guard::None => container.upsert(partition, id, &item).await?,
            Guard::At(revision) => {
                let At { etag, .. } = self.current(revision)?;
                container.replace(partition, id, &etag, &item).await?
            }
            Guard::Absent => match container.create(partition, id, &item).await {
                Err(error) if error.kind() == ErrorKind::Conflict => {
                    let met = self.stored(&write.key).await?;
                    let expired = met.filter(|met| met.has_expired(now)).ok_or(error)?;
                    container.replace(partition, id, &expired.etag, &item).await?
                }
                created => created?,
            },
        };
        Ok(At { etag, expires: write.expires.map(millis) }.revision())
    }

    /// Deletes the document, if the guard holds.
    async fn delete(&self, write: &Write) -> Result<Revision> {
        let (partition, id) = place(&write.key);
        match &write.guard {
            Guard::None => {
                self.container.delete(&partition, &id, None).await?;
            }
            Guard::At(revision) => {
                let At { etag, .. } = self.current(revision)?;
                if !self.container.delete(&partition, &id, Some(&etag)).await? {
                    return Err(Error::new(ErrorKind::Conflict, "it is gone"));
                }
            }
            // What has expired is left to the service.
            Guard::Absent => match self.stored(&write.key).await? {
                Some(item) if !item.has_expired(self.clock.now()) => {
                    return Err(Error::new(ErrorKind::Conflict, "it is there"));
                }
                _ => {}
            },
        }
        // What is gone is at no revision: one that never was.
        Ok(Revision(Uuid::now_v7().simple().to_string()))
    }

    /// What `revision` says, unless it can be no document's now.
    fn current(&self, revision: &Revision) -> Result<At> {
        let at = At::of(revision).filter(|at| !at.has_expired(self.clock.now()));
        at.ok_or_else(|| Error::new(ErrorKind::Conflict, "no longer at it"))
    }
}
