use serde::{Deserialize, Deserializer, Serialize};
use time::OffsetDateTime;

use crate::{
    CommandId, Error, EventId, Metadata, Payload, RecordedEvent, Result, StreamName, Version,
};

/// The envelope in which an event travels: CloudEvents 1.0 in its JSON form, with the extensions
/// `partitionkey`, `sequence` and those of distributed tracing ("CloudEvents Version 1.0.2" and
/// its documented extensions).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloudEvent {
    /// Always `1.0`.
    pub specversion: String,
    /// The event's id, the same at every delivery: `order-42@3`.
    pub id: EventId,
    /// The app: `/order`.
    pub source: String,
    /// Category and variant: `order.OrderPlaced`.
    #[serde(rename = "type")]
    pub event_type: String,
    /// The stream.
    pub subject: StreamName,
    /// The stream once more, for buses that order by key.
    pub partitionkey: StreamName,
    /// The version, padded to 20 digits so that it orders as text.
    pub sequence: String,
    /// App, type and version of the schema: `urn:skyfold:order:order.OrderPlaced.1`. It is a URI
    /// with a scheme, as strict readers demand ("CloudEvents Version 1.0.2", `dataschema`).
    pub dataschema: String,
    /// What the data is.
    pub datacontenttype: String,
    /// When it was recorded.
    #[serde(with = "time::serde::rfc3339")]
    pub time: OffsetDateTime,
    /// The command that it came of.
    pub causationid: CommandId,
    /// The business transaction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlationid: Option<String>,
    /// The event that caused the command, if it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parentid: Option<String>,
    /// The W3C trace context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// The variant's fields; absent from an announcement by reference, whose receiver reads them
    /// from the store. That of a variant without fields is `null`, and present.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub data: Option<Payload>,
}

impl CloudEvent {
    /// The envelope of `event`, recorded by the app `app`.
    pub fn new(app: &str, event: &RecordedEvent) -> Self {
        let category = event.stream.category();
        let event_type = format!("{category}.{}", event.event_type);
        Self {
            specversion: "1.0".into(),
            id: event.id(),
            source: format!("/{app}"),
            subject: event.stream.clone(),
            partitionkey: event.stream.clone(),
            sequence: format!("{:020}", event.version.0),
            dataschema: format!("urn:skyfold:{app}:{event_type}.{}", event.schema),
            event_type,
            datacontenttype: "application/json".into(),
            time: event.time,
            causationid: event.command.clone(),
            correlationid: event.metadata.correlation.clone(),
            parentid: event.metadata.causation.clone(),
            traceparent: event.metadata.traceparent.clone(),
            data: Some(event.data.clone()),
        }
    }

    /// The announcement by reference of `id`, an event that cannot be read: whoever hears it reads
    /// the stream. Its type is none that a domain's event has.
    pub(crate) fn unreadable(app: &str, id: EventId, now: OffsetDateTime) -> Self {
        let event_type = format!("{}.unreadable", id.stream.category());
        Self {
            specversion: "1.0".into(),
            source: format!("/{app}"),
            subject: id.stream.clone(),
            partitionkey: id.stream.clone(),
            sequence: format!("{:020}", id.version.0),
            dataschema: format!("urn:skyfold:{app}:{event_type}.0"),
            event_type,
            datacontenttype: "application/json".into(),
            time: now,
            causationid: CommandId::derived(now, &[&id.to_string()]),
            correlationid: None,
            parentid: None,
            traceparent: None,
            data: None,
            id,
        }
    }

    /// The same announcement without the data, for a bus that does not carry as much.
    #[must_use]
    pub fn by_reference(self) -> Self {
        Self { data: None, ..self }
    }

    /// What is announced.
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::ErrorKind::Invalid) if the parts of the envelope contradict each other,
    /// [`Oversized`](crate::ErrorKind::Oversized) if what travels with it is longer than core
    /// lets anything be.
    pub fn into_announced(self) -> Result<Announced> {
        let Some(data) = self.data else { return Ok(Announced::Reference(self.id)) };
        let contradiction = |what: &str| {
            Error::invalid(format!("the {what} of the event {} is not this project's own", self.id))
        };
        let category = self.subject.category();
        let event_type = self.event_type.strip_prefix(category).and_then(|t| t.strip_prefix('.'));
        let event_type = event_type.ok_or_else(|| contradiction("type"))?;
        if self.id.stream != self.subject {
            return Err(contradiction("subject"));
        }
        let schema = self.dataschema.rsplit_once('.').and_then(|(_, schema)| schema.parse().ok());
        let (correlation, causation) = (self.correlationid, self.parentid);
        let metadata = Metadata { correlation, causation, traceparent: self.traceparent };
        metadata.check()?;
        Ok(Announced::Event(RecordedEvent {
            version: self.id.version,
            event_type: event_type.to_owned(),
            schema: schema.ok_or_else(|| contradiction("dataschema"))?,
            time: self.time,
            command: self.causationid,
            metadata,
            stream: self.subject,
            data,
        }))
    }
}

/// What is present, be it `null`: what is absent is not asked for.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Payload>, D::Error> {
    Payload::deserialize(deserializer).map(Some)
}

/// What an announcement brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Announced {
    /// The event itself.
    Event(RecordedEvent),
    /// The news that the stream has reached this version.
    Reference(EventId),
}

impl Announced {
    /// The stream in which something happened.
    pub fn stream(&self) -> &StreamName {
        match self {
            Self::Event(event) => &event.stream,
            Self::Reference(id) => &id.stream,
        }
    }

    /// The version that the stream has at least.
    pub fn version(&self) -> Version {
        match self {
            Self::Event(event) => event.version,
            Self::Reference(id) => id.version,
        }
    }

    /// The event's id.
    pub fn id(&self) -> EventId {
        EventId { stream: self.stream().clone(), version: self.version() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_arrives_is_what_was_announced_also_of_an_event_without_fields() {
        for data in ["null", "{}", r#"{"a":1.10}"#] {
            let event = RecordedEvent {
                stream: "order-42".parse().unwrap(),
                version: Version(3),
                event_type: "Cancelled".into(),
                schema: 2,
                time: OffsetDateTime::UNIX_EPOCH,
                command: CommandId::new("c").unwrap(),
                metadata: Metadata::default(),
                data: Payload::parse(data).unwrap(),
            };
            let sent = CloudEvent::new("order", &event);
            let arrive = |sent: &CloudEvent| -> Announced {
                let arrived: CloudEvent =
                    serde_json::from_str(&serde_json::to_string(sent).unwrap()).unwrap();
                arrived.into_announced().unwrap()
            };
            assert_eq!(arrive(&sent), Announced::Event(event.clone()), "{data}");
            assert_eq!(arrive(&sent.by_reference()), Announced::Reference(event.id()), "{data}");
        }
    }
}
