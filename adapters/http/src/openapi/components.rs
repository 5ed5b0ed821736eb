use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

/// Where schemas are in the document.
const SCHEMAS: &str = "#/components/schemas/";

/// What a reference to the whole of a schema is called among its definitions.
const ROOT: &str = "";

/// The schemas of the document, each under one name, however many functions speak of it.
///
/// Types of one name that differ, or whose parts differ, are kept apart: the later one is named
/// after the function that speaks of it.
#[derive(Debug, Default)]
pub(crate) struct Components {
    schemas: Map<String, Value>,
    /// What each was made of: the definition and all those that it leads to.
    origins: BTreeMap<String, Definitions>,
}

/// The definitions of a schema, by name; the schema itself is [`ROOT`].
type Definitions = BTreeMap<String, Value>;

/// Under which names the definitions of one schema are among the components.
#[derive(Debug)]
pub(crate) struct Names(BTreeMap<String, String>);

impl Components {
    /// Adds `schema` and its definitions.
    pub(crate) fn add(&mut self, name: &str, schema: &Value) -> Names {
        let mut definitions = Definitions::new();
        let mut root = schema.clone();
        if let Some(Value::Object(inner)) = root.as_object_mut().and_then(|o| o.remove("$defs")) {
            definitions.extend(inner);
        }
        definitions.insert(ROOT.to_owned(), root);
        let mut names = Names(BTreeMap::new());
        let mut added = vec![];
        for definition in definitions.keys() {
            let origin = reachable(definition, &definitions);
            let wanted = if definition == ROOT { name } else { definition };
            let component = self.name(name, wanted, &origin);
            if !self.origins.contains_key(&component) {
                self.origins.insert(component.clone(), origin);
                added.push((component.clone(), &definitions[definition]));
            }
            names.0.insert(definition.clone(), component);
        }
        for (component, definition) in added {
            self.schemas.insert(component, names.rewritten(definition));
        }
        names
    }

    /// All schemas, by name.
    pub(crate) fn into_schemas(self) -> Map<String, Value> {
        self.schemas
    }

    /// The first name that is free, or that is of the same.
    fn name(&self, owner: &str, wanted: &str, origin: &Definitions) -> String {
        let mut candidate = legal(wanted);
        let mut tried = 1;
        while self.origins.get(&candidate).is_some_and(|known| known != origin) {
            let owned = legal(&format!("{owner}.{wanted}"));
            candidate = if tried == 1 { owned } else { format!("{owned}.{tried}") };
            tried += 1;
        }
        candidate
    }
}

impl Names {
    /// A reference to the schema itself.
    pub(crate) fn reference(&self) -> Value {
        json!({ "$ref": format!("{SCHEMAS}{}", self.0[ROOT]) })
    }

    /// `schema`, a part of the one that was added, with references that lead to the components.
    pub(crate) fn rewritten(&self, schema: &Value) -> Value {
        let mut schema = schema.clone();
        self.rewrite(&mut schema);
        schema
    }

    fn rewrite(&self, schema: &mut Value) {
        match schema {
            Value::Array(parts) => parts.iter_mut().for_each(|part| self.rewrite(part)),
            Value::Object(members) => {
                for (key, member) in members {
                    let target = referenced(key, member).and_then(|name| self.0.get(&name));
                    match target {
                        Some(component) => *member = format!("{SCHEMAS}{component}").into(),
                        None if is_data(key) => {}
                        None => self.rewrite(member),
                    }
                }
            }
            _ => {}
        }
    }
}

/// The definition `name` and those that it leads to.
fn reachable(name: &str, definitions: &Definitions) -> Definitions {
    let mut found = Definitions::new();
    let mut open = vec![name.to_owned()];
    while let Some(name) = open.pop() {
        let Some(definition) = definitions.get(&name) else { continue };
        if found.insert(name, definition.clone()).is_none() {
            references(definition, &mut open);
        }
    }
    found
}

/// Collects the names of the definitions that `schema` refers to.
fn references(schema: &Value, names: &mut Vec<String>) {
    match schema {
        Value::Array(parts) => parts.iter().for_each(|part| references(part, names)),
        Value::Object(members) => {
            for (key, member) in members {
                names.extend(referenced(key, member));
                if !is_data(key) {
                    references(member, names);
                }
            }
        }
        _ => {}
    }
}

