use std::collections::BTreeMap;

use serde_json::Value;

use crate::{Error, Payload, Result};

type Upcast = fn(Value) -> Value;

/// Brings the data of old events up to the schema that the code knows.
///
/// The current schema of a type is one more than the number of its upcasters, so that declaring
/// an upcaster is all it takes to begin a new version.
#[derive(Clone, Debug, Default)]
pub struct Upcasters(BTreeMap<&'static str, Vec<Upcast>>);

impl Upcasters {
    /// Adds the step from the latest declared schema of `event_type` to the next.
    #[must_use]
    pub fn then(mut self, event_type: &'static str, step: Upcast) -> Self {
        self.0.entry(event_type).or_default().push(step);
        self
    }

    /// The schema that new events of `event_type` follow.
    pub fn current(&self, event_type: &str) -> u32 {
        1 + self.0.get(event_type).map_or(0, |steps| steps.len() as u32)
    }

    /// `data` after the steps from `schema` on; `None` if there is nothing to do.
    pub(crate) fn upcast(
        &self,
        event_type: &str,
        schema: u32,
        data: &Payload,
    ) -> Result<Option<Payload>> {
        let current = self.current(event_type);
        if schema == current {
            return Ok(None);
        }
        let steps = self.0.get(event_type).map_or(&[][..], Vec::as_slice);
        let Some(steps) = (schema as usize).checked_sub(1).and_then(|done| steps.get(done..))
        else {
            return Err(Error::corrupt(format!(
                "an event {event_type} has schema {schema}, and the newest known is {current}"
            )));
        };
        let value = steps.iter().fold(data.decode::<Value>()?, |value, step| step(value));
        Payload::encode(&value).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_old_event_takes_each_step_once_and_in_order() {
        let upcasters = Upcasters::default()
            .then(
                "Placed",
                |data| json!({ "steps": data["steps"].as_str().unwrap().to_owned() + "a" }),
            )
            .then(
                "Placed",
                |data| json!({ "steps": data["steps"].as_str().unwrap().to_owned() + "b" }),
            );
        let data = Payload::parse(r#"{"steps":""}"#).unwrap();
        let steps = |schema| {
            let upcast = upcasters.upcast("Placed", schema, &data).unwrap();
            upcast.map(|data| data.decode::<Value>().unwrap()["steps"].as_str().unwrap().to_owned())
        };
        assert_eq!(steps(1).as_deref(), Some("ab"));
        assert_eq!(steps(2).as_deref(), Some("b"));
        assert_eq!(steps(3), None);
        upcasters.upcast("Placed", 4, &data).unwrap_err();
        upcasters.upcast("Placed", 0, &data).unwrap_err();
        assert_eq!((upcasters.current("Placed"), upcasters.current("Other")), (3, 1));
    }
}
