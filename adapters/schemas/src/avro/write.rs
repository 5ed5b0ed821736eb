//! The Avro schema of what was read of a JSON Schema.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::shape::{Body, Definition, Field, Shape, Shapes, VALUE, Variant};

/// The schema of `shapes`, whose names are in `namespace`.
pub(super) fn write(shapes: &Shapes, namespace: &str) -> Value {
    let mut writer = Writer { definitions: &shapes.definitions, written: BTreeSet::new() };
    let mut schema = writer.shape(&Shape::Named(shapes.root));
    schema["namespace"] = namespace.into();
    schema
}

struct Writer<'a> {
    definitions: &'a [Definition],
    /// The names that are defined: from then on the name is enough.
    written: BTreeSet<&'a str>,
}

impl<'a> Writer<'a> {
    fn shape(&mut self, shape: &'a Shape) -> Value {
        match shape {
            Shape::Null => json!("null"),
            Shape::Boolean => json!("boolean"),
            Shape::Long => json!("long"),
            Shape::Double => json!("double"),
            Shape::Text => json!("string"),
            Shape::List(items) => json!({ "type": "array", "items": self.shape(items) }),
            Shape::Map(values) => json!({ "type": "map", "values": self.shape(values) }),
            Shape::Nullable(inner) => {
                let mut branches = vec![json!("null")];
                match self.shape(inner) {
                    // A union holds no union, and so becomes part of this one.
                    Value::Array(inner) => branches.extend(inner),
                    inner => branches.push(inner),
                }
                branches.into()
            }
            Shape::Named(nth) => self.definition(&self.definitions[*nth]),
        }
    }

    fn definition(&mut self, definition: &'a Definition) -> Value {
        let (word, part) = match &definition.body {
            Body::Union(variants) => return variants.iter().map(|v| self.variant(v)).collect(),
            Body::Enum(_) => ("enum", "symbols"),
            Body::Record(_) | Body::Personal => ("record", "fields"),
        };
        let name = definition.name.as_str();
        if !self.written.insert(name) {
            return name.into();
        }
        let mut schema = Map::from_iter([("name".to_owned(), name.into())]);
        if let Some(doc) = &definition.doc {
            schema.insert("doc".into(), doc.as_str().into());
        }
        let parts = match &definition.body {
            Body::Enum(symbols) => symbols.iter().map(|symbol| symbol.name.as_str()).collect(),
            Body::Record(fields) => self.fields(fields),
            _ => sealed(),
        };
        schema.insert("type".into(), word.into());
        schema.insert(part.into(), parts);
        schema.into()
    }

    fn fields(&mut self, fields: &'a [Field]) -> Value {
        let mut written = vec![];
        for field in fields {
            let schema = self.shape(&field.shape);
            let mut field_schema =
                Map::from_iter([("name".to_owned(), json!(field.name)), ("type".into(), schema)]);
            if let Some(doc) = &field.doc {
                field_schema.insert("doc".into(), doc.as_str().into());
            }
            if matches!(field.shape, Shape::Nullable(_)) {
                // So that a reader with this schema reads data of an older one that lacks it.
                field_schema.insert("default".into(), Value::Null);
            }
            written.push(Value::Object(field_schema));
        }
        written.into()
    }

    fn variant(&mut self, variant: &'a Variant) -> Value {
        let name = variant.name.as_str();
        if !self.written.insert(name) {
            return name.into();
        }
        let fields: Vec<_> = variant
            .shape
            .iter()
            .map(|shape| json!({ "name": VALUE, "type": self.shape(shape) }))
            .collect();
        json!({ "type": "record", "name": name, "fields": fields })
    }
}

/// The fields of sealed personal data.
fn sealed() -> Value {
    json!([
        { "name": "subject", "type": "string", "doc": "Whom it concerns." },
        { "name": "key", "type": ["null", "long"], "default": null },
        { "name": "sealed", "type": ["null", "string"], "default": null },
    ])
}
