use std::collections::HashMap;

use serde::Deserialize;
use serde_json::value::RawValue;
use skyfold::host::Attempts;
use skyfold::{Error, ErrorKind, Result};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// How often a value may be JSON in a string of JSON: what the Functions host binds as text it
/// encodes once more.
const WRAPS_MAX: usize = 4;

/// What tells how often a message was taken from its queue ("Azure Queue storage trigger",
/// "Metadata").
const DEQUEUE_COUNT: &str = "DequeueCount";

/// What tells when a message was put into its queue (ibid.).
const INSERTION_TIME: &str = "InsertionTime";

/// What the Functions host posts when a trigger has fired that is none of HTTP ("Azure Functions
/// custom handlers", "Request payload").
#[derive(Debug, Deserialize)]
pub(super) struct Invocation {
    /// What is bound, by the name of its binding: the trigger, and nothing else.
    #[serde(rename = "Data")]
    data: HashMap<String, Box<RawValue>>,
    #[serde(default, rename = "Metadata")]
    metadata: HashMap<String, Box<RawValue>>,
}

impl Invocation {
    /// Reads a body.
    pub(super) fn read(body: &[u8]) -> Result<Self> {
        serde_json::from_slice(body).map_err(|error| {
            unlike("the body is not what the Functions host posts").with_source(error)
        })
    }

    /// What the trigger has brought: JSON, unless it is a text that is none.
    pub(super) fn brought(&self) -> Result<String> {
        let mut values = self.data.values();
        match (values.next(), values.next()) {
            (Some(value), None) => unwrapped(value),
            _ => {
                let count = self.data.len();
                Err(unlike(&format!("the trigger has brought {count} values, and not one")))
            }
        }
    }

    /// The parts of what the trigger has brought: those of an array, or else the one that it is.
    pub(super) fn parts(&self) -> Result<Vec<Box<RawValue>>> {
        parts(&self.brought()?)
    }

    /// How often it was brought, this time included, if the trigger counts.
    pub(super) fn attempts(&self) -> Attempts {
        let count = self.metadata.get(DEQUEUE_COUNT).and_then(|count| unwrapped(count).ok());
        Attempts::made(count.and_then(|count| count.parse().ok()).unwrap_or(0))
    }

    /// When it was put into its queue, if the trigger says so.
    pub(super) fn inserted(&self) -> Option<OffsetDateTime> {
        let time = unwrapped(self.metadata.get(INSERTION_TIME)?).ok()?;
        OffsetDateTime::parse(&time, &Rfc3339).ok()
    }
}

/// The elements of the JSON `text` if it is an array, or else the one value that it is.
pub(super) fn parts(text: &str) -> Result<Vec<Box<RawValue>>> {
    let parts = match text.trim_start().starts_with('[') {
        true => serde_json::from_str(text),
        false => serde_json::from_str(text).map(|one| vec![one]),
    };
    parts.map_err(|error| unlike("what was brought is no JSON").with_source(error))
}

/// The text of `value` once it is no string of JSON any more.
fn unwrapped(value: &RawValue) -> Result<String> {
    let mut text = value.get().to_owned();
    for _ in 0..WRAPS_MAX {
        let Ok(inner) = serde_json::from_str(&text) else { return Ok(text) };
        text = inner;
    }
    match text.starts_with('"') {
        true => Err(unlike(&format!("a value is JSON in JSON more than {WRAPS_MAX} times"))),
        false => Ok(text),
    }
}

fn unlike(what: &str) -> Error {
    Error::new(ErrorKind::Invalid, what.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn invocation(data: &Value) -> Invocation {
        Invocation::read(json!({ "Data": data }).to_string().as_bytes()).unwrap()
    }

    /// `value` as JSON, in a string of JSON so many times.
    fn wrapped(value: Value, times: usize) -> Value {
        (0..times).fold(value, |value, _| Value::String(value.to_string()))
    }

    #[test]
    fn what_is_bound_is_read_however_often_it_is_encoded() {
        for times in 0..WRAPS_MAX {
            let brought = |value| invocation(&json!({ "it": wrapped(value, times) })).brought();
            assert_eq!(brought(json!("hi")).unwrap(), "hi");
            assert_eq!(brought(json!({ "n": 1 })).unwrap(), r#"{"n":1}"#);
        }
        let deep = invocation(&json!({ "it": wrapped(json!("hi"), WRAPS_MAX) }));
        assert_eq!(deep.brought().unwrap_err().kind(), ErrorKind::Invalid);
    }

    #[test]
    fn a_number_stays_as_it_is_written() {
        let body = br#"{"Data":{"it":"\"{\\\"n\\\":1.10}\""}}"#;
        assert_eq!(Invocation::read(body).unwrap().brought().unwrap(), r#"{"n":1.10}"#);
    }

    #[test]
    fn one_value_is_brought_in_one_part_or_several() {
        let parts = |value: &Value| -> Vec<String> {
            let parts = invocation(value).parts().unwrap();
            parts.iter().map(|part| part.get().to_owned()).collect()
        };
        assert_eq!(parts(&json!({ "it": { "n": 1 } })), [r#"{"n":1}"#]);
        assert_eq!(parts(&json!({ "it": r#"[{"n":1}, 2]"# })), [r#"{"n":1}"#, "2"]);
        for data in [json!({}), json!({ "it": 1, "other": 2 }), json!({ "it": "none" })] {
            assert_eq!(invocation(&data).parts().unwrap_err().kind(), ErrorKind::Invalid);
        }
    }

    #[test]
    fn deliveries_are_counted_where_the_trigger_counts() {
        let attempts = |metadata: Value| {
            let body = json!({ "Data": {}, "Metadata": metadata }).to_string();
            Invocation::read(body.as_bytes()).unwrap().attempts()
        };
        assert_eq!(attempts(json!({})), Attempts::made(0));
        for count in [json!(7), json!("7"), json!("\"7\"")] {
            assert_eq!(attempts(json!({ "DequeueCount": count })), Attempts::made(7));
        }
    }
}
