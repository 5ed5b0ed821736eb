use std::collections::HashMap;

use prost_types::Timestamp;
use skyfold::{Error, ErrorKind, Result};
use time::OffsetDateTime;

use super::{Document, Value, ValueType};

/// The fields of a document, by name.
pub(crate) type Fields = HashMap<String, Value>;

/// A text field.
pub(crate) fn s(value: impl Into<String>) -> Value {
    Value { value_type: Some(ValueType::StringValue(value.into())) }
}

/// A number field.
pub(crate) fn integer(value: i64) -> Value {
    Value { value_type: Some(ValueType::IntegerValue(value)) }
}

/// A time field, to the microsecond, as the service keeps them.
pub(crate) fn timestamp(time: OffsetDateTime) -> Value {
    let nanos = i32::try_from(time.microsecond() * 1_000).unwrap_or_default();
    let time = Timestamp { seconds: time.unix_timestamp(), nanos };
    Value { value_type: Some(ValueType::TimestampValue(time)) }
}

/// The text of the field `name` of `document`.
///
/// # Errors
///
/// [`Corrupt`](ErrorKind::Corrupt) if there is none: somebody else wrote the document.
pub(crate) fn text<'a>(document: &'a Document, name: &str) -> Result<&'a str> {
    match value(document, name) {
        Some(ValueType::StringValue(text)) => Ok(text),
        _ => Err(foreign(document, name)),
    }
}

/// The number of the field `name` of `document`, if it has one.
///
/// # Errors
///
/// [`Corrupt`](ErrorKind::Corrupt) if it is no number.
pub(crate) fn number(document: &Document, name: &str) -> Result<Option<i64>> {
    match value(document, name) {
        None => Ok(None),
        Some(ValueType::IntegerValue(number)) => Ok(Some(*number)),
        Some(_) => Err(foreign(document, name)),
    }
}

fn value<'a>(document: &'a Document, name: &str) -> Option<&'a ValueType> {
    document.fields.get(name)?.value_type.as_ref()
}

fn foreign(document: &Document, name: &str) -> Error {
    let message = format!(
        "the document {} has no {name} of this release's form: its database may have another \
         layout",
        document.name
    );
    Error::new(ErrorKind::Corrupt, message)
}
