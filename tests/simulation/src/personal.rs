//! Personal data as JSON holds them: marked objects, which the ports see sealed and clients bare.

use serde_json::{Map, Value, json};
use skyfold::{Payload, RecordedEvent, StreamId};

/// The one field of a marked object.
const FIELD: &str = "_personal";

/// What every secret of a run holds. Its space keeps it apart from ids and from what is sealed.
pub(crate) const SECRET: &str = "Clementine Canary";

/// What personal data of one subject are, in the clear.
pub(crate) type Secret = (StreamId, Value);

/// Whether `text` shows a secret.
pub(crate) fn shows_secret(text: &str) -> bool {
    text.contains(SECRET)
}

/// The event with nothing left of personal data but whom they concern.
pub(crate) fn bare_event(mut event: RecordedEvent) -> RecordedEvent {
    if is_marked(event.data.get())
        && let Ok(data) = event.data.decode()
        && let Ok(data) = Payload::encode(&bare(data))
    {
        event.data = data;
    }
    event
}

/// The same of any JSON.
pub(crate) fn bare(value: Value) -> Value {
    match value {
        Value::Object(fields) => match marked(&fields) {
            Some(inner) => json!({ FIELD: { "subject": inner["subject"] } }),
            None => fields.into_iter().map(|(name, value)| (name, bare(value))).collect(),
        },
        Value::Array(items) => items.into_iter().map(bare).collect(),
        value => value,
    }
}

/// What `command` says in the clear about whom.
pub(crate) fn secrets(command: &Payload) -> Vec<Secret> {
    let mut found = vec![];
    if is_marked(command.get())
        && let Ok(command) = command.decode()
    {
        collect(&command, &mut found);
    }
    found
}

/// Whether `found` is `expected` as an outsider is shown it: in the place of what concerns a
/// subject is something that `is_right`, and everything else is the same.
pub(crate) fn is_revealed(
    found: &Value,
    expected: &Value,
    is_right: &dyn Fn(&str, &Value) -> bool,
) -> bool {
    match (found, expected) {
        (found, Value::Object(fields)) if marked(fields).is_some() => {
            is_right(marked(fields).and_then(|mark| mark["subject"].as_str()).unwrap_or(""), found)
        }
        (Value::Object(found), Value::Object(expected)) => {
            let is_same = |(name, value): (&String, &Value)| {
                found.get(name).is_some_and(|found| is_revealed(found, value, is_right))
            };
            found.len() == expected.len() && expected.iter().all(is_same)
        }
        (Value::Array(found), Value::Array(expected)) => {
            let mut pairs = found.iter().zip(expected);
            found.len() == expected.len()
                && pairs.all(|(found, expected)| is_revealed(found, expected, is_right))
        }
        (found, expected) => found == expected,
    }
}

fn is_marked(text: &str) -> bool {
    text.contains("\"_personal\"")
}

/// What a marked object holds.
fn marked(fields: &Map<String, Value>) -> Option<&Value> {
    fields.get(FIELD).filter(|_| fields.len() == 1)
}

fn collect(value: &Value, found: &mut Vec<Secret>) {
    match value {
        Value::Object(fields) => match marked(fields) {
            Some(inner) => {
                let subject = inner["subject"].as_str().and_then(|id| StreamId::new(id).ok());
                found.extend(subject.map(|subject| (subject, inner["value"].clone())));
            }
            None => fields.values().for_each(|value| collect(value, found)),
        },
        Value::Array(items) => items.iter().for_each(|value| collect(value, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_revealed_is_the_same_but_for_what_concerns_a_subject() {
        let clear = json!({ "a": [1, { FIELD: { "subject": "ada", "value": { "n": 2 } } }] });
        assert_eq!(bare(clear.clone()), json!({ "a": [1, { FIELD: { "subject": "ada" } }] }));
        let found = secrets(&Payload::encode(&clear).unwrap());
        assert_eq!(found, [(StreamId::new("ada").unwrap(), json!({ "n": 2 }))]);
        let is_right = |subject: &str, found: &Value| subject == "ada" && found.is_null();
        for (found, holds) in [
            (json!({ "a": [1, null] }), true),
            (json!({ "a": [2, null] }), false),
            (json!({ "a": [1, { "n": 2 }] }), false),
            (json!({ "a": [1, null, 3] }), false),
            (json!({ "a": [1, null], "b": 1 }), false),
        ] {
            assert_eq!(is_revealed(&found, &clear, &is_right), holds, "{found}");
        }
    }
}
