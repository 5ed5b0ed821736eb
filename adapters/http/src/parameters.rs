//! The parameters of a query, as its JSON Schema describes them.

use percent_encoding::percent_decode_str;
use serde_json::{Map, Number, Value};
use skyfold::Payload;

use crate::after;
use crate::problem::Problem;
use crate::query_string::QueryString;

/// How deep references between parts of a schema are followed.
const DEPTH_MAX: usize = 16;

/// The parameters of a query, for those who give them as text.
#[derive(Clone, Debug)]
pub(crate) struct Parameters {
    pub(crate) all: Vec<Parameter>,
    /// Whether the query takes nothing at all, not even an object.
    is_unit: bool,
}

/// A parameter.
#[derive(Clone, Debug)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    /// Its part of the schema, whose references lead to the whole.
    pub(crate) schema: Value,
    pub(crate) is_required: bool,
    types: Types,
}

/// What JSON a text may stand for.
#[derive(Clone, Debug, Default)]
struct Types {
    names: Vec<String>,
    /// Those of the items, if it may be a list.
    items: Option<Box<Types>>,
}

impl Parameters {
    /// The properties that `schema` describes, but for those of a name that is every reader's.
    pub(crate) fn of(schema: &Value) -> Self {
        let mut all = vec![];
        collect(schema, schema, &mut all, 0);
        all.retain(|parameter| !after::PARAMETERS.contains(&parameter.name.as_str()));
        Self { all, is_unit: schema["type"] == "null" }
    }

    /// Reads what is in `query` as the schema has it; `after` and `wait` have been taken.
    pub(crate) fn read(&self, mut query: QueryString) -> Result<Payload, Problem> {
        let mut params = Map::new();
        for parameter in &self.all {
            let values = query.take_all(&parameter.name);
            if let Some(value) = parameter.read(values)? {
                params.insert(parameter.name.clone(), value);
            }
        }
        let names = self.all.iter().map(|parameter| parameter.name.as_str());
        query.finish(&names.chain(after::PARAMETERS).collect::<Vec<_>>())?;
        let params = if self.is_unit { Value::Null } else { Value::Object(params) };
        Ok(Payload::encode(&params)?)
    }
}

impl Parameter {
    fn read(&self, values: Vec<String>) -> Result<Option<Value>, Problem> {
        let illegal = |text: &str, types: &Types| {
            let (name, expected) = (&self.name, types.names.join(" or "));
            Problem::invalid(format!("the parameter {name} is {text:?}, not of type {expected}"))
        };
        if let (Some(items), false) = (&self.types.items, values.is_empty()) {
            let read = |text: &String| items.read(text).ok_or_else(|| illegal(text, items));
            return values.iter().map(read).collect::<Result<_, _>>().map(Some);
        }
        match &values[..] {
            [] => Ok(None),
            [text] => self.types.read(text).map(Some).ok_or_else(|| illegal(text, &self.types)),
            _ => {
                let (name, count) = (&self.name, values.len());
                Err(Problem::invalid(format!("the parameter {name} is there {count} times")))
            }
        }
    }
}

impl Types {
    /// The types that `schema`, a part of `root`, allows.
    fn of(root: &Value, schema: &Value, depth: usize) -> Self {
        let mut types = Self::default();
        types.add(root, schema, depth);
        types
    }

    fn add(&mut self, root: &Value, schema: &Value, depth: usize) {
        if depth > DEPTH_MAX {
            return;
        }
        if let Some(target) = target(root, schema) {
            self.add(root, target, depth + 1);
        }
        match &schema["type"] {
            Value::String(name) => self.names.push(name.clone()),
            Value::Array(names) => {
                self.names.extend(names.iter().filter_map(Value::as_str).map(str::to_owned));
            }
            _ => {}
        }
        if let Some(items) = schema.get("items") {
            self.items = Some(Box::new(Self::of(root, items, depth + 1)));
        }
        for choice in ["anyOf", "oneOf", "allOf"] {
            for choice in schema[choice].as_array().into_iter().flatten() {
                self.add(root, choice, depth + 1);
            }
        }
    }

    /// The value that `text` stands for, if it can.
    fn read(&self, text: &str) -> Option<Value> {
        let has = |name: &str| self.names.iter().any(|known| known == name);
        let number = || text.parse::<Number>().ok();
        let is_text = has("string") || !["integer", "number", "boolean"].into_iter().any(has);
        match text {
            _ if is_text => Some(Value::from(text)),
            "" if has("null") => Some(Value::Null),
            "true" | "false" if has("boolean") => Some(Value::from(text == "true")),
            _ if has("number") => number().map(Value::Number),
            _ if has("integer") => number().filter(|n| !n.is_f64()).map(Value::Number),
            _ => None,
        }
    }
}

