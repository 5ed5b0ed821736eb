use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::config::http::{HttpRequest, HttpResponse};
use conformance::delivery::Post;
use serde_json::{Value, json};
use skyfold::CloudEvent;
use skyfold::ports::QueuedCommand;
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
    pub post: Post<QueuedCommand>,
}

impl Services {
    pub fn new(clock: VirtualClock) -> Self {
        Self { post: Post::new(Arc::new(clock)) }
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
                    self.post.announce(event);
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
                    let visible = self.post.now() + Duration::from_secs(delay.unsigned_abs());
                    self.post.send(visible, command);
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
