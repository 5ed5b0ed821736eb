//! Data between JSON and Avro.

use apache_avro::types::Value as Avro;
use serde_json::{Map, Value, json};

use super::AvroError;
use super::read::PERSONAL;
use super::shape::{Body, Field, Shape, Shapes, VALUE, Variant};

/// Takes data of one form from JSON to Avro, or back.
pub(super) struct Translation<'a> {
    pub(super) form: &'a str,
    pub(super) shapes: &'a Shapes,
}

type Outcome<T> = Result<T, AvroError>;

impl Translation<'_> {
    /// `data` as Avro.
    pub(super) fn to_avro(&self, data: &Value) -> Outcome<Avro> {
        let wrapped = self.shapes.is_wrapped.then(|| json!({ VALUE: data }));
        let data = wrapped.as_ref().unwrap_or(data);
        self.write("", &Shape::Named(self.shapes.root), data)
    }

    fn write(&self, place: &str, shape: &Shape, data: &Value) -> Outcome<Avro> {
        let unfit = |problem| self.unfit(place, problem);
        match shape {
            Shape::Null if data.is_null() => Ok(Avro::Null),
            Shape::Null => Err(unfit("is not null")),
            Shape::Boolean => data.as_bool().map(Avro::Boolean).ok_or_else(|| unfit("is no bool")),
            Shape::Long => {
                let whole = || unfit("is no whole number of 64 bits with a sign");
                data.as_i64().map(Avro::Long).ok_or_else(whole)
            }
            Shape::Double => data.as_f64().map(Avro::Double).ok_or_else(|| unfit("is no number")),
            Shape::Text => {
                let text = data.as_str().ok_or_else(|| unfit("is no text"))?;
                Ok(Avro::String(text.to_owned()))
            }
            Shape::List(items) => {
                let list = data.as_array().ok_or_else(|| unfit("is no list"))?;
                let place = format!("{place}[]");
                let written = list.iter().map(|item| self.write(&place, items, item));
                Ok(Avro::Array(written.collect::<Outcome<_>>()?))
            }
            Shape::Map(values) => {
                let map = data.as_object().ok_or_else(|| unfit("is no object"))?;
                let place = format!("{place}{{}}");
                let entry = |(key, value): (&String, &Value)| {
                    self.write(&place, values, value).map(|value| (key.clone(), value))
                };
                Ok(Avro::Map(map.iter().map(entry).collect::<Outcome<_>>()?))
            }
            Shape::Nullable(_) if data.is_null() => Ok(Avro::Union(0, Box::new(Avro::Null))),
            Shape::Nullable(inner) => match self.write(place, inner, data)? {
                // The union within is part of this one.
                Avro::Union(nth, value) => Ok(Avro::Union(nth + 1, value)),
                value => Ok(Avro::Union(1, Box::new(value))),
            },
            Shape::Named(nth) => match &self.shapes.definitions[*nth].body {
                Body::Record(fields) => self.write_record(place, fields, data),
                Body::Enum(symbols) => {
                    let nth = symbols.iter().position(|symbol| *data == *symbol.key);
                    let nth = nth.ok_or_else(|| unfit("is none of the variants"))?;
                    Ok(Avro::Enum(nth as u32, symbols[nth].name.clone()))
                }
                Body::Union(variants) => self.write_variant(place, variants, data),
                Body::Personal => self.write_sealed(place, data),
            },
        }
    }

    fn write_record(&self, place: &str, fields: &[Field], data: &Value) -> Outcome<Avro> {
        let object = data.as_object().ok_or_else(|| self.unfit(place, "is no object"))?;
        if object.keys().any(|key| fields.iter().all(|field| field.key != *key)) {
            return Err(self.unfit(place, "has a field that the schema does not know"));
        }
        let mut written = vec![];
        for field in fields {
            let place = join(place, &field.key);
            let value = match object.get(&field.key) {
                None if field.is_required => return Err(self.unfit(&place, "is missing")),
                value => self.write(&place, &field.shape, value.unwrap_or(&Value::Null))?,
            };
            written.push((field.name.clone(), value));
        }
        Ok(Avro::Record(written))
    }

    fn write_variant(&self, place: &str, variants: &[Variant], data: &Value) -> Outcome<Avro> {
        let mut fields = data.as_object().into_iter().flatten();
        let (key, body) = match (data, fields.next(), fields.next()) {
            (Value::String(key), ..) => (key, None),
            (_, Some((key, body)), None) => (key, Some(body)),
            _ => return Err(self.unfit(place, "is no variant")),
        };
        let nth = variants.iter().position(|variant| variant.key == *key);
        let nth = nth.ok_or_else(|| self.unfit(place, "is none of the variants"))?;
        let place = join(place, key);
        let fields = match (&variants[nth].shape, body) {
            (None, None) => vec![],
            (Some(shape), Some(body)) => vec![(VALUE.to_owned(), self.write(&place, shape, body)?)],
            _ => return Err(self.unfit(&place, "carries something else than its variant does")),
        };
        Ok(Avro::Union(nth as u32, Box::new(Avro::Record(fields))))
    }

    fn write_sealed(&self, place: &str, data: &Value) -> Outcome<Avro> {
        let mark = &data[PERSONAL];
        if mark.get(VALUE).is_some() {
            let problem = "is personal data in the clear: encode what is stored or sent";
            return Err(self.unfit(place, problem));
        }
        let (key, sealed) = (mark["key"].as_i64(), mark["sealed"].as_str());
        let subject = mark["subject"].as_str().filter(|_| key.is_some() == sealed.is_some());
        let subject = subject.ok_or_else(|| self.unfit(place, "is no sealed personal data"))?;
        let optional = |value: Option<Avro>| match value {
            None => Avro::Union(0, Box::new(Avro::Null)),
            Some(value) => Avro::Union(1, Box::new(value)),
        };
        Ok(Avro::Record(vec![
            ("subject".into(), Avro::String(subject.into())),
            ("key".into(), optional(key.map(Avro::Long))),
            ("sealed".into(), optional(sealed.map(|sealed| Avro::String(sealed.into())))),
        ]))
    }

    /// `value` as JSON.
    pub(super) fn to_json(&self, value: Avro) -> Outcome<Value> {
        let mut data = self.read(&Shape::Named(self.shapes.root), value)?;
        Ok(if self.shapes.is_wrapped { data[VALUE].take() } else { data })
    }

    fn read(&self, shape: &Shape, value: Avro) -> Outcome<Value> {
        match (shape, value) {
            (Shape::Null, Avro::Null) => Ok(Value::Null),
            (Shape::Boolean, Avro::Boolean(value)) => Ok(value.into()),
            (Shape::Long, Avro::Long(value)) => Ok(value.into()),
            // What is no number has no JSON form.
            (Shape::Double, Avro::Double(value)) if value.is_finite() => Ok(value.into()),
            (Shape::Text, Avro::String(value)) => Ok(value.into()),
            (Shape::List(items), Avro::Array(values)) => {
                values.into_iter().map(|value| self.read(items, value)).collect()
            }
            (Shape::Map(values), Avro::Map(entries)) => {
                let entry = |(key, value)| self.read(values, value).map(|value| (key, value));
                Ok(Value::Object(entries.into_iter().map(entry).collect::<Outcome<_>>()?))
            }
            (Shape::Nullable(inner), Avro::Union(nth, value)) => match nth.checked_sub(1) {
                None => Ok(Value::Null),
                Some(nth) if self.is_union(inner) => self.read(inner, Avro::Union(nth, value)),
                Some(_) => self.read(inner, *value),
            },
            (Shape::Named(nth), value) => match (&self.shapes.definitions[*nth].body, value) {
                (Body::Record(fields), Avro::Record(values)) => self.read_record(fields, values),
                (Body::Enum(symbols), Avro::Enum(nth, _)) => {
                    let symbol = symbols.get(nth as usize).ok_or_else(|| self.unreadable())?;
                    Ok(symbol.key.as_str().into())
                }
                (Body::Union(variants), Avro::Union(nth, value)) => {
                    let variant = variants.get(nth as usize).ok_or_else(|| self.unreadable())?;
                    self.read_variant(variant, *value)
                }
                (Body::Personal, Avro::Record(values)) => self.read_sealed(values),
                _ => Err(self.unreadable()),
            },
            _ => Err(self.unreadable()),
        }
    }

    fn read_record(&self, fields: &[Field], values: Vec<(String, Avro)>) -> Outcome<Value> {
        let mut object = Map::new();
        for (field, (_, value)) in fields.iter().zip(values) {
            let value = self.read(&field.shape, value)?;
            if field.is_required || !value.is_null() {
                object.insert(field.key.clone(), value);
            }
        }
        Ok(object.into())
    }

    fn read_variant(&self, variant: &Variant, value: Avro) -> Outcome<Value> {
        let Avro::Record(values) = value else { return Err(self.unreadable()) };
        match (&variant.shape, values.into_iter().next()) {
            (None, _) => Ok(variant.key.as_str().into()),
            (Some(shape), Some((_, value))) => {
                let body = self.read(shape, value)?;
                Ok(json!({ variant.key.as_str(): body }))
            }
            (Some(_), None) => Err(self.unreadable()),
        }
    }

    fn read_sealed(&self, values: Vec<(String, Avro)>) -> Outcome<Value> {
        let mut mark = Map::new();
        for (name, value) in values {
            let value = match value {
                Avro::Union(_, value) => *value,
                value => value,
            };
            match value {
                Avro::String(text) => mark.insert(name, text.into()),
                Avro::Long(number) => mark.insert(name, number.into()),
                _ => None,
            };
        }
        Ok(json!({ PERSONAL: mark }))
    }

    fn is_union(&self, shape: &Shape) -> bool {
        let Shape::Named(nth) = shape else { return false };
        matches!(self.shapes.definitions[*nth].body, Body::Union(_))
    }

    fn unfit(&self, place: &str, problem: &'static str) -> AvroError {
        let place = if place.is_empty() { "the whole" } else { place }.to_owned();
        AvroError::Unfit { form: self.form.to_owned(), place, problem }
    }

    fn unreadable(&self) -> AvroError {
        AvroError::Unreadable { form: self.form.to_owned(), source: None }
    }
}

fn join(place: &str, key: &str) -> String {
    if place.is_empty() { key.to_owned() } else { format!("{place}.{key}") }
}
