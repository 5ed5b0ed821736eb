use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value;

use crate::{Error, ErrorKind, Payload, Result};

type Step = fn(Value) -> Value;

/// Brings the data of old events up to the schema that the code knows.
///
/// The current schema of a type is one more than the number of its steps, so that declaring a step
/// is all it takes to begin a new version.
///
/// A type of which no more events are recorded is retired: make its variant a unit and add a step
/// that drops the data. Several of them become one variant, if each is
/// [`renamed`](Self::renamed) to it. An event is never split in two, and never left out: it keeps
/// its place in the stream, and `evolve` does nothing for it.
#[derive(Clone, Debug, Default)]
pub struct Upcasters {
    steps: BTreeMap<&'static str, Vec<Step>>,
    renamed: BTreeMap<&'static str, &'static str>,
}

/// An event's type and data as the code knows them.
#[derive(Debug)]
pub(crate) struct Current<'a> {
    pub(crate) event_type: &'a str,
    pub(crate) data: Cow<'a, Payload>,
}

impl Upcasters {
    /// Adds the step from the latest declared schema of `event_type` to the next.
    ///
    /// A step does the same at every time, and copes with all data that its schema allows. One
    /// that panics is an error that names the event, which then waits for a step that does not.
    #[must_use]
    pub fn then(mut self, event_type: &'static str, step: Step) -> Self {
        self.steps.entry(event_type).or_default().push(step);
        self
    }

    /// Says that the type `new` was called `old`: what was recorded as `old`, once it has taken
    /// the steps of `old`, is an event `new` of schema 1.
    #[must_use]
    pub fn renamed(mut self, old: &'static str, new: &'static str) -> Self {
        self.renamed.insert(old, new);
        self
    }

    /// The schema that new events of `event_type` follow.
    pub fn current(&self, event_type: &str) -> u32 {
        1 + self.steps.get(event_type).map_or(0, |steps| steps.len() as u32)
    }

    /// What an event of `event_type` that follows `schema` is by now.
    pub(crate) fn upcast<'a>(
        &self,
        event_type: &'a str,
        schema: u32,
        data: &'a Payload,
    ) -> Result<Current<'a>> {
        let steps = self.steps_from(event_type, schema)?;
        let mut current = Current { event_type, data: Cow::Borrowed(data) };
        let mut value = match steps {
            [] => None,
            steps => Some(steps.iter().fold(data.decode::<Value>()?, |value, step| step(value))),
        };
        // Longer than there are renames, they go round in a circle.
        for _ in 0..=self.renamed.len() {
            let Some(new) = self.renamed.get(current.event_type) else {
                if let Some(value) = value {
                    current.data = Cow::Owned(Payload::encode(&value)?);
                }
                return Ok(current);
            };
            current.event_type = new;
            for step in self.steps_from(new, 1)? {
                let before = value.take().map_or_else(|| data.decode::<Value>(), Ok)?;
                value = Some(step(before));
            }
        }
        Err(Error::corrupt(format!("the new names of {event_type} lead back to it")))
    }

    /// The steps that an event of `event_type` has still to take.
    fn steps_from(&self, event_type: &str, schema: u32) -> Result<&[Step]> {
        let steps = self.steps.get(event_type).map_or(&[][..], Vec::as_slice);
        let left = (schema as usize).checked_sub(1).and_then(|done| steps.get(done..));
        left.ok_or_else(|| {
            let current = self.current(event_type);
            let kind = if schema > current { ErrorKind::Newer } else { ErrorKind::Corrupt };
            let message = format!(
                "an event {event_type} has schema {schema}, and the newest known is {current}"
            );
            Error::new(kind, message)
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Adds a letter to what the data says, for each step taken.
    fn trail(letter: &str, data: &Value) -> Value {
        json!(data.as_str().unwrap().to_owned() + letter)
    }

    fn upcasters() -> Upcasters {
        Upcasters::default()
            .then("Placed", |data| trail("a", &data))
            .then("Placed", |data| trail("b", &data))
    }

    /// What an event without a trail is by now.
    fn by_now(upcasters: &Upcasters, event_type: &str, schema: u32) -> Result<(String, String)> {
        let data = Payload::parse("\"\"").unwrap();
        let current = upcasters.upcast(event_type, schema, &data)?;
        Ok((current.event_type.to_owned(), current.data.decode()?))
    }

    #[test]
    fn an_old_event_takes_each_step_once_and_in_order() {
        for (schema, trail) in [(1, "ab"), (2, "b"), (3, "")] {
            let (event_type, taken) = by_now(&upcasters(), "Placed", schema).unwrap();
            assert_eq!((event_type.as_str(), taken.as_str()), ("Placed", trail));
        }
        for (schema, kind) in [(4, ErrorKind::Newer), (0, ErrorKind::Corrupt)] {
            assert_eq!(by_now(&upcasters(), "Placed", schema).unwrap_err().kind(), kind);
        }
        assert_eq!((upcasters().current("Placed"), upcasters().current("Other")), (3, 1));
    }

    #[test]
    fn an_event_of_an_old_name_takes_the_steps_of_both_names() {
        let upcasters = upcasters()
            .renamed("Placed", "Bought")
            .then("Bought", |data| trail("c", &data))
            .renamed("Bought", "Sold");
        for (event_type, schema, trail) in
            [("Placed", 1, "abc"), ("Placed", 3, "c"), ("Bought", 1, "c"), ("Bought", 2, "")]
        {
            let sold = ("Sold".to_owned(), trail.to_owned());
            assert_eq!(by_now(&upcasters, event_type, schema).unwrap(), sold);
        }
        by_now(&upcasters, "Placed", 4).unwrap_err();
        by_now(&upcasters, "Bought", 3).unwrap_err();
    }

    #[test]
    fn names_that_lead_in_a_circle_are_an_error() {
        let circle = Upcasters::default().renamed("A", "B").renamed("B", "A").renamed("C", "C");
        for name in ["A", "B", "C"] {
            by_now(&circle, name, 1).unwrap_err();
        }
    }
}
