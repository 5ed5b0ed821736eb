//! From a JSON Schema to what Avro can express of it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::AvroError;
use super::shape::{Body, Definition, Field, Shape, Shapes, Symbol, VALUE, Variant, legal};
use crate::describe::{is_required, variants};
use crate::resolve::Root;

/// The field that marks personal data.
pub(super) const PERSONAL: &str = "_personal";

/// Reads the `schema` of `form`, whose data is of the type `event_type`.
pub(super) fn read(form: &str, event_type: &str, schema: &Value) -> Result<Shapes, AvroError> {
    let (root, name) = (Root(schema), legal(event_type));
    let (done, open, taken) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
    let mut reader = Reader { form, root, done, open, taken, definitions: vec![] };
    let shape = reader.body("", &name, root.resolve(schema))?;
    let is_record = |nth: usize| matches!(reader.definitions[nth].body, Body::Record(_));
    if let Shape::Named(root) = shape
        && is_record(root)
    {
        return Ok(Shapes { definitions: reader.definitions, root, is_wrapped: false });
    }
    let (key, is_required) = (VALUE.to_owned(), true);
    let field = Field { name: key.clone(), key, doc: None, is_required, shape };
    let name = reader.unique(&name);
    let root = reader.define(name, None, Body::Record(vec![field]));
    Ok(Shapes { definitions: reader.definitions, root, is_wrapped: true })
}

struct Reader<'a> {
    form: &'a str,
    root: Root<'a>,
    /// The definitions of the schema that have a name in Avro as well.
    done: BTreeMap<&'a str, usize>,
    /// Those that are being read.
    open: BTreeSet<&'a str>,
    taken: BTreeSet<String>,
    definitions: Vec<Definition>,
}

impl<'a> Reader<'a> {
    fn shape(&mut self, place: &str, name: &str, schema: &'a Value) -> Result<Shape, AvroError> {
        let Some(reference) = Root::reference(schema) else {
            return self.body(place, name, schema);
        };
        if let Some(nth) = self.done.get(reference) {
            return Ok(Shape::Named(*nth));
        }
        if !self.open.insert(reference) {
            return Err(self.cannot(place, "a type that contains itself", "keep ids instead"));
        }
        let shape = self.body(place, reference, self.root.resolve(schema))?;
        self.open.remove(reference);
        if let Shape::Named(nth) = shape {
            self.done.insert(reference, nth);
        }
        Ok(shape)
    }

    /// Reads what is no reference.
    fn body(&mut self, place: &str, name: &str, schema: &'a Value) -> Result<Shape, AvroError> {
        if let Some(inner) = beside_null(schema) {
            let inner = self.shape(place, name, inner)?;
            return Ok(nullable(inner));
        }
        if let Some(variants) = variants(self.root, schema) {
            return self.variants(place, name, schema, variants);
        }
        match &schema["type"] {
            Value::String(of) => self.of_type(place, name, of, schema),
            Value::Array(several) => {
                let mut others = several.iter().filter_map(Value::as_str).filter(|t| *t != "null");
                match (others.next(), others.next()) {
                    (Some(of), None) => Ok(nullable(self.of_type(place, name, of, schema)?)),
                    _ => Err(self.cannot(place, "of several types", "make it an enum")),
                }
            }
            _ if schema.get("anyOf").or_else(|| schema.get("oneOf")).is_some() => {
                let fix = "leave enums in serde's default form, where variants have names";
                Err(self.cannot(place, "one of several that have no names", fix))
            }
            _ => Err(self.cannot(place, "anything at all", "give it a type")),
        }
    }

    fn of_type(
        &mut self,
        place: &str,
        name: &str,
        of: &str,
        schema: &'a Value,
    ) -> Result<Shape, AvroError> {
        match of {
            "null" => Ok(Shape::Null),
            "boolean" => Ok(Shape::Boolean),
            "integer" => Ok(Shape::Long),
            "number" => Ok(Shape::Double),
            "string" => Ok(Shape::Text),
            "array" => self.list(place, name, schema),
            "object" => self.object(place, name, schema),
            _ => Err(self.cannot(place, "of a type that is unknown", "give it another")),
        }
    }

    fn list(&mut self, place: &str, name: &str, schema: &'a Value) -> Result<Shape, AvroError> {
        if schema.get("prefixItems").is_some() {
            return Err(self.cannot(place, "a tuple", "make it a struct, whose fields have names"));
        }
        let Some(items) = schema.get("items").filter(|items| items.is_object()) else {
            return Err(self.cannot(place, "a list of anything", "give its items a type"));
        };
        let items = self.shape(&format!("{place}[]"), name, items)?;
        if Shapes::is_empty(&self.definitions, &items) {
            return Err(self.cannot(place, "a list of nothing", "keep their number instead"));
        }
        Ok(Shape::List(Box::new(items)))
    }

