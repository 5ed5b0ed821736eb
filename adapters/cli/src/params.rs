//! The parameters of a question, as they are given on the command line.

use serde_json::{Map, Value};
use skyfold::{Error, ErrorKind, Kind, Manifest, Payload, Result};

/// The JSON that `given` stands for: a whole object, or a `key=value` for each parameter of the
/// query `name`, whose types its schema tells.
///
/// # Errors
///
/// [`Invalid`](ErrorKind::Invalid) if it is neither, or the query has no parameter of that name.
pub(crate) fn read(manifest: &Manifest, name: &str, given: &[String]) -> Result<Payload> {
    if let [whole] = given
        && whole.trim_start().starts_with('{')
    {
        return Payload::parse(whole);
    }
    let query = manifest.function(name).filter(|function| function.kind == Kind::Query);
    let schema = query.and_then(|query| query.params.as_ref()).unwrap_or(&Value::Null);
    if given.is_empty() && schema["type"] == "null" {
        return Ok(Payload::default());
    }
    let mut params = Map::new();
    for pair in given {
        let invalid = |message: String| Error::new(ErrorKind::Invalid, message);
        let Some((key, value)) = pair.split_once('=') else {
            let message = format!("the parameter {pair:?} is neither key=value nor a JSON object");
            return Err(invalid(message));
        };
        if let Some(known) = schema["properties"].as_object()
            && !known.contains_key(key)
        {
            let known: Vec<_> = known.keys().map(String::as_str).collect();
            let message = format!("{name} has no parameter {key:?}, only {}", known.join(", "));
            return Err(invalid(message));
        }
        let value = value_of(&schema["properties"][key], schema, value);
        if params.insert(key.to_owned(), value).is_some() {
            return Err(invalid(format!("the parameter {key:?} is given twice")));
        }
    }
    Payload::encode(&params)
}

/// What `text` means where `schema`, a part of `root`, is expected: a text where that is legal, or
/// else whatever JSON it is.
fn value_of(schema: &Value, root: &Value, text: &str) -> Value {
    let as_text = || Value::String(text.to_owned());
    if is_text(schema, root, REFERENCES_MAX) {
        return as_text();
    }
    serde_json::from_str(text).unwrap_or_else(|_| as_text())
}

/// How many references in a row are followed: a type that is nested deeper is no parameter.
const REFERENCES_MAX: usize = 8;

fn is_text(schema: &Value, root: &Value, references: usize) -> bool {
    if let (Some(reference), Some(left)) = (schema["$ref"].as_str(), references.checked_sub(1)) {
        let pointer = reference.strip_prefix('#').unwrap_or(reference);
        return root.pointer(pointer).is_some_and(|schema| is_text(schema, root, left));
    }
    let one_of = |key: &str| {
        let branches = schema[key].as_array().into_iter().flatten();
        branches.into_iter().any(|branch| is_text(branch, root, references))
    };
    match &schema["type"] {
        Value::String(kind) => kind == "string",
        Value::Array(kinds) => kinds.iter().any(|kind| kind == "string"),
        _ => schema["const"].is_string() || one_of("anyOf") || one_of("oneOf") || one_of("allOf"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn manifest() -> Manifest {
        let manifest = json!({ "app": "probe", "functions": [{
            "name": "ask",
            "kind": "query",
            "params": {
                "type": "object",
                "properties": {
                    "customer": { "$ref": "#/$defs/Customer" },
                    "limit": { "type": ["integer", "null"] },
                    "order": { "anyOf": [{ "$ref": "#/$defs/Customer" }, { "type": "null" }] },
                    "days": { "type": "array", "items": { "type": "string" } },
                    "name": { "type": ["string", "null"] },
                    "status": { "oneOf": [{ "const": "Open" }, { "const": "Closed" }] },
                    "place": { "allOf": [{ "$ref": "#/$defs/Customer" }] },
                    "level": { "const": "low" },
                },
                "$defs": { "Customer": { "type": "string" } },
            },
        }] });
        serde_json::from_value(manifest).unwrap()
    }

    fn read_all(given: &[&str]) -> Result<Value> {
        let given: Vec<_> = given.iter().map(|pair| (*pair).to_owned()).collect();
        read(&manifest(), "ask", &given)?.decode()
    }

    #[test]
    fn a_value_takes_the_type_that_the_schema_tells() {
        for name in ["customer", "order", "name", "status", "place", "level"] {
            let pair = format!("{name}=5");
            assert_eq!(read_all(&[&pair]).unwrap(), json!({ name: "5" }), "a text is legal");
        }
        let read = read_all(&["customer=a=b", "limit=5", r#"days=["a"]"#]).unwrap();
        assert_eq!(read, json!({ "customer": "a=b", "limit": 5, "days": ["a"] }));
        assert_eq!(read_all(&["limit=five"]).unwrap(), json!({ "limit": "five" }));
        assert_eq!(read_all(&["limit=null"]).unwrap(), json!({ "limit": null }));
        assert_eq!(read_all(&[]).unwrap(), json!({}));
    }

    #[test]
    fn a_whole_object_is_taken_as_it_is() {
        assert_eq!(read_all(&[r#"{"limit": 1}"#]).unwrap(), json!({ "limit": 1 }));
    }

    #[test]
    fn what_is_no_parameter_is_refused_by_name() {
        for (given, part) in [
            (&["custmer=1"][..], "customer, days, level, limit, name, order"),
            (&["customer"], "neither key=value"),
            (&["limit=1", "limit=2"], "given twice"),
            (&["{"], "malformed JSON"),
        ] {
            let error = read_all(given).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            assert!(error.to_string().contains(part), "{error}");
        }
    }
}
