use prost_types::Timestamp;
use skyfold::adapter::{again, check_changes, check_write, guard_failed, unguarded};
use skyfold::ports::{Guard, Revision, Write};
use skyfold::{Error, ErrorKind, Result};
use uuid::Uuid;

use super::Documents;
use super::item::{has_expired, millis, of_write, path};
use super::revision::At;
use crate::firestore::{self, Guarded as _, delete, replace};

impl Documents {
    /// Makes each change, all of them in one request if they fit. What must be absent and is there,
    /// though it has expired, is written in a second one, over what has expired.
    pub(super) async fn put(&self, batch: &[Write]) -> Vec<Result<Revision>> {
        if let Err(error) = check_changes(batch) {
            return batch.iter().map(|_| Err(again(&error))).collect();
        }
        let (mut outcomes, mut writes) = (vec![], vec![]);
        for (nth, write) in batch.iter().enumerate() {
            outcomes.push(self.guarded(write).map(|guarded| writes.push((nth, guarded))));
        }
        let mut written = self.apply(batch, writes).await;
        self.apply_over_expired(batch, &mut written).await;
        let mut written = written.into_iter();
        let answered = outcomes.into_iter().map(|outcome| match outcome {
            Ok(()) => written.next().map_or_else(|| Err(unmade()), |(_, outcome)| outcome),
            Err(error) => Err(error),
        });
        answered.collect()
    }

    /// Makes `writes`, each of the `nth` of `batch`.
    async fn apply(
        &self,
        batch: &[Write],
        writes: Vec<(usize, firestore::Write)>,
    ) -> Vec<(usize, Result<Revision>)> {
        let (places, writes): (Vec<_>, Vec<_>) = writes.into_iter().unzip();
        let outcomes = self.database.write(writes).await;
        let outcome = |(nth, outcome): (usize, Result<Option<Timestamp>>)| {
            (nth, outcome.map_err(|e| refused(&batch[nth], e)).map(|t| revision(&batch[nth], t)))
        };
        places.into_iter().zip(outcomes).map(outcome).collect()
    }

    /// Makes those of `written` again, if any, that met a document which has expired.
    async fn apply_over_expired(&self, batch: &[Write], written: &mut [(usize, Result<Revision>)]) {
        let is_conflict = |outcome: &Result<Revision>| {
            outcome.as_ref().is_err_and(|error| error.kind() == ErrorKind::Conflict)
        };
        let mut met = vec![];
        for (place, (nth, outcome)) in written.iter().enumerate() {
            if batch[*nth].guard == Guard::Absent && is_conflict(outcome) {
                met.push(place);
            }
        }
        // What cannot be read now stays the conflict that it is: the caller reads it again.
        let keys = met.iter().map(|place| &batch[written[*place].0].key);
        let Ok(stored) = self.stored(keys).await else { return };
        let now = self.clock.now();
        let (mut places, mut writes) = (vec![], vec![]);
        for place in met {
            let nth = written[place].0;
            let found = stored.get(&self.database.at(&path(&batch[nth].key)));
            let expired = found.filter(|found| has_expired(found, now).unwrap_or(false));
            if let Some(time) = expired.and_then(|found| found.update_time) {
                places.push(place);
                writes.push((nth, self.free(&batch[nth]).if_at(time)));
            }
        }
        for (place, outcome) in places.into_iter().zip(self.apply(batch, writes).await) {
            written[place] = outcome;
        }
    }

    /// `write` as the service takes it, with its guard: to which one that has expired is absent.
    fn guarded(&self, write: &Write) -> Result<firestore::Write> {
        check_write(write)?;
        match &write.guard {
            Guard::None => Ok(self.free(write)),
            Guard::Absent => Ok(self.free(write).if_absent()),
            Guard::At(revision) => {
                let at = At::of(revision).filter(|at| !at.has_expired(self.clock.now()));
                let at = at.ok_or_else(|| Error::new(ErrorKind::Conflict, "no longer at it"));
                Ok(self.free(write).if_at(at.map_err(|error| refused(write, error))?.time))
            }
        }
    }

    /// The same without its guard.
    fn free(&self, write: &Write) -> firestore::Write {
        let name = self.database.at(&path(&write.key));
        match &write.body {
            Some(body) => replace(name, of_write(write, body)),
            None => delete(name),
        }
    }
}

/// The revision of what `write` left, changed at `time`.
fn revision(write: &Write, time: Option<Timestamp>) -> Revision {
    match time {
        Some(time) if write.body.is_some() => {
            At { time, expires: write.expires.map(millis) }.revision()
        }
        // What is gone is at no revision: one that never was.
        _ => Revision(Uuid::now_v7().simple().to_string()),
    }
}

/// What `error` means for `write`: of a guard, that it failed.
fn refused(write: &Write, error: Error) -> Error {
    let is_missing = error.kind() == ErrorKind::NotFound && matches!(write.guard, Guard::At(_));
    match error.kind() {
        _ if write.guard == Guard::None => unguarded(error),
        ErrorKind::Conflict => guard_failed(write, error),
        ErrorKind::NotFound if is_missing && !is_of_the_database(&error) => {
            guard_failed(write, error)
        }
        _ => error,
    }
}

/// Whether it is the database itself that was not found.
fn is_of_the_database(error: &Error) -> bool {
    error.to_string().contains("does not exist for project")
}

fn unmade() -> Error {
    Error::new(ErrorKind::Unavailable, "this write has no outcome")
}
