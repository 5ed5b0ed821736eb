use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use futures::StreamExt as _;
use googleapis_tonic_google_cloud_tasks_v2::google::cloud::tasks::v2;
use prost_types::Timestamp;
use skyfold::limits::{BATCH_COMMANDS_MAX, COMMAND_BYTES_MAX};
use skyfold::ports::{Clock, Queue, QueuedCommand};
use skyfold::{Error, ErrorKind, Result};
use time::{Duration, OffsetDateTime};
use v2::cloud_tasks_client::CloudTasksClient;
use v2::http_request::AuthorizationHeader;
use v2::{CreateTaskRequest, HttpMethod, HttpRequest, OidcToken, Task, task};

use crate::calls::{Header, REQUEST_MAX, answered, request};
use crate::clients::Wire;
use crate::errors::{again, unguarded};

/// How far ahead a task can be scheduled: 30 days ("Cloud Tasks quotas and limits"), less a day, so
/// that clocks may differ. A command that is due later is delivered early, and sent once more.
const AHEAD_MAX: Duration = Duration::days(29);

/// How many requests of one batch are on their way at once: there is none that makes several.
const CONCURRENT_MAX: usize = 16;

/// Where tasks deliver commands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The URL that takes them, such as `https://order-1234567890.europe-west3.run.app/commands`.
    pub url: String,
    /// The service account whose identity token each brings along, for that URL ("Create HTTP
    /// target tasks"). Without one the service has to take them from anybody, as an emulator's may.
    pub account: Option<String>,
}

/// A queue of Cloud Tasks.
#[derive(Clone, Debug)]
pub(crate) struct Commands {
    client: CloudTasksClient<Wire>,
    queue: String,
    route: Option<Header>,
    target: Target,
    clock: Arc<dyn Clock>,
}

impl Commands {
    /// The queue of the full name `queue`, reached over `wire`, which delivers to `target`.
    pub(crate) fn new(wire: Wire, queue: &str, target: Target, clock: Arc<dyn Clock>) -> Self {
        let route = Header::route(&format!("parent={queue}"));
        Self { client: CloudTasksClient::new(wire), queue: queue.to_owned(), route, target, clock }
    }

    async fn create(&self, command: &QueuedCommand, now: OffsetDateTime) -> Result<()> {
        let task = Some(self.task(command, now)?);
        let message = CreateTaskRequest { parent: self.queue.clone(), task, response_view: 0 };
        let mut client = self.client.clone();
        let create = client.create_task(request(message, REQUEST_MAX, &self.route));
        let what = format!("the queue {}", self.queue);
        answered(&what, REQUEST_MAX, create).await.map_err(unguarded)?;
        Ok(())
    }

    /// `command` as a task. It has no name: one that says which it is makes the service look for
    /// others of that name, which takes it longer, and the command's own id tells as well.
    fn task(&self, command: &QueuedCommand, now: OffsetDateTime) -> Result<Task> {
        let bytes = command.request.command.bytes();
        if bytes > COMMAND_BYTES_MAX {
            let message = format!("the command has {bytes} bytes, of at most {COMMAND_BYTES_MAX}");
            return Err(Error::new(ErrorKind::Oversized, message));
        }
        let body = serde_json::to_vec(command).map_err(|error| {
            let message = format!("the command {} has no JSON form", command.request.id);
            Error::new(ErrorKind::Invalid, message).with_source(error)
        })?;
        let Target { url, account } = &self.target;
        let token = |account: &String| {
            AuthorizationHeader::OidcToken(OidcToken {
                service_account_email: account.clone(),
                audience: url.clone(),
            })
        };
        let request = HttpRequest {
            url: url.clone(),
            http_method: HttpMethod::Post.into(),
            headers: HashMap::from([("content-type".into(), "application/json".into())]),
            body,
            authorization_header: account.as_ref().map(token),
        };
        Ok(Task {
            message_type: Some(task::MessageType::HttpRequest(request)),
            schedule_time: command.due.and_then(|due| schedule(due, now)),
            ..Default::default()
        })
    }
}

/// When a command that is `due` is delivered, unless it is at once.
fn schedule(due: OffsetDateTime, now: OffsetDateTime) -> Option<Timestamp> {
    if due <= now {
        return None;
    }
    let at = due.min(now + AHEAD_MAX);
    let nanos = i32::try_from(at.nanosecond()).unwrap_or_default();
    Some(Timestamp { seconds: at.unix_timestamp(), nanos })
}

#[async_trait]
impl Queue for Commands {
    async fn send(&self, batch: &[QueuedCommand]) -> Vec<Result<()>> {
        let count = batch.len();
        if count > BATCH_COMMANDS_MAX {
            let message = format!("a batch of {count} commands, of at most {BATCH_COMMANDS_MAX}");
            let refused = Error::new(ErrorKind::Oversized, message);
            return batch.iter().map(|_| Err(again(&refused))).collect();
        }
        let now = self.clock.now();
        let mut creates = vec![];
        for command in batch {
            creates.push(self.create(command, now));
        }
        futures::stream::iter(creates).buffered(CONCURRENT_MAX).collect().await
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_command_is_scheduled_for_when_it_is_due_and_29_days_ahead_at_most() {
        let now = datetime!(2010-12-01 08:26 UTC);
        let ahead = |due: Duration| {
            let at = schedule(now + due, now)?;
            Some((at.seconds - now.unix_timestamp(), at.nanos))
        };
        assert_eq!(ahead(Duration::ZERO), None);
        assert_eq!(ahead(-Duration::SECOND), None);
        assert_eq!(ahead(Duration::milliseconds(1_500)), Some((1, 500_000_000)));
        assert_eq!(ahead(Duration::days(400)), Some((29 * 86_400, 0)));
    }
}
