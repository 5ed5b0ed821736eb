use std::collections::BTreeMap;

use serde_json::{Value, json};

/// Where a schema keeps its definitions.
const DEFINITIONS: &str = "$defs";

/// What refers to one of them begins with this.
const PREFIX: &str = "#/$defs/";

/// A schema whose references are within itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Root<'a>(pub(crate) &'a Value);

impl<'a> Root<'a> {
    /// The name of the definition that `schema` refers to, if it is a reference.
    pub(crate) fn reference(schema: &Value) -> Option<&str> {
        schema.get("$ref")?.as_str()?.strip_prefix(PREFIX)
    }

    /// `schema`, or what it refers to. A reference that leads nowhere or back to itself allows
    /// everything, as JSON Schema has it of an empty schema.
    pub(crate) fn resolve(self, schema: &'a Value) -> &'a Value {
        let mut found = schema;
        // Longer than there are definitions, references lead in a circle.
        for _ in 0..=self.definitions().count() {
            let Some(name) = Self::reference(found) else { return found };
            found = &self.0[DEFINITIONS][name];
        }
        &Value::Null
    }

    fn definitions(self) -> impl Iterator<Item = (&'a String, &'a Value)> {
        self.0.get(DEFINITIONS).and_then(Value::as_object).into_iter().flatten()
    }
}

/// The schema of an event as it stands on its own: with the definitions that it needs and no
/// others. An event without fields has the data `null`.
pub(crate) fn stand_alone(schema: Option<&Value>) -> Value {
    let Some(schema) = schema else { return json!({ "type": "null" }) };
    let mut alone = schema.clone();
    let Some(fields) = alone.as_object_mut() else { return alone };
    fields.remove(DEFINITIONS);
    let mut needed: BTreeMap<&str, &Value> = BTreeMap::new();
    let mut open = references(&Value::Object(fields.clone()));
    while let Some(name) = open.pop() {
        let found = schema[DEFINITIONS].as_object().and_then(|all| all.get_key_value(&name));
        let Some((name, definition)) = found else { continue };
        if needed.insert(name, definition).is_none() {
            open.extend(references(definition));
        }
    }
    if !needed.is_empty() {
        fields.insert(DEFINITIONS.into(), json!(needed));
    }
    alone
}

/// The names of the definitions that `schema` refers to, wherever it does.
fn references(schema: &Value) -> Vec<String> {
    match schema {
        Value::Object(fields) => {
            let own = Root::reference(schema).map(str::to_owned);
            own.into_iter().chain(fields.values().flat_map(references)).collect()
        }
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => vec![],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_on_its_own_has_the_definitions_that_it_needs() {
        let schema = json!({
            "$ref": "#/$defs/A",
            "$defs": {
                "A": { "items": { "$ref": "#/$defs/B" } },
                "B": { "anyOf": [{ "$ref": "#/$defs/A" }, { "type": "null" }] },
                "C": { "type": "string" },
            },
        });
        let alone = stand_alone(Some(&schema));
        let names: Vec<_> = alone["$defs"].as_object().unwrap().keys().collect();
        assert_eq!(names, ["A", "B"]);
        assert_eq!(Root(&alone).resolve(&alone), &schema["$defs"]["A"]);
    }

    #[test]
    fn references_that_lead_in_a_circle_or_nowhere_are_no_end_of_it() {
        let schema = json!({ "$ref": "#/$defs/A", "$defs": { "A": { "$ref": "#/$defs/A" } } });
        assert_eq!(Root(&schema).resolve(&schema), &Value::Null);
        let schema = json!({ "$ref": "#/$defs/B" });
        assert_eq!(Root(&schema).resolve(&schema), &Value::Null);
    }
}