    fn object(&mut self, place: &str, name: &str, schema: &'a Value) -> Result<Shape, AvroError> {
        let fields = schema["properties"].as_object();
        if fields.is_some_and(|fields| fields.contains_key(PERSONAL)) {
            return Ok(self.personal());
        }
        match &schema["additionalProperties"] {
            Value::Object(_) if fields.is_none_or(|fields| fields.is_empty()) => {
                let values = &schema["additionalProperties"];
                let values = self.shape(&format!("{place}{{}}"), name, values)?;
                return Ok(Shape::Map(Box::new(values)));
            }
            Value::Object(_) => {
                let fix = "put the map in a field of its own";
                return Err(self.cannot(place, "a map that has fields as well", fix));
            }
            Value::Bool(true) => {
                return Err(self.cannot(place, "a map of anything", "give its values a type"));
            }
            _ => {}
        }
        let name = self.unique(name);
        let mut read: Vec<Field> = vec![];
        for (key, field) in fields.into_iter().flatten() {
            let place = if place.is_empty() { key.clone() } else { format!("{place}.{key}") };
            let shape = self.shape(&place, &format!("{name}_{key}"), field)?;
            let is_required = is_required(schema, key);
            let shape = if is_required { shape } else { nullable(shape) };
            let (key, name, doc) = (key.clone(), legal(key), doc(field));
            if read.iter().any(|other| other.name == name) {
                return Err(self.cannot(&place, "called like another field", "rename it"));
            }
            read.push(Field { key, name, doc, is_required, shape });
        }
        Ok(Shape::Named(self.define(name, doc(schema), Body::Record(read))))
    }

    fn variants(
        &mut self,
        place: &str,
        name: &str,
        schema: &'a Value,
        variants: BTreeMap<String, Option<&'a Value>>,
    ) -> Result<Shape, AvroError> {
        let name = self.unique(name);
        if variants.values().all(Option::is_none) {
            let symbols = variants.into_keys().map(|key| Symbol { name: legal(&key), key });
            let symbols: Vec<_> = symbols.collect();
            let names: BTreeSet<_> = symbols.iter().map(|symbol| &symbol.name).collect();
            if names.len() < symbols.len() {
                return Err(self.cannot(place, "an enum with variants of one name", "rename one"));
            }
            return Ok(Shape::Named(self.define(name, doc(schema), Body::Enum(symbols))));
        }
        let mut read = vec![];
        for (key, body) in variants {
            if body.is_some_and(|body| is_tagged(body, &key)) {
                let fix = "leave it in serde's default form, without a tag";
                return Err(self.cannot(place, "an enum with a tag among its fields", fix));
            }
            let variant = self.unique(&format!("{name}_{key}"));
            let place = format!("{place}.{key}");
            let shape = body.map(|body| self.shape(&place, &format!("{variant}_{VALUE}"), body));
            read.push(Variant { key, name: variant, shape: shape.transpose()? });
        }
        Ok(Shape::Named(self.define(name, doc(schema), Body::Union(read))))
    }

    /// All personal data have one form, whatever is sealed in it.
    fn personal(&mut self) -> Shape {
        let is_it = |definition: &Definition| matches!(definition.body, Body::Personal);
        let nth = self.definitions.iter().position(is_it).unwrap_or_else(|| {
            let name = self.unique("Personal");
            let doc = "Sealed for its subject; without key and sealed once that is forgotten.";
            self.define(name, Some(doc.into()), Body::Personal)
        });
        Shape::Named(nth)
    }

    fn define(&mut self, name: String, doc: Option<String>, body: Body) -> usize {
        self.definitions.push(Definition { name, doc, body });
        self.definitions.len() - 1
    }

    /// A name that nothing else has.
    fn unique(&mut self, name: &str) -> String {
        let name = legal(name);
        let mut unique = name.clone();
        let mut count = 1;
        while !self.taken.insert(unique.clone()) {
            count += 1;
            unique = format!("{name}_{count}");
        }
        unique
    }

    fn cannot(&self, place: &str, what: &'static str, fix: &'static str) -> AvroError {
        let place = if place.is_empty() { "the whole" } else { place }.to_owned();
        AvroError::Inexpressible { form: self.form.to_owned(), place, what, fix }
    }
}

fn nullable(shape: Shape) -> Shape {
    match shape {
        Shape::Null | Shape::Nullable(_) => shape,
        shape => Shape::Nullable(Box::new(shape)),
    }
}

/// What `schema` allows beside null, still by its name.
fn beside_null(schema: &Value) -> Option<&Value> {
    let is_null = |schema: &Value| schema["type"] == "null";
    match schema.get("anyOf")?.as_array()?.as_slice() {
        [one, null] if is_null(null) => Some(one),
        [null, one] if is_null(null) => Some(one),
        _ => None,
    }
}

/// Whether the variant `key` is told by one of its own fields.
fn is_tagged(body: &Value, key: &str) -> bool {
    let fields = body["properties"].as_object();
    fields.is_some_and(|fields| fields.values().any(|field| field["const"] == key))
}

fn doc(schema: &Value) -> Option<String> {
    schema["description"].as_str().map(str::to_owned)
}
