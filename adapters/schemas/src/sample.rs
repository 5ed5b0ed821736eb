use serde_json::{Map, Value, json};

use crate::resolve::Root;

/// How many samples are made of one schema.
const SAMPLES_MAX: usize = 16;

/// How deep a sample goes into what contains itself.
const DEPTH_MAX: usize = 8;

/// Data of the form that `schema` describes, the same at every time: one with everything, one with
/// what is required alone, and then one for each further variant of its enums.
///
/// A text is the example that its schema gives, or else the name of its field. What a schema asks
/// of it beyond that, such as a pattern without an example, no sample knows of.
pub(crate) fn samples(schema: &Value) -> Vec<Value> {
    let root = Root(schema);
    let mut choices = 1;
    let mut samples = vec![];
    let mut picked = 0;
    while picked < choices && samples.len() < SAMPLES_MAX {
        let mut sampler = Sampler { root, picked, optional: true, choices: 1 };
        add(&mut samples, sampler.sample("", schema, 0));
        choices = choices.max(sampler.choices);
        if picked == 0 {
            let mut sampler = Sampler { root, picked, optional: false, choices: 1 };
            add(&mut samples, sampler.sample("", schema, 0));
        }
        picked += 1;
    }
    samples
}

fn add(samples: &mut Vec<Value>, sample: Value) {
    if !samples.contains(&sample) {
        samples.push(sample);
    }
}

struct Sampler<'a> {
    root: Root<'a>,
    /// Which of several alternatives is taken; the last where there are fewer.
    picked: usize,
    /// Whether there is what need not be.
    optional: bool,
    /// How many alternatives there are at most.
    choices: usize,
}

impl<'a> Sampler<'a> {
    fn sample(&mut self, name: &str, schema: &'a Value, depth: usize) -> Value {
        if let Some(example) = schema["examples"].get(0) {
            return example.clone();
        }
        let schema = self.root.resolve(schema);
        if let Some(fixed) = schema["examples"].get(0).or_else(|| schema.get("const")) {
            return fixed.clone();
        }
        if let Some(values) = schema["enum"].as_array().filter(|values| !values.is_empty()) {
            return self.pick(values).clone();
        }
        for part in ["oneOf", "anyOf"] {
            if let Some(branches) = schema[part].as_array().filter(|some| !some.is_empty()) {
                // What need not be there is null, and what contains itself has an end.
                let null = branches.iter().find(|branch| branch["type"] == "null");
                if let Some(null) = null.filter(|_| !self.optional || depth > DEPTH_MAX) {
                    return self.sample(name, null, depth);
                }
                let branch = self.pick(branches);
                return self.sample(name, branch, depth + 1);
            }
        }
        match type_of(schema) {
            "object" => self.object(schema, depth),
            "array" => self.array(name, schema, depth),
            "string" => json!(text(name, &schema["format"])),
            "integer" => json!(schema["minimum"].as_i64().unwrap_or(0).max(1)),
            "number" => json!(1.5),
            "boolean" => json!(true),
            _ => Value::Null,
        }
    }

    fn pick<T>(&mut self, alternatives: &'a [T]) -> &'a T {
        self.choices = self.choices.max(alternatives.len());
        &alternatives[self.picked.min(alternatives.len() - 1)]
    }

    fn object(&mut self, schema: &'a Value, depth: usize) -> Value {
        let mut object = Map::new();
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            let is_required = crate::describe::is_required(schema, name);
            if is_required || (self.optional && depth <= DEPTH_MAX) {
                object.insert(name.clone(), self.sample(name, field, depth + 1));
            }
        }
        let rest = &schema["additionalProperties"];
        if rest.is_object() && self.optional && depth <= DEPTH_MAX {
            object.insert("key".into(), self.sample("value", rest, depth + 1));
        }
        Value::Object(object)
    }

    fn array(&mut self, name: &str, schema: &'a Value, depth: usize) -> Value {
        let places = schema["prefixItems"].as_array().into_iter().flatten();
        let mut array: Vec<_> = places.map(|place| self.sample(name, place, depth + 1)).collect();
        let is_empty = !self.optional && schema["minItems"].as_u64().unwrap_or(0) == 0;
        if schema["items"].is_object() && !is_empty && depth <= DEPTH_MAX {
            array.push(self.sample(name, &schema["items"], depth + 1));
        }
        Value::Array(array)
    }
}

/// The type that `schema` names, or the first that is not null.
fn type_of(schema: &Value) -> &str {
    let mut several = schema["type"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let first = several.find(|name| *name != "null");
    schema["type"].as_str().or(first).unwrap_or("null")
}

/// A text that says which field it is of.
fn text(name: &str, format: &Value) -> String {
    match format.as_str() {
        Some("date") => "2010-12-01".into(),
        Some("date-time") => "2010-12-01T08:26:00Z".into(),
        Some("uuid") => "00000000-0000-7000-8000-000000000001".into(),
        _ if name.is_empty() => "text".into(),
        _ => name.to_owned(),
    }
}