/// The name of the definition that a member of a schema refers to, if it does.
fn referenced(key: &str, member: &Value) -> Option<String> {
    let reference = member.as_str().filter(|_| key == "$ref")?;
    if reference == "#" {
        return Some(ROOT.to_owned());
    }
    let name = percent_decode_str(reference.strip_prefix("#/$defs/")?).decode_utf8().ok()?;
    Some(name.replace("~1", "/").replace("~0", "~"))
}

/// Whether a member of a schema is data, in which a reference would mean nothing.
fn is_data(key: &str) -> bool {
    ["const", "default", "enum", "examples"].contains(&key)
}

/// `name` with what OpenAPI does not allow in the name of a component replaced.
fn legal(name: &str) -> String {
    let legal = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    name.chars().map(|c| if legal(c) { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_line(line: Value) -> Value {
        json!({
            "type": "object",
            "properties": { "lines": { "items": { "$ref": "#/$defs/Line" } } },
            "$defs": { "Line": line },
        })
    }

    #[test]
    fn a_type_that_several_functions_speak_of_is_there_once() {
        let mut components = Components::default();
        let line = json!({ "type": "string" });
        let place = components.add("order.Place", &with_line(line.clone()));
        components.add("order-summary", &with_line(line));
        let summary = &components.into_schemas();
        assert_eq!(summary.keys().collect::<Vec<_>>(), ["Line", "order-summary", "order.Place"]);
        let items = &summary["order-summary"]["properties"]["lines"]["items"];
        assert_eq!(items["$ref"], "#/components/schemas/Line");
        assert_eq!(place.reference()["$ref"], "#/components/schemas/order.Place");
    }

    #[test]
    fn types_of_one_name_that_differ_are_kept_apart() {
        let mut components = Components::default();
        components.add("a", &with_line(json!({ "type": "string" })));
        components.add("b", &with_line(json!({ "type": "integer" })));
        let schemas = components.into_schemas();
        assert_eq!(schemas["Line"]["type"], "string");
        assert_eq!(schemas["b.Line"]["type"], "integer");
        let items = &schemas["b"]["properties"]["lines"]["items"];
        assert_eq!(items["$ref"], "#/components/schemas/b.Line");
    }

    #[test]
    fn types_whose_parts_differ_are_kept_apart_even_if_they_read_the_same() {
        let tree = |leaf: &str| {
            json!({
                "$ref": "#/$defs/Tree",
                "$defs": {
                    "Tree": { "anyOf": [{ "$ref": "#/$defs/Tree" }, { "$ref": "#/$defs/Leaf" }] },
                    "Leaf": { "type": leaf },
                },
            })
        };
        let mut components = Components::default();
        components.add("a", &tree("string"));
        components.add("b", &tree("integer"));
        let schemas = components.into_schemas();
        assert_eq!(schemas["b.Tree"]["anyOf"][1]["$ref"], "#/components/schemas/b.Leaf");
        assert_eq!(schemas["Tree"]["anyOf"][1]["$ref"], "#/components/schemas/Leaf");
    }

    #[test]
    fn a_name_that_is_not_legal_is_made_so_and_found_again() {
        let schema = json!({
            "$ref": "#/$defs/a~1b%20c",
            "$defs": { "a/b c": { "const": { "$ref": "#/$defs/x" } } },
        });
        let mut components = Components::default();
        components.add("q", &schema);
        let schemas = components.into_schemas();
        assert_eq!(schemas["q"]["$ref"], "#/components/schemas/a_b_c");
        assert_eq!(schemas["a_b_c"]["const"]["$ref"], "#/$defs/x", "data stays as it is");
    }

    #[test]
    fn a_schema_that_refers_to_itself_goes_on_doing_so() {
        let mut components = Components::default();
        components.add("tree", &json!({ "properties": { "left": { "$ref": "#" } } }));
        let left = &components.into_schemas()["tree"]["properties"]["left"];
        assert_eq!(left["$ref"], "#/components/schemas/tree");
    }
}
