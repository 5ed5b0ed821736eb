use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::{Error, ErrorKind, Result, Runtime, SagaInstance, StreamName, Version};

/// How soon a transaction is looked at again.
const WAIT_MIN: Duration = Duration::from_secs(5);

/// How late it is looked at again: so rarely that a year of looks fits into the history of an
/// execution, of 25,000 entries in Step Functions ("Step Functions service quotas").
const WAIT_MAX: Duration = Duration::from_secs(6 * 60 * 60);

/// The question of a state machine, or a workflow, how a transaction is getting on. It changes
/// nothing, so that it may be asked by any number of executions, at any time, and again.
#[derive(Debug, Deserialize)]
pub struct Watch {
    /// The stream of the transaction: `saga.fulfilment-1000`.
    transaction: StreamName,
}

/// How it is. Its state is not told: what a cloud keeps of an execution nobody could forget.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Seen {
    has_ended: bool,
    version: Version,
    /// When to look again: after as long as nothing has happened.
    wait_seconds: u64,
}

impl Watch {
    /// Looks at a transaction of the saga `name`.
    ///
    /// # Errors
    ///
    /// [`Invalid`](ErrorKind::Invalid) if it is none of that saga,
    /// [`NotFound`](ErrorKind::NotFound) if nothing is known of it.
    pub async fn look(self, runtime: &Runtime, name: &str) -> Result<Seen> {
        let stream = self.transaction;
        if stream.saga() != Some(name) {
            let message = format!("{stream} is no transaction of {name}");
            return Err(Error::new(ErrorKind::Invalid, message));
        }
        let SagaInstance { has_ended, version, time, .. } =
            runtime.sagas().show(name, &stream.id()).await?;
        let Some(time) = time else {
            let message = format!("{name} knows no transaction {}", stream.id());
            return Err(Error::new(ErrorKind::NotFound, message));
        };
        let wait_seconds = wait(runtime.ports().clock.now(), time).as_secs();
        Ok(Seen { has_ended, version, wait_seconds })
    }
}

/// When to look again, `now` that nothing has happened since `time`.
fn wait(now: OffsetDateTime, time: OffsetDateTime) -> Duration {
    let quiet = Duration::try_from(now - time).unwrap_or_default();
    quiet.clamp(WAIT_MIN, WAIT_MAX)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn the_longer_a_transaction_is_quiet_the_rarer_it_is_looked_at() {
        let now = datetime!(2010-12-01 08:26 UTC);
        let waits = [-9, 0, 5, 90, 3_600, 86_400]
            .map(|quiet| wait(now, now - time::Duration::seconds(quiet)).as_secs());
        assert_eq!(waits, [5, 5, 5, 90, 3_600, 21_600]);
    }
}
