use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use skyfold::host::Attempts;
use skyfold::{Error, ErrorKind, Result};

/// The header that tells how often a task was tried before; no other delivery has it ("Create HTTP
/// target tasks", "Develop a task handler").
const RETRIES: &str = "x-cloudtasks-taskretrycount";

/// A message as Pub/Sub pushes it ("Push subscriptions").
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Push {
    message: Message,
    /// How often it was delivered, this time included: told where there is a dead-letter topic.
    #[serde(default)]
    delivery_attempt: u32,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    /// Base64 of the data; absent if there are none.
    #[serde(default)]
    data: String,
    message_id: String,
}

impl Push {
    /// The one whose JSON is `body`.
    pub(crate) fn of(body: &[u8]) -> Result<Self> {
        serde_json::from_slice(body).map_err(|error| {
            let message = "this is no message of a push subscription";
            Error::new(ErrorKind::Invalid, message).with_source(error)
        })
    }

    pub(crate) fn attempts(&self) -> Attempts {
        Attempts::made(self.delivery_attempt)
    }

    /// What the message holds, which is a `what`.
    pub(crate) fn read<T: DeserializeOwned>(&self, what: &str) -> Result<T> {
        let Message { data, message_id } = &self.message;
        let unread = |source: Box<dyn std::error::Error + Send + Sync>| {
            let message = format!("the message {message_id} is no {what}");
            Error::new(ErrorKind::Corrupt, message).with_source(source)
        };
        let data = STANDARD.decode(data).map_err(|error| unread(error.into()))?;
        serde_json::from_slice(&data).map_err(|error| unread(error.into()))
    }
}

/// How often the task with these `headers` was tried, this time included; `None` if they are not
/// those of a task.
pub(crate) fn task_attempts(headers: &HeaderMap) -> Option<Attempts> {
    let retries = headers.get(RETRIES)?.to_str().ok()?.parse::<u32>().ok()?;
    Some(Attempts::made(retries.saturating_add(1)))
}
