use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use futures::StreamExt as _;
use skyfold::adapter::{again, check_command, requests, too_many};
use skyfold::limits::BATCH_COMMANDS_MAX;
use skyfold::ports::{Clock, Queue, QueuedCommand};
use skyfold::{Error, ErrorKind, Result};
use time::OffsetDateTime;

use crate::batches::{CONCURRENT_MAX, ENTRIES_MAX, as_message, unmentioned};
use crate::errors::{entry_failed, failed, located};

/// How many bytes a message, and all messages of a request, may have: 1 MiB ("Amazon SQS message
/// quotas").
const REQUEST_BYTES_MAX: usize = 1024 * 1024;

/// How many seconds a message can be held back: 15 minutes ("Amazon SQS delay queues"). A command
/// that is due later is delivered early, and sent once more.
const DELAY_SECONDS_MAX: i32 = 15 * 60;

/// A standard queue of SQS.
#[derive(Clone, Debug)]
pub(crate) struct Commands {
    pub(crate) client: Client,
    pub(crate) url: String,
    pub(crate) clock: Arc<dyn Clock>,
}

/// A command as a message.
struct Message {
    body: String,
    delay: i32,
}

impl Message {
    fn of(command: &QueuedCommand, now: OffsetDateTime) -> Result<Self> {
        check_command(command)?;
        let body = serde_json::to_string(command).map_err(|error| {
            let message = format!("the command {} has no JSON form", command.request.id);
            Error::new(ErrorKind::Invalid, message).with_source(error)
        })?;
        let delay = command.due.map_or(0, |due| delay(due, now));
        Ok(Self { body: as_message(body), delay })
    }
}

/// How many seconds a command that is `due` can be held back `now`: whole ones, and rather one
/// more than too few.
fn delay(due: OffsetDateTime, now: OffsetDateTime) -> i32 {
    let seconds = (due - now).as_seconds_f64().ceil();
    // Between 0 and 900, so that nothing is cut off.
    seconds.clamp(0.0, f64::from(DELAY_SECONDS_MAX)) as i32
}

impl Commands {
    /// Makes one request of at most ten messages.
    async fn send_request(&self, messages: &[Message]) -> Vec<Result<()>> {
        let what = located("the queue", &self.url, self.client.config().region());
        let send = self.client.send_message_batch().queue_url(&self.url);
        let answer = match self.entries(messages) {
            Ok(entries) => send.set_entries(Some(entries)).send().await,
            Err(error) => return messages.iter().map(|_| Err(again(&error))).collect(),
        };
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                let error = failed(&what, error);
                return messages.iter().map(|_| Err(again(&error))).collect();
            }
        };
        let outcome = |nth: usize| {
            let id = nth.to_string();
            if answer.successful.iter().any(|entry| entry.id == id) {
                return Ok(());
            }
            match answer.failed.iter().find(|entry| entry.id == id) {
                None => Err(unmentioned(&what)),
                Some(entry) => Err(entry_failed(&what, Some(&entry.code), entry.message())),
            }
        };
        (0..messages.len()).map(outcome).collect()
    }

    fn entries(&self, messages: &[Message]) -> Result<Vec<SendMessageBatchRequestEntry>> {
        let entry = |(nth, message): (usize, &Message)| {
            SendMessageBatchRequestEntry::builder()
                .id(nth.to_string())
                .message_body(&message.body)
                .delay_seconds(message.delay)
                .build()
                .map_err(|error| {
                    Error::new(ErrorKind::Unexpected, "no request for a message").with_source(error)
                })
        };
        messages.iter().enumerate().map(entry).collect()
    }
}

#[async_trait]
impl Queue for Commands {
    async fn send(&self, batch: &[QueuedCommand]) -> Vec<Result<()>> {
        let count = batch.len();
        if count > BATCH_COMMANDS_MAX {
            let refused = |_| Err(too_many("commands", count, BATCH_COMMANDS_MAX));
            return batch.iter().map(refused).collect();
        }
        let now = self.clock.now();
        let (mut outcomes, mut messages, mut places) = (vec![], vec![], vec![]);
        for (nth, command) in batch.iter().enumerate() {
            outcomes.push(Message::of(command, now).map(|message| {
                messages.push(message);
                places.push(nth);
            }));
        }
        let sizes: Vec<_> = messages.iter().map(|message| message.body.len()).collect();
        let requests = requests(&sizes, ENTRIES_MAX, REQUEST_BYTES_MAX).into_iter();
        let sends = requests.map(|request| self.send_request(&messages[request]));
        let answers: Vec<_> = futures::stream::iter(sends).buffered(CONCURRENT_MAX).collect().await;
        for (place, outcome) in places.into_iter().zip(answers.into_iter().flatten()) {
            outcomes[place] = outcome;
        }
        outcomes
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_command_is_held_back_in_whole_seconds_for_a_quarter_of_an_hour_at_most() {
        let now = datetime!(2010-12-01 08:26 UTC);
        let held = |millis: i64| delay(now + time::Duration::milliseconds(millis), now);
        assert_eq!([held(-5_000), held(0), held(1), held(1_000), held(1_001)], [0, 0, 1, 1, 2]);
        assert_eq!([held(900_000), held(900_001), held(i64::from(i32::MAX))], [900; 3]);
    }
}
