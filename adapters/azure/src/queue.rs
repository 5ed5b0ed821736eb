use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::StreamExt as _;
use serde::{Deserialize, Serialize};
use skyfold::adapter::{check_command, too_many, unguarded};
use skyfold::limits::BATCH_COMMANDS_MAX;
use skyfold::ports::{Clock, Consistency, Queue, QueuedCommand};
use skyfold::{CommandId, Error, ErrorKind, Result};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::CONCURRENT_MAX;
use crate::access::Access;
use crate::cosmos::Container;
use crate::http;

/// How many bytes a message may have: 64 KiB of text, which is base64 of three quarters as much
/// ("Scalability and performance targets for Queue Storage").
const MESSAGE_BYTES_MAX: usize = 64 * 1024 / 4 * 3;

/// How many seconds a message can be held back: 7 days ("Put Message"). A command that is due later
/// is delivered early, and sent once more.
const DELAY_SECONDS_MAX: i64 = 7 * 24 * 60 * 60;

/// For how many seconds it is known that a command that was too large for a message was done: a
/// message that was not deleted comes again after minutes.
const DONE_SECONDS: i64 = 30 * 24 * 60 * 60;

/// The version of the API: one that knows messages without an end ("Put Message").
pub(crate) const VERSION: &str = "2021-12-02";

/// What a token is asked for.
pub(crate) const SCOPE: &str = "https://storage.azure.com/.default";

/// The id of every command that is kept, of which a partition has one.
const KEPT: &str = "command";

/// A queue of Queue Storage, and the container that keeps what is too large for it.
#[derive(Clone)]
pub(crate) struct Commands {
    pub(crate) client: reqwest::Client,
    pub(crate) url: String,
    pub(crate) access: Access,
    pub(crate) container: Container,
    pub(crate) clock: Arc<dyn Clock>,
}

impl fmt::Debug for Commands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Commands").field(&unsigned(&self.url)).finish()
    }
}

/// `url` without its query, which may be a signature.
pub(crate) fn unsigned(url: &str) -> &str {
    url.split('?').next().unwrap_or_default()
}

/// Says which command a message stands for.
#[derive(Serialize, Deserialize)]
struct Reference {
    kept: String,
}

/// A command that is too large for a message, as an item among the documents.
#[derive(Serialize, Deserialize)]
struct KeptItem {
    id: String,
    /// After an `@`, which no collection of documents has: the partition key.
    #[serde(rename = "p")]
    partition: String,
    /// The command as JSON; none once it was done.
    #[serde(rename = "b", default, skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    /// It is kept for as long as it waits, as its message is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ttl: Option<i64>,
}

impl KeptItem {
    fn new(kept: &str, body: Option<String>, ttl: Option<i64>) -> Self {
        Self { id: KEPT.to_owned(), partition: partition(kept), body, ttl }
    }
}

/// How many seconds a command that is `due` can be held back `now`: whole ones, and rather one
/// more than too few.
fn delay(due: OffsetDateTime, now: OffsetDateTime) -> i64 {
    let wait = due - now;
    let more = i64::from(wait.subsec_nanoseconds() > 0);
    (wait.whole_seconds() + more).clamp(0, DELAY_SECONDS_MAX)
}

impl Commands {
    async fn put(&self, command: &QueuedCommand, now: OffsetDateTime) -> Result<()> {
        check_command(command)?;
        let delay = command.due.map_or(0, |due| delay(due, now));
        let body = json(&command.request.id, command)?;
        if body.len() <= MESSAGE_BYTES_MAX {
            return self.post(&body, delay).await;
        }
        let kept = self.keep(body).await?;
        let reference = json(&command.request.id, &Reference { kept: kept.clone() })?;
        let posted = self.post(&reference, delay).await;
        if posted.as_ref().is_err_and(|error| error.kind() != ErrorKind::Unavailable) {
            // No message stands for it, and the next try keeps it anew.
            self.forget(&kept).await;
        }
        posted
    }

    /// Puts a message that says `text`, and is not seen for `delay` seconds.
    async fn post(&self, text: &str, delay: i64) -> Result<()> {
        let message = format!(
            "<QueueMessage><MessageText>{}</MessageText></QueueMessage>",
            STANDARD.encode(text)
        );
        let what = self.what();
        let request = self
            .client
            .post(self.messages()?)
            .query(&[("messagettl", -1), ("visibilitytimeout", delay)])
            .header("x-ms-version", VERSION)
            .header("content-type", "application/xml")
            .body(message);
        let request = self.access.permit(&what, SCOPE, request).await?;
        http::send(&what, request).await
    }

