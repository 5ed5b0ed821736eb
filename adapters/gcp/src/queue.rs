use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use futures::{FutureExt as _, StreamExt as _};
use googleapis_tonic_google_cloud_tasks_v2::google::cloud::tasks::v2;
use googleapis_tonic_google_pubsub_v1::google::pubsub::v1::PubsubMessage;
use prost_types::Timestamp;
use skyfold::adapter::{check_command, too_many, unguarded};
use skyfold::limits::BATCH_COMMANDS_MAX;
use skyfold::ports::{Clock, Queue, QueuedCommand};
use skyfold::{Error, ErrorKind, Result};
use time::{Duration, OffsetDateTime};
use v2::cloud_tasks_client::CloudTasksClient;
use v2::http_request::AuthorizationHeader;
use v2::{CreateTaskRequest, HttpMethod, HttpRequest, OidcToken, Task, task};

use crate::calls::{Header, REQUEST_MAX, answered, request};
use crate::clients::Wire;
use crate::errors::copy;
use crate::topic::{Group, Topic, requests};

/// How far ahead a task can be scheduled: 30 days ("Cloud Tasks quotas and limits"), less a day, so
/// that clocks may differ. A command that is due later is delivered early, and sent once more.
const AHEAD_MAX: Duration = Duration::days(29);

/// How many requests of one batch are on their way at once: there is none that makes several tasks.
const CONCURRENT_MAX: usize = 16;

/// What a command is sent as.
const CONTENT_TYPE: &str = "application/json";

/// Where tasks deliver commands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The URL that takes them, such as `https://order-1234567890.europe-west3.run.app/commands`.
    pub url: String,
    /// The service account whose identity token each brings along, for that URL ("Create HTTP
    /// target tasks"). Without one the service has to take them from anybody, as an emulator's may.
    pub account: Option<String>,
}

/// A queue of Cloud Tasks, and a topic of Pub/Sub beside it if there is one.
#[derive(Clone, Debug)]
pub(crate) struct Commands {
    pub(crate) queue: TaskQueue,
    /// Takes what is to run at once.
    pub(crate) topic: Option<Topic>,
    pub(crate) clock: Arc<dyn Clock>,
}

/// A queue of Cloud Tasks.
#[derive(Clone, Debug)]
pub(crate) struct TaskQueue {
    client: CloudTasksClient<Wire>,
    name: String,
    route: Option<Header>,
    target: Target,
}

impl TaskQueue {
    /// The queue of the full name `name`, reached over `wire`, which delivers to `target`.
    pub(crate) fn new(wire: Wire, name: &str, target: Target) -> Self {
        let route = Header::route(&format!("parent={name}"));
        Self { client: CloudTasksClient::new(wire), name: name.to_owned(), route, target }
    }

    async fn create(&self, task: Task) -> Result<()> {
        let (parent, task) = (self.name.clone(), Some(task));
        let message = CreateTaskRequest { parent, task, response_view: 0 };
        let mut client = self.client.clone();
        let create = client.create_task(request(message, REQUEST_MAX, &self.route));
        let what = format!("the queue {}", self.name);
        answered(&what, REQUEST_MAX, create).await.map_err(unguarded)?;
        Ok(())
    }

    /// The command whose JSON is `body` as a task, delivered `at` that time, or at once. It has no
    /// name: one that says which it is makes the service look for others of that name, which takes
    /// it longer, and the command's own id tells as well.
    fn task(&self, body: Vec<u8>, at: Option<Timestamp>) -> Task {
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
            headers: HashMap::from([("content-type".into(), CONTENT_TYPE.into())]),
            body,
            authorization_header: account.as_ref().map(token),
        };
        let message_type = Some(task::MessageType::HttpRequest(request));
        Task { message_type, schedule_time: at, ..Default::default() }
    }
}

/// `command` as JSON.
fn body(command: &QueuedCommand) -> Result<Vec<u8>> {
    check_command(command)?;
    serde_json::to_vec(command).map_err(|error| {
        let message = format!("the command {} has no JSON form", command.request.id);
        Error::new(ErrorKind::Invalid, message).with_source(error)
    })
}

/// `command`, whose JSON is `data`, as a message.
fn message(command: &QueuedCommand, data: Vec<u8>) -> PubsubMessage {
    let attributes = [("content-type", CONTENT_TYPE), ("category", &command.category)];
    let attributes = attributes.map(|(name, value)| (name.to_owned(), value.to_owned()));
    PubsubMessage { data, attributes: attributes.into(), ..Default::default() }
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
            let refused = |_| Err(too_many("commands", count, BATCH_COMMANDS_MAX));
            return batch.iter().map(refused).collect();
        }
        let now = self.clock.now();
        let (mut outcomes, mut group, mut sends) = (vec![], Group::new(), vec![]);
        for (nth, command) in batch.iter().enumerate() {
            let at = command.due.and_then(|due| schedule(due, now));
            outcomes.push(body(command).map(|body| match &self.topic {
                Some(_) if at.is_none() => group.push((nth, message(command, body))),
                _ => sends.push(self.create(nth, self.queue.task(body, at)).boxed()),
            }));
        }
        if let Some(topic) = &self.topic {
            let requests = requests(group).into_iter();
            sends.extend(
                requests.map(|(places, messages)| publish(topic, places, messages).boxed()),
            );
        }
        let sent = futures::stream::iter(sends).buffer_unordered(CONCURRENT_MAX);
        let sent: Vec<_> = sent.collect().await;
        for (place, outcome) in sent.into_iter().flatten() {
            outcomes[place] = outcome;
        }
        outcomes
    }
}

impl Commands {
    /// Creates the task of the `nth` command of a batch.
    async fn create(&self, nth: usize, task: Task) -> Vec<(usize, Result<()>)> {
        vec![(nth, self.queue.create(task).await)]
    }
}

/// Publishes the commands of these `places` of a batch.
async fn publish(
    topic: &Topic,
    places: Vec<usize>,
    messages: Vec<PubsubMessage>,
) -> Vec<(usize, Result<()>)> {
    let outcome = topic.publish(messages).await;
    places.into_iter().map(|place| (place, copy(&outcome))).collect()
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
