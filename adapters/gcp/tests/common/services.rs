use std::sync::Arc;

use conformance::delivery::Post;
use googleapis_tonic_google_cloud_tasks_v2::google::cloud::tasks::v2 as tasks;
use googleapis_tonic_google_pubsub_v1::google::pubsub::v1 as pubsub;
use http::Response;
use skyfold::CloudEvent;
use skyfold::ports::QueuedCommand;
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
    pub post: Post<QueuedCommand>,
}

impl Services {
    pub fn new(clock: VirtualClock) -> Self {
        Self { post: Post::new(Arc::new(clock)) }
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
                self.post.hold(serde_json::from_slice(&message.data).unwrap());
            }
            return answer(&pubsub::PublishResponse { message_ids: ids });
        }
        assert_eq!(request.topic, names("p").topic);
        for message in messages {
            let event: CloudEvent = serde_json::from_slice(&message.data).unwrap();
            assert_eq!(message.ordering_key, event.subject.as_str());
            assert_eq!(message.attributes["category"], event.subject.category());
            self.post.announce(event);
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
        let now = self.post.now();
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
        self.post.send(visible, command);
        answer(&task)
    }
}
