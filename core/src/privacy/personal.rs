use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{DeserializeOwned, Error as _};
use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::StreamId;
use crate::privacy::mark;

/// Personal data of one subject, such as a customer, until the subject is forgotten.
///
/// In an event, a command, a state or a view, it is sealed under the subject's key in everything
/// that leaves the process: the log, snapshots, views, queues and announcements. Forgetting the
/// subject destroys the key, and [`get`](Self::get) returns `None` from then on, wherever the
/// value was kept.
///
/// What is derived from it must be personal too: [`map`](Self::map) keeps it so. A value that is
/// copied into a plain field, a view's key, a list entry, a refusal or a panic is protected by
/// nothing. The subject's id itself stays readable: take a pseudonym such as a customer number,
/// never an address or a name. The length of a value can be guessed from what is stored.
///
/// ```
/// use skyfold::{Personal, StreamId};
///
/// let name = Personal::new(StreamId::new("customer-42")?, "Ada".to_owned());
/// assert_eq!(name.get().map(String::as_str), Some("Ada"));
/// assert_eq!(format!("{name} {name:?}"), "<personal> <personal>");
/// # Ok::<(), skyfold::Error>(())
/// ```
///
/// In JSON it is an object with one field, in commands as well:
/// `{"_personal":{"subject":"customer-42","value":"Ada"}}`. No other type of an app may write a
/// field of that name. Answers show the bare value, or `null` once it is forgotten.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Personal<T> {
    subject: StreamId,
    /// `None` once it is forgotten.
    value: Option<T>,
}

impl<T> Personal<T> {
    /// The `value` that concerns `subject`.
    pub fn new(subject: StreamId, value: T) -> Self {
        Self { subject, value: Some(value) }
    }

    /// Whom it concerns.
    pub fn subject(&self) -> &StreamId {
        &self.subject
    }

    /// The value, unless it is forgotten.
    pub fn get(&self) -> Option<&T> {
        self.value.as_ref()
    }

    /// The value, unless it is forgotten.
    pub fn into_value(self) -> Option<T> {
        self.value
    }

    /// Whether it is forgotten.
    pub fn is_forgotten(&self) -> bool {
        self.value.is_none()
    }

    /// What `change` makes of the value, as personal as before.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Personal<U> {
        Personal { subject: self.subject, value: self.value.map(change) }
    }

    /// The same around a reference.
    pub fn as_ref(&self) -> Personal<&T> {
        Personal { subject: self.subject.clone(), value: self.value.as_ref() }
    }
}

impl<T> fmt::Debug for Personal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(mark::MASK)
    }
}

impl<T> fmt::Display for Personal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(mark::MASK)
    }
}

/// The outer object.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Outer<T> {
    #[serde(rename = "_personal")]
    inner: T,
}

/// The inner object, as far as it is open to types.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, bound = "T: DeserializeOwned")]
struct Inner<T> {
    subject: StreamId,
    #[serde(default, deserialize_with = "present")]
    value: Option<T>,
}

/// A value that is there, be it `null`.
fn present<'de, D: Deserializer<'de>, T: DeserializeOwned>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

impl<T: Serialize> Serialize for Inner<&T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let fields = 1 + usize::from(self.value.is_some());
        let mut inner = to.serialize_struct("Personal", fields)?;
        inner.serialize_field("subject", &self.subject)?;
        if let Some(value) = self.value {
            inner.serialize_field("value", value)?;
        }
        inner.end()
    }
}

impl<T: Serialize> Serialize for Personal<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let (subject, value) = (self.subject.clone(), self.value.as_ref());
        Outer { inner: Inner { subject, value } }.serialize(to)
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Personal<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        // What serde would say quotes the value that it met.
        let outer = Outer::<Inner<T>>::deserialize(from).map_err(|_| {
            D::Error::custom(
                "personal data that do not fit their type, or were altered, moved or lost their \
                 key since they were sealed: expected {\"_personal\":{\"subject\":…,\"value\":…}}",
            )
        })?;
        Ok(Self { subject: outer.inner.subject, value: outer.inner.value })
    }
}

impl<T: JsonSchema> JsonSchema for Personal<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("Personal_{}", T::schema_name()).into()
    }

    fn schema_id() -> Cow<'static, str> {
        format!("{}::Personal<{}>", module_path!(), T::schema_id()).into()
    }

    /// An answer shows the value or `null`; a command or an event holds the marked object.
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let (value, is_answer) =
            (generator.subschema_for::<T>(), generator.contract().is_serialize());
        if is_answer {
            return json_schema!({
                "description": "Personal data: null once its subject is forgotten.",
                "anyOf": [value, { "type": "null" }],
            });
        }
        let subject = generator.subschema_for::<StreamId>();
        json_schema!({
            "description": "Personal data of a subject. Wherever it is stored or sent it is \
                            sealed: `key` and `sealed` stand in the place of `value`, and neither \
                            can be read once the subject is forgotten.",
            "type": "object",
            "properties": {
                "_personal": {
                    "type": "object",
                    "properties": { "subject": subject, "value": value },
                    "required": ["subject"],
                },
            },
            "required": ["_personal"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ada<T>(value: T) -> Personal<T> {
        Personal::new(StreamId::new("ada").unwrap(), value)
    }

    #[test]
    fn a_value_that_is_there_is_told_from_one_that_is_forgotten() {
        for (value, text) in [
            (ada(None), r#"{"_personal":{"subject":"ada","value":null}}"#),
            (ada(Some(3)), r#"{"_personal":{"subject":"ada","value":3}}"#),
        ] {
            assert_eq!(serde_json::to_string(&value).unwrap(), text);
            let read: Personal<Option<u8>> = serde_json::from_str(text).unwrap();
            assert!(read == value && !read.is_forgotten());
        }
        let text = r#"{"_personal":{"subject":"ada"}}"#;
        let read: Personal<Option<u8>> = serde_json::from_str(text).unwrap();
        assert!(read.is_forgotten() && read.get().is_none());
        assert_eq!(serde_json::to_string(&read).unwrap(), text);
    }

    #[test]
    fn no_error_quotes_what_was_there() {
        for text in [
            r#""Canary""#,
            r#"{"_personal":"Canary"}"#,
            r#"{"_personal":{"subject":"ada","value":"Canary"}}"#,
            r#"{"_personal":{"subject":"ada","value":3,"Canary":1}}"#,
            r#"{"_personal":{"subject":"ada","value":3},"Canary":1}"#,
            r#"{"_personal":{"subject":"ada","key":1,"sealed":"Canary"}}"#,
            r#"{"_personal":{"subject":"Canary/","value":3}}"#,
        ] {
            let error = serde_json::from_str::<Personal<u8>>(text).unwrap_err().to_string();
            assert!(!error.contains("Canary") && error.contains("personal data"), "{error}");
        }
    }

    #[test]
    fn the_value_does_not_show_itself() {
        let shown = format!("{0:?} {0} {0:>12} {1:?}", ada("Canary"), Some(ada(["Canary"])));
        assert!(!shown.contains("Canary"), "{shown}");
        assert_eq!(ada(3).map(|n| n + 1), ada(4));
        assert_eq!(ada(3).as_ref().map(|n| n + 1), ada(4));
    }
}