    /// What errors call it.
    pub(crate) fn what(&self) -> String {
        format!("the queue {}", unsigned(&self.url))
    }

    /// Where messages are put, and taken.
    pub(crate) fn messages(&self) -> Result<reqwest::Url> {
        let url = reqwest::Url::parse(&self.url);
        let mut url = url.map_err(|error| {
            Error::new(ErrorKind::Invalid, "the queue has no URL").with_source(error)
        })?;
        let path = format!("{}/messages", url.path().trim_end_matches('/'));
        url.set_path(&path);
        Ok(url)
    }

    /// Keeps `body`, a command, and returns under which name.
    async fn keep(&self, body: String) -> Result<String> {
        let kept = Uuid::now_v7().simple().to_string();
        self.write(&KeptItem::new(&kept, Some(body), None)).await?;
        Ok(kept)
    }

    /// Deletes what was kept as `kept` and stands for nothing.
    async fn forget(&self, kept: &str) {
        if let Err(error) = self.container.delete(&partition(kept), KEPT, None).await {
            tracing::warn!(kept, %error, "a command that was not queued is still kept");
        }
    }

    async fn write(&self, item: &KeptItem) -> Result<()> {
        let written = self.container.upsert(&item.partition, KEPT, item).await;
        written.map(drop).map_err(unguarded)
    }

    /// The command that the message `text` is of, unless it was [done](Self::close).
    pub(crate) async fn open(&self, text: &str) -> Result<Option<QueuedCommand>> {
        let text = decoded(text)?;
        let Some(Reference { kept }) = reference(&text) else {
            return serde_json::from_slice(&text).map(Some).map_err(unreadable);
        };
        let strong = Consistency::Strong;
        let found: Option<KeptItem> = self.container.read(&partition(&kept), KEPT, strong).await?;
        let KeptItem { body, .. } = found.ok_or_else(|| {
            let message = format!("the command {kept} of a message is no longer kept");
            Error::new(ErrorKind::NotFound, message)
        })?;
        body.map(|body| serde_json::from_str(&body).map_err(unreadable)).transpose()
    }

    /// Notes that the command that the message `text` is of was done: it is kept no longer. A
    /// message that holds its command asks for nothing.
    pub(crate) async fn close(&self, text: &str) -> Result<()> {
        match reference(&decoded(text)?) {
            Some(Reference { kept }) => {
                self.write(&KeptItem::new(&kept, None, Some(DONE_SECONDS))).await
            }
            None => Ok(()),
        }
    }
}

/// The JSON of the message `text`: a trigger may have decoded what is base64.
fn decoded(text: &str) -> Result<Vec<u8>> {
    match text.trim_start().starts_with('{') {
        true => Ok(text.as_bytes().to_vec()),
        false => STANDARD.decode(text.trim()).map_err(unreadable),
    }
}

/// Which command is kept for a message, if it does not hold it itself.
fn reference(text: &[u8]) -> Option<Reference> {
    serde_json::from_slice(text).ok()
}

fn unreadable(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(ErrorKind::Corrupt, "the message is no command").with_source(error)
}

fn partition(kept: &str) -> String {
    format!("@command-{kept}")
}

/// `value`, which is of the command `id`, as JSON.
fn json<T: Serialize>(id: &CommandId, value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|error| {
        let message = format!("the command {id} has no JSON form");
        Error::new(ErrorKind::Invalid, message).with_source(error)
    })
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
        let mut puts = vec![];
        for command in batch {
            puts.push(self.put(command, now));
        }
        futures::stream::iter(puts).buffered(CONCURRENT_MAX).collect().await
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_command_is_held_back_in_whole_seconds_for_a_week_at_most() {
        let now = datetime!(2010-12-01 08:26 UTC);
        let held = |millis: i64| delay(now + time::Duration::milliseconds(millis), now);
        assert_eq!([held(-5_000), held(0), held(1), held(1_000), held(1_001)], [0, 0, 1, 1, 2]);
        let week = DELAY_SECONDS_MAX * 1_000;
        assert_eq!([held(week), held(week + 1), held(9 * week)], [DELAY_SECONDS_MAX; 3]);
    }
}