/// Collects the properties of an object, also where its schema is composed of several.
fn collect(root: &Value, schema: &Value, all: &mut Vec<Parameter>, depth: usize) {
    if depth > DEPTH_MAX {
        return;
    }
    if let Some(target) = target(root, schema) {
        collect(root, target, all, depth + 1);
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        collect(root, part, all, depth + 1);
    }
    for (name, part) in schema["properties"].as_object().into_iter().flatten() {
        if all.iter().any(|known| known.name == *name) {
            continue;
        }
        let required = schema["required"].as_array();
        let is_required = required.is_some_and(|names| names.iter().any(|known| known == name));
        let (name, types) = (name.clone(), Types::of(root, part, 0));
        all.push(Parameter { name, schema: part.clone(), is_required, types });
    }
}

/// What a reference leads to.
fn target<'a>(root: &'a Value, schema: &Value) -> Option<&'a Value> {
    let pointer = schema["$ref"].as_str()?.strip_prefix('#')?;
    root.pointer(&percent_decode_str(pointer).decode_utf8().ok()?)
}

#[cfg(test)]
mod tests {
    use schemars::{JsonSchema, schema_for};
    use serde_json::json;

    use super::*;

    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its schema counts")]
    struct History {
        customer: Name,
        limit: Option<u32>,
        ratio: Option<f64>,
        newest_first: bool,
        status: Option<Status>,
        tags: Vec<i64>,
        #[serde(flatten)]
        more: More,
    }

    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its schema counts")]
    struct Name(String);

    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its schema counts")]
    enum Status {
        Open,
        Closed,
    }

    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its schema counts")]
    struct More {
        deep: Option<Deep>,
    }

    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its schema counts")]
    struct Deep(i64);

    fn read<T: JsonSchema>(query: &str) -> Result<Value, String> {
        let parameters = Parameters::of(&schema_for!(T).to_value());
        let query = QueryString::parse(Some(query)).unwrap();
        let payload = parameters.read(query).map_err(|problem| problem.detail)?;
        Ok(payload.decode().unwrap())
    }

    #[test]
    fn text_becomes_what_the_schema_says_it_is() {
        let query = "customer=42&limit=7&ratio=1e-2&newest_first=true&status=Open&deep=-3";
        let expected = json!({
            "customer": "42", "limit": 7, "ratio": 0.01, "newest_first": true, "status": "Open",
            "deep": -3,
        });
        assert_eq!(read::<History>(query).unwrap(), expected);
        let lists = json!({ "tags": [1, 2], "limit": null });
        assert_eq!(read::<History>("tags=1&tags=2&limit=").unwrap(), lists);
    }

    #[test]
    fn text_that_stands_for_nothing_of_the_kind_is_refused() {
        for query in [
            "limit=ten",
            "limit=1.5",
            "limit=%2B1",
            "limit=%201",
            "limit=1%20",
            "limit=007",
            "limit=1e400",
            "ratio=NaN",
            "newest_first=yes",
            "newest_first=",
            "tags=x",
            "limit=1&limit=2",
        ] {
            read::<History>(query).unwrap_err();
        }
        let refused = read::<History>("limit=ten").unwrap_err();
        assert_eq!(refused, "the parameter limit is \"ten\", not of type integer or null");
    }

    #[test]
    fn an_unknown_parameter_is_refused_with_those_that_are_known() {
        let refused = read::<More>("depth=3").unwrap_err();
        assert_eq!(refused, "unknown parameter \"depth\": known are deep, after, wait");
    }

    #[test]
    fn a_query_without_parameters_takes_none() {
        assert_eq!(read::<()>("").unwrap(), Value::Null);
        #[derive(JsonSchema)]
        struct Nothing {}
        assert_eq!(read::<Nothing>("").unwrap(), json!({}));
        read::<Nothing>("a=1").unwrap_err();
    }

    #[test]
    fn a_name_that_is_every_readers_is_none_of_the_querys_own() {
        let schema = json!({ "properties": { "after": { "type": "integer" }, "b": {} } });
        let names: Vec<_> = Parameters::of(&schema).all.into_iter().map(|p| p.name).collect();
        assert_eq!(names, ["b"]);
    }

    #[test]
    fn a_schema_that_goes_in_circles_ends() {
        let circle = json!({
            "type": "object",
            "properties": { "a": { "$ref": "#/$defs/A" } },
            "$defs": { "A": { "anyOf": [{ "$ref": "#/$defs/A" }] } },
        });
        assert_eq!(Parameters::of(&circle).all.len(), 1);
    }
}
