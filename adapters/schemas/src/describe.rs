//! What a schema describes, in a few words.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::resolve::Root;

/// Whether objects that `schema` describes must have the field `name`.
pub(crate) fn is_required(schema: &Value, name: &str) -> bool {
    let required = schema.get("required").and_then(Value::as_array);
    required.is_some_and(|names| names.iter().any(|required| required == name))
}

/// What `schema`, which is no reference, describes.
pub(crate) fn kind(root: Root<'_>, schema: &Value) -> String {
    if let Some(inner) = nullable(root, schema) {
        return format!("{} or null", kind(root, inner));
    }
    if variants(root, schema).is_some() {
        return "an enum".into();
    }
    match schema.get("type") {
        Some(Value::String(name)) => kind_of_type(name, schema),
        Some(Value::Array(names)) => {
            let names = names.iter().filter_map(Value::as_str);
            names.map(|name| kind_of_type(name, schema)).collect::<Vec<_>>().join(" or ")
        }
        _ if *schema == Value::Bool(false) => "not allowed".into(),
        _ if ["oneOf", "anyOf"].iter().any(|part| schema.get(part).is_some()) => {
            "one of several".into()
        }
        _ => "anything".into(),
    }
}

fn kind_of_type(name: &str, schema: &Value) -> String {
    let word = match name {
        "object" if schema.get("properties").is_some() => "an object",
        "object" => "a map",
        "array" if schema.get("prefixItems").is_some() => "a tuple",
        "array" => "a list",
        "string" => "text",
        "integer" => "an integer",
        "number" => "a number",
        "boolean" => "true or false",
        other => other,
    };
    match schema.get("format").and_then(Value::as_str) {
        Some(format) if name != "null" => format!("{word} ({format})"),
        _ => word.to_owned(),
    }
}

/// What `schema` describes beside `null`, if it allows both as alternatives.
pub(crate) fn nullable<'a>(root: Root<'a>, schema: &'a Value) -> Option<&'a Value> {
    let [one, other] = schema.get("anyOf")?.as_array()?.as_slice() else { return None };
    let is_null = |schema: &Value| schema.get("type").is_some_and(|name| name == "null");
    match (is_null(one), is_null(other)) {
        (false, true) => Some(root.resolve(one)),
        (true, false) => Some(root.resolve(other)),
        _ => None,
    }
}

/// The variants of an enum in one of serde's forms, by name, and what each carries; `None` if
/// `schema` describes no enum.
pub(crate) fn variants<'a>(
    root: Root<'a>,
    schema: &'a Value,
) -> Option<BTreeMap<String, Option<&'a Value>>> {
    if let Some(name) = schema.get("const").and_then(Value::as_str) {
        return Some(BTreeMap::from([(name.to_owned(), None)]));
    }
    if let Some(names) = schema.get("enum").and_then(Value::as_array) {
        return names.iter().map(|name| Some((name.as_str()?.to_owned(), None))).collect();
    }
    let branches = schema.get("oneOf").and_then(Value::as_array)?;
    let mut variants = BTreeMap::new();
    for branch in branches.iter().map(|branch| root.resolve(branch)) {
        variants.extend(variants_of(branch)?);
    }
    Some(variants)
}

/// The variants that one branch of an enum describes.
fn variants_of(branch: &Value) -> Option<Vec<(String, Option<&Value>)>> {
    if let Some(name) = branch.get("const").and_then(Value::as_str) {
        return Some(vec![(name.to_owned(), None)]);
    }
    if let Some(names) = branch.get("enum").and_then(Value::as_array) {
        return names.iter().map(|name| Some((name.as_str()?.to_owned(), None))).collect();
    }
    let fields = branch.get("properties")?.as_object()?;
    if let Some(tag) = fields.values().find_map(|field| field.get("const")?.as_str()) {
        return Some(vec![(tag.to_owned(), Some(branch))]);
    }
    let mut fields = fields.iter();
    match (fields.next(), fields.next()) {
        (Some((name, body)), None) if is_required(branch, name) => {
            Some(vec![(name.clone(), Some(body))])
        }
        _ => None,
    }
}
