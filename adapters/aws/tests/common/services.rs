use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use aws_sdk_dynamodb::config::http::{HttpRequest, HttpResponse};
use serde_json::{Value, json};
use skyfold::CloudEvent;
use skyfold::ports::{Clock as _, QueuedCommand};
use skyfold_memory::VirtualClock;
use time::OffsetDateTime;

use super::wire::response;

/// How many entries a request may have on EventBridge and SQS.
const ENTRIES_MAX: usize = 10;

/// How many bytes all entries of a request may have on EventBridge, and on SQS.
const EVENT_BYTES_MAX: usize = 256 * 1024;
const MESSAGE_BYTES_MAX: usize = 1024 * 1024;

/// As much of EventBridge and SQS as the adapter asks for: they refuse what the real ones refuse,
/// and hold what they accepted.
#[derive(Clone, Debug)]
pub struct Services {
    clock: VirtualClock,
    held: Arc<Mutex<Held>>,
}

#[derive(Debug, Default)]
struct Held {
    /// What was announced, before the rules.
    announced: Vec<CloudEvent>,
    /// A queue for each function that hears.
    queues: BTreeMap<String, Vec<Delivery>>,
    /// What could not be handled, however often it was received.
    dead: Vec<(String, CloudEvent)>,
    /// Commands, and when they become visible.
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

    /// Puts `event` into the queue of `function`.
    pub fn enqueue(&self, function: &str, event: CloudEvent) {
        self.put_back(function, Delivery { event, receives: 1 });
    }

    pub fn put_back(&self, function: &str, delivery: Delivery) {
        self.held().queues.entry(function.to_owned()).or_default().push(delivery);
    }

    pub fn set_aside(&self, function: &str, event: CloudEvent) {
        self.held().dead.push((function.to_owned(), event));
    }

    /// The next messages of each queue, the newest first: a queue keeps no order.
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

    /// The commands that have become visible.
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
    pub fn answer(&self, target: &str, request: &HttpRequest) -> Option<HttpResponse> {
        let body = || serde_json::from_slice(request.body().bytes()?).ok();
        match target {
            "AWSEvents.PutEvents" => Some(self.put_events(&body()?)),
            "AmazonSQS.SendMessageBatch" => Some(self.send_message_batch(&body()?)),
            _ => None,
        }
    }

    fn put_events(&self, request: &Value) -> HttpResponse {
        let entries = request["Entries"].as_array().unwrap();
        let bytes = |entry: &Value| {
            let of = |name: &str| entry[name].as_str().map_or(0, str::len);
            14 + of("Source") + of("DetailType") + of("Detail")
        };
        if entries.len() > ENTRIES_MAX || entries.iter().map(bytes).sum::<usize>() > EVENT_BYTES_MAX
        {
            return refusal("ValidationException", "the request has too many entries or bytes");
        }
        let mut answers = vec![];
        for entry in entries {
            assert_eq!(entry["EventBusName"], "order");
            answers.push(match serde_json::from_str(entry["Detail"].as_str().unwrap()) {
                Err(_) => json!({ "ErrorCode": "MalformedDetail", "ErrorMessage": "no JSON" }),
                Ok(event) => {
                    self.held().announced.push(event);
                    json!({ "EventId": "1" })
                }
            });
        }
        let failed = answers.iter().filter(|answer| answer.get("ErrorCode").is_some()).count();
        response(200, json!({ "FailedEntryCount": failed, "Entries": answers }).to_string())
    }

    fn send_message_batch(&self, request: &Value) -> HttpResponse {
        let entries = request["Entries"].as_array().unwrap();
        let bytes = |entry: &Value| entry["MessageBody"].as_str().unwrap().len();
        if entries.len() > ENTRIES_MAX {
            return refusal("TooManyEntriesInBatchRequest", "more than ten");
        }
        if entries.iter().map(bytes).sum::<usize>() > MESSAGE_BYTES_MAX {
            return refusal("BatchRequestTooLong", "more than a mebibyte");
        }
        let (mut successful, mut failed) = (vec![], vec![]);
        for entry in entries {
            let (id, body) = (&entry["Id"], entry["MessageBody"].as_str().unwrap());
            let delay = entry["DelaySeconds"].as_i64().unwrap_or_default();
            let is_legal = (0..=900).contains(&delay) && !body.contains(['\u{fffe}', '\u{ffff}']);
            match serde_json::from_str(body).ok().filter(|_| is_legal) {
                Some(command) => {
                    let visible = self.clock.now() + Duration::from_secs(delay.unsigned_abs());
                    self.held().commands.push((visible, command));
                    successful.push(json!({
                        "Id": id, "MessageId": "1", "MD5OfMessageBody": "1",
                    }));
                }
                None => failed.push(json!({
                    "Id": id, "Code": "InvalidMessageContents", "SenderFault": true,
                })),
            }
        }
        response(200, json!({ "Successful": successful, "Failed": failed }).to_string())
    }
}

/// An answer that says why there is none.
pub fn refusal(code: &str, message: &str) -> HttpResponse {
    let body = json!({ "__type": format!("com.amazonaws#{code}"), "message": message });
    response(400, body.to_string())
}
