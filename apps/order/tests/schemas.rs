//! What earlier releases recorded is read by this one.

#![allow(clippy::unwrap_used, reason = "what is missing in a test fails it")]

use apache_avro::Schema;
use serde_json::{Value, json};
use skyfold::{NewEvent, Payload};
use skyfold_schemas::avro::{AvroForms, export_avro};
use skyfold_schemas::{Folder, check, export_json};

fn folder() -> Folder {
    Folder::new(concat!(env!("CARGO_MANIFEST_DIR"), "/schemas"))
}

#[test]
fn events_and_states_have_the_form_that_is_locked() {
    let report = check(&order::app(), &folder()).unwrap();
    assert!(report.is_clean(), "\n{report}");
    assert_eq!(report.notes, Vec::<String>::new(), "every state has a history");
}

/// `data` as it would be stored: sealed, as far as it is personal.
fn sealed(data: &Value) -> Value {
    match data {
        Value::Object(fields) if fields.contains_key("_personal") => {
            let subject = &fields["_personal"]["subject"];
            json!({ "_personal": { "subject": subject, "key": 1, "sealed": "c2VhbGVk" } })
        }
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (name.clone(), sealed(value))).collect()
        }
        Value::Array(items) => items.iter().map(sealed).collect(),
        other => other.clone(),
    }
}

#[test]
fn what_every_release_recorded_comes_back_from_avro_as_it_was() {
    let forms = AvroForms::of(&order::app(), &folder()).unwrap();
    let mut count = 0;
    for entry in std::fs::read_dir(folder().path()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let Some(form) = name.strip_suffix(".golden.json") else { continue };
        let (rest, version) = form.rsplit_once(".v").unwrap();
        let (category, event_type) = rest.rsplit_once('.').unwrap();
        let samples: Vec<Value> = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        for sample in samples.iter().map(sealed) {
            let (event_type, schema) = (event_type.to_owned(), version.parse().unwrap());
            let event = NewEvent { event_type, schema, data: Payload::encode(&sample).unwrap() };
            let (back_category, back) =
                forms.decode(&forms.encode(category, &event).unwrap()).unwrap();
            assert_eq!(back_category, category);
            assert_eq!((&back.event_type, back.schema), (&event.event_type, event.schema));
            assert_eq!(back.data.decode::<Value>().unwrap(), sample, "{name}");
            count += 1;
        }
    }
    assert!(count > 30, "{count}");
}

/// Where references of `schema` lead.
fn references<'a>(schema: &'a Value, found: &mut Vec<&'a str>) {
    match schema {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str));
            fields.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[test]
fn every_exported_schema_can_be_read_alone_and_is_of_the_event_in_its_name() {
    let to = Folder::new(concat!(env!("CARGO_TARGET_TMPDIR"), "/exported"));
    let json_files = export_json(&order::app(), &to).unwrap();
    let avro_files = export_avro(&order::app(), &folder(), &to).unwrap();
    let event_types: Vec<_> = order::app().manifest().functions;
    let event_types = event_types.into_iter().flat_map(|function| function.events);
    let count = event_types.count();
    assert!(json_files.len() == count && count > 15, "{count}: {json_files:?}");
    assert!(avro_files.len() >= count, "old versions are exported as well: {avro_files:?}");
    for file in &json_files {
        let text = std::fs::read_to_string(to.path().join(file)).unwrap();
        let schema: Value = serde_json::from_str(&text).unwrap();
        let form = file.strip_suffix(".schema.json").unwrap();
        assert_eq!(schema["$id"], format!("urn:order:{form}"));
        let mut found = vec![];
        references(&schema, &mut found);
        for reference in found {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(schema.pointer(pointer).is_some(), "{file} refers to {reference}");
        }
    }
    for file in &avro_files {
        let text = std::fs::read_to_string(to.path().join(file)).unwrap();
        let schema = Schema::parse_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
        let event_type = file.split('.').nth(1);
        assert_eq!(schema.name().map(|name| name.name()), event_type, "{file}");
    }
}
