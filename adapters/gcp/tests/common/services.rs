use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use googleapis_tonic_google_cloud_tasks_v2::google::cloud::tasks::v2 as tasks;
use googleapis_tonic_google_pubsub_v1::google::pubsub::v1 as pubsub;
use http::Response;
use skyfold::CloudEvent;
use skyfold::ports::{Clock as _, QueuedCommand};
use skyfold_memory::VirtualClock;
use time::OffsetDateTime;
use tonic::Status;
use tonic::body::Body;

use super::frames::{answer, message, refusal};
use super::names;

/// How many messages a request may have on Pub/Sub, and how many bytes.
const MESSAGES_MAX: usize = 1_000;
const REQUEST_BYTES_MAX: usize = 10_000_000;

/// How many bytes a task may have, and how many days ahead it may be scheduled.
const TASK_BYTES_MAX: usize = 1_000_000;
const AHEAD_MAX: time::Duration = time::Duration::days(30);

/// The topic of commands that are to run at once, where there is one.
pub const IMMEDIATE: &str = "projects/order/topics/order-commands";

/// As much of Pub/Sub and Cloud Tasks as the adapter asks for: they refuse what the real ones
/// refuse, and hold what they accepted.
#[derive(Clone, Debug)]
pub struct Services {
    clock: VirtualClock,
    held: Arc<Mutex<Held>>,
}

#[derive(Debug, Default)]
struct Held {
    /// What was announced, before the subscriptions.
    announced: Vec<CloudEvent>,
    /// A subscription for each function that hears.
    queues: BTreeMap<String, Vec<Delivery>>,
    /// What could not be handled, however often it was received.
    dead: Vec<(String, CloudEvent)>,
    /// Commands, and when they are delivered.
    commands: Vec<(OffsetDateTime, QueuedCommand)>,
}

/// A message for a function.
#[derive(Clone, Debug)]
pub struct Delivery {
    pub event: CloudEvent,
    pub receives: usize,
}

impl Services {
    pub fn new(clock: VirtualClock) -> Self {
        Self { clock, held: Arc::default() }
    }

    /// What was announced since the last time.
    pub fn announced(&self) -> Vec<CloudEvent> {
        std::mem::take(&mut self.held().announced)
    }

    /// Brings `event` to the subscription of `function`.
    pub fn enqueue(&self, function: &str, event: CloudEvent) {
        self.put_back(function, Delivery { event, receives: 1 });
    }

    pub fn put_back(&self, function: &str, delivery: Delivery) {
        self.held().queues.entry(function.to_owned()).or_default().push(delivery);
    }

    pub fn set_aside(&self, function: &str, event: CloudEvent) {
        self.held().dead.push((function.to_owned(), event));
    }

    /// The next messages of each subscription, the newest first: one keeps no order once a message
    /// was not acknowledged.
    pub fn receive(&self, batch: usize) -> Vec<(String, Vec<Delivery>)> {
        let mut held = self.held();
        let waiting = held.queues.iter_mut().filter(|(_, queue)| !queue.is_empty());
        let take = |queue: &mut Vec<Delivery>| {
            let mut taken = queue.split_off(queue.len().saturating_sub(batch));
            taken.reverse();
            taken
        };
        waiting.map(|(function, queue)| (function.clone(), take(queue))).collect()
    }

    /// The commands whose time has come.
    pub fn due(&self) -> Vec<QueuedCommand> {
        let now = self.clock.now();
        let mut held = self.held();
        let (due, later) = std::mem::take(&mut held.commands).into_iter().partition(|c| c.0 <= now);
        held.commands = later;
        due.into_iter().map(|(_, command): (_, QueuedCommand)| command).collect()
    }

    pub fn run_again(&self, command: QueuedCommand) {
        let now = self.clock.now();
        self.held().commands.push((now, command));
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap()
    }

    /// The answer to `request`, if it is theirs.
    pub fn answer(&self, method: &str, request: &[u8]) -> Option<Response<Body>> {
        match method {
            "Publish" => Some(self.publish(&message(request))),
            "CreateTask" => Some(self.create_task(message(request))),
            _ => None,
        }
    }

    fn publish(&self, request: &pubsub::PublishRequest) -> Response<Body> {
        use prost::Message as _;
        let messages = &request.messages;
        if messages.is_empty() || messages.len() > MESSAGES_MAX {
            return refusal(Status::invalid_argument("the request has too many messages, or none"));
        }
        if request.encoded_len() > REQUEST_BYTES_MAX {
            return refusal(Status::invalid_argument("the request is larger than max"));
        }
        if messages.iter().any(|message| message.ordering_key != messages[0].ordering_key) {
            return refusal(Status::invalid_argument("the request has several ordering keys"));
        }
        let ids = vec!["1".to_owned(); messages.len()];
        if request.topic == IMMEDIATE {
            for message in messages {
                assert!(message.ordering_key.is_empty());
                self.run_again(serde_json::from_slice(&message.data).unwrap());
            }
            return answer(&pubsub::PublishResponse { message_ids: ids });
        }
        assert_eq!(request.topic, names("p").topic);
        for message in messages {
            let event: CloudEvent = serde_json::from_slice(&message.data).unwrap();
            assert_eq!(message.ordering_key, event.subject.as_str());
            assert_eq!(message.attributes["category"], event.subject.category());
            self.held().announced.push(event);
        }
        answer(&pubsub::PublishResponse { message_ids: ids })
    }

    fn create_task(&self, request: tasks::CreateTaskRequest) -> Response<Body> {
        use prost::Message as _;
        let task = request.task.unwrap();
        assert_eq!(request.parent, names("p").queue);
        if task.encoded_len() > TASK_BYTES_MAX {
            return refusal(Status::invalid_argument("the task is larger than max"));
        }
        let now = self.clock.now();
        let visible = task.schedule_time.map_or(now, |at| {
            let seconds = OffsetDateTime::from_unix_timestamp(at.seconds).unwrap();
            seconds + time::Duration::nanoseconds(at.nanos.into())
        });
        if visible - now > AHEAD_MAX {
            return refusal(Status::invalid_argument("the schedule time is too far ahead"));
        }
        let Some(tasks::task::MessageType::HttpRequest(http)) = &task.message_type else {
            return refusal(Status::invalid_argument("the task has no target"));
        };
        assert_eq!(http.url, names("p").target.url);
        let command = serde_json::from_slice(&http.body).unwrap();
        self.held().commands.push((visible, command));
        answer(&task)
    }
}
