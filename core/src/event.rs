use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::limits::{CAUSATION_CHARS_MAX, CORRELATION_CHARS_MAX, TRACEPARENT_CHARS_MAX};
use crate::{CommandId, Error, ErrorKind, Payload, Result, StreamName};

/// The number of events in a stream, and so the position of its last event. Empty is 0.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
pub struct Version(pub u64);

impl Version {
    /// The version of a stream without events.
    pub const EMPTY: Self = Self(0);

    /// The position of the event that follows.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The version after `count` more events.
    #[must_use]
    pub const fn plus(self, count: u64) -> Self {
        Self(self.0.saturating_add(count))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Identifies an event among all events, and is the same on every delivery: `order-42@3`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EventId {
    /// The stream it happened in.
    pub stream: StreamName,
    /// Its position there, from 1.
    pub version: Version,
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}@{}", self.stream, self.version))
    }
}

impl FromStr for EventId {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let missing = || {
            Error::invalid(format!(
                "{text:?} is not an event id: expected stream@version, as in order-42@3"
            ))
        };
        let (stream, version) = text.rsplit_once('@').ok_or_else(missing)?;
        let version = version.parse().ok().filter(|version| *version > 0).ok_or_else(missing)?;
        Ok(Self { stream: stream.parse()?, version: Version(version) })
    }
}

impl TryFrom<String> for EventId {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<EventId> for String {
    fn from(id: EventId) -> Self {
        id.to_string()
    }
}

/// What travels from a request to its events, from there to what they cause, and to every span.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// The business transaction: the same for everything that follows from one request.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub correlation: Option<String>,
    /// The event that caused the command, if it was an event.
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    pub causation: Option<String>,
    /// The W3C trace context of the request ("Trace Context", section 3.2).
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
}

impl Metadata {
    /// Refuses what would make every event of a commit larger than it may be.
    ///
    /// # Errors
    ///
    /// [`Oversized`](ErrorKind::Oversized), naming the part, its size and the limit.
    pub(crate) fn check(&self) -> Result<()> {
        for (name, part, max) in [
            ("correlation", &self.correlation, CORRELATION_CHARS_MAX),
            ("causation", &self.causation, CAUSATION_CHARS_MAX),
            ("traceparent", &self.traceparent, TRACEPARENT_CHARS_MAX),
        ] {
            let chars = part.as_ref().map_or(0, |part| part.chars().count());
            if chars > max {
                let message = format!("the {name} has {chars} characters, of at most {max}");
                return Err(Error::new(ErrorKind::Oversized, message));
            }
        }
        Ok(())
    }
}

/// An event that a store is asked to record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewEvent {
    /// The variant's name: `OrderPlaced`.
    #[serde(rename = "n")]
    pub event_type: String,
    /// The version of the schema that `data` follows, from 1.
    #[serde(rename = "v")]
    pub schema: u32,
    /// The variant's fields.
    #[serde(rename = "d")]
    pub data: Payload,
}

/// An event as recorded, whose fields are those of a CloudEvent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedEvent<E = Payload> {
    /// The stream it happened in: `subject`, and `partitionkey` on a bus.
    pub stream: StreamName,
    /// Its position in the stream, from 1: `sequence`.
    pub version: Version,
    /// The variant's name: `type`, prefixed by the category.
    pub event_type: String,
    /// The version of the schema that `data` follows.
    pub schema: u32,
    /// When the decision was taken, to the millisecond; never falls within a stream: `time`.
    #[serde(with = "time::serde::rfc3339")]
    pub time: OffsetDateTime,
    /// The command that it came of: `causationid`.
    pub command: CommandId,
    /// What travels with it.
    pub metadata: Metadata,
    /// The event: `data`.
    pub data: E,
}

impl<E> RecordedEvent<E> {
    /// Unique among all events, and the same on every delivery.
    pub fn id(&self) -> EventId {
        EventId { stream: self.stream.clone(), version: self.version }
    }

    /// The same event around other data.
    pub fn with_data<F>(self, data: F) -> RecordedEvent<F> {
        let Self { stream, version, event_type, schema, time, command, metadata, data: _ } = self;
        RecordedEvent { stream, version, event_type, schema, time, command, metadata, data }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_id_is_read_from_its_last_at_sign() {
        let id: EventId = "order-ada@example.org@3".parse().unwrap();
        assert_eq!((id.stream.id().as_str(), id.version), ("ada@example.org", Version(3)));
        assert_eq!(id.to_string(), "order-ada@example.org@3");
        for illegal in ["order-42", "order-42@0", "order-42@x", "42@1", "order-42@-1", ""] {
            illegal.parse::<EventId>().unwrap_err();
        }
    }
}
