//! Whatever an app records is the same after it was Avro.

#![cfg(feature = "avro")]
#![allow(clippy::unwrap_used, reason = "what is missing in a test fails it")]

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::marker::PhantomData;
use std::path::PathBuf;

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use skyfold::{App, Category, Data, Decider, ErrorKind, NewEvent, Payload, Personal, Upcasters};
use skyfold_schemas::avro::{AvroForms, export_avro};
use skyfold_schemas::{Folder, accept};

/// Events of every form that Avro can express.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
enum Event {
    Nothing,
    Counted(i64),
    Named(String),
    Weighed { grams: f64, is_exact: bool },
    Sold(Box<Sale>),
    Introduced { name: Option<Personal<String>> },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Sale {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    customer: Option<String>,
    note: Option<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    remark: String,
    first_line: Line,
    lines: Vec<Line>,
    amounts: BTreeMap<String, Line>,
    way: Way,
    other_way: Option<Way>,
    ways: Vec<Way>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Line {
    #[serde(rename = "unit-price")]
    unit_price: String,
    quantity: u32,
    kind: Option<Kind>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    /// What is sold in pieces.
    PlainGoods,
    Charge,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
enum Way {
    Fetched,
    Sent { to: String, cost: Option<i64> },
    Split(Vec<u32>),
}

struct Shop<E>(PhantomData<fn(E)>);

impl<E: Data> Decider for Shop<E> {
    const CATEGORY: Category = "shop";
    type State = ();
    type Command = ();
    type Event = E;
    type Error = Infallible;

    fn decide((): &(), (): ()) -> Result<Vec<E>, Infallible> {
        Ok(vec![])
    }

    fn evolve((): &mut (), _: &E) {}

    fn upcasters() -> Upcasters {
        Upcasters::default()
    }
}

fn forms<E: Data>() -> skyfold::Result<AvroForms> {
    let nothing = Folder::new(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("nothing"));
    AvroForms::of(&App::new("my-shop").decider::<Shop<E>>(), &nothing)
}

/// `event` as it would be stored, were its personal data sealed.
fn recorded(event: &Event) -> NewEvent {
    let whole = serde_json::to_value(event).unwrap();
    let (event_type, data) = match whole {
        Value::Object(fields) => fields.into_iter().next().unwrap(),
        name => (name.as_str().unwrap().to_owned(), Value::Null),
    };
    NewEvent { event_type, schema: 1, data: Payload::encode(&data).unwrap() }
}

fn read(event: &NewEvent) -> Event {
    let data: Value = event.data.decode().unwrap();
    let whole = match data {
        Value::Null => json!(event.event_type),
        data => json!({ event.event_type.as_str(): data }),
    };
    serde_json::from_value(whole).unwrap()
}

fn line() -> impl Strategy<Value = Line> {
    let kind = option::of(prop_oneof![Just(Kind::PlainGoods), Just(Kind::Charge)]);
    ("[0-9]{1,9}\\.[0-9]{2}", any::<u32>(), kind).prop_map(|(unit_price, quantity, kind)| Line {
        unit_price,
        quantity,
        kind,
    })
}

fn way() -> impl Strategy<Value = Way> {
    prop_oneof![
        Just(Way::Fetched),
        (any::<String>(), any::<Option<i64>>()).prop_map(|(to, cost)| Way::Sent { to, cost }),
        vec(any::<u32>(), 0..4).prop_map(Way::Split),
    ]
}

prop_compose! {
    fn sale()(
        (customer, note, remark) in any::<(Option<String>, Option<String>, String)>(),
        first_line in line(),
        lines in vec(line(), 0..4),
        amounts in btree_map(any::<String>(), line(), 0..4),
        (way, other_way, ways) in (way(), option::of(way()), vec(way(), 0..4)),
    ) -> Sale {
        Sale { customer, note, remark, first_line, lines, amounts, way, other_way, ways }
    }
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        Just(Event::Nothing),
        any::<i64>().prop_map(Event::Counted),
        any::<String>().prop_map(Event::Named),
        (any::<i32>().prop_map(|quarters| f64::from(quarters) / 4.0), any::<bool>())
            .prop_map(|(grams, is_exact)| Event::Weighed { grams, is_exact }),
        sale().prop_map(|sale| Event::Sold(Box::new(sale))),
    ]
}

proptest! {
    #[test]
    fn every_event_comes_back_as_it_was(event in event()) {
        let forms = forms::<Event>().unwrap();
        let written = recorded(&event);
        let bytes = forms.encode("shop", &written).unwrap();
        let (category, back) = forms.decode(&bytes).unwrap();
        prop_assert_eq!(category, "shop");
        prop_assert_eq!((&back.event_type, back.schema), (&written.event_type, 1));
        prop_assert_eq!(read(&back), event);
    }

    #[test]
    fn bytes_that_were_altered_or_cut_are_an_event_or_an_error(
        event in event(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        is_cut in any::<bool>(),
    ) {
        let forms = forms::<Event>().unwrap();
        let mut bytes = forms.encode("shop", &recorded(&event)).unwrap();
        let at = at.index(bytes.len());
        if is_cut {
            bytes.truncate(at);
        } else {
            bytes[at] = byte;
        }
        if let Err(error) = forms.decode(&bytes) {
            prop_assert_eq!(error.kind(), ErrorKind::Corrupt);
        }
    }
}

#[test]
fn personal_data_are_carried_sealed_or_forgotten_and_never_in_the_clear() {
    let forms = forms::<Event>().unwrap();
    let introduced = |mark: Value| {
        let data = json!({ "name": { "_personal": mark } });
        let data = Payload::encode(&data).unwrap();
        NewEvent { event_type: "Introduced".into(), schema: 1, data }
    };
    for mark in
        [json!({ "subject": "ada", "key": 3, "sealed": "QUFBQQ" }), json!({ "subject": "ada" })]
    {
        let event = introduced(mark);
        let (_, back) = forms.decode(&forms.encode("shop", &event).unwrap()).unwrap();
        assert_eq!(back.data.decode::<Value>().unwrap(), event.data.decode::<Value>().unwrap());
    }
    for mark in [
        json!({ "subject": "ada", "value": "Canary" }),
        json!({ "subject": "ada", "key": 3 }),
        json!({ "key": 3, "sealed": "QUFBQQ" }),
    ] {
        let error = forms.encode("shop", &introduced(mark)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(!error.to_string().contains("Canary"), "{error}");
    }
}

#[test]
fn data_that_does_not_fit_is_refused_with_its_place() {
    let forms = forms::<Event>().unwrap();
    for (event_type, data, place) in [
        ("Counted", json!(u64::MAX), "value is no whole number of 64 bits with a sign"),
        ("Named", json!(3), "value is no text"),
        ("Weighed", json!({ "grams": 1.5 }), "is_exact is missing"),
        ("Weighed", json!({ "grams": 1.5, "is_exact": true, "more": 1 }), "the whole has a field"),
        ("Nothing", json!({}), "value is not null"),
    ] {
        let data = Payload::encode(&data).unwrap();
        let event = NewEvent { event_type: event_type.into(), schema: 1, data };
        let error = forms.encode("shop", &event).unwrap_err().to_string();
        assert!(error.contains(place) && error.contains("shop."), "{error}");
    }
    let unknown = NewEvent { event_type: "Sold".into(), schema: 2, data: Payload::default() };
    assert_eq!(forms.encode("shop", &unknown).unwrap_err().kind(), ErrorKind::NotFound);
    for bytes in [&b""[..], b"\xc3\x01", b"\xc3\x0112345678", b"{}"] {
        assert_eq!(forms.decode(bytes).unwrap_err().kind(), ErrorKind::Corrupt);
    }
}

/// Asserts that `E` has no Avro schema, and what is said of it.
fn assert_inexpressible<E: Data>(expected: &str) {
    let error = forms::<E>().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains(expected), "{error}");
}

#[test]
fn what_avro_cannot_express_is_an_error_with_the_place_and_the_fix() {
    #[derive(Clone, Serialize, Deserialize, JsonSchema)]
    #[serde(tag = "type")]
    enum Tagged {
        One { a: u8 },
        Two { b: u8 },
    }
    #[derive(Clone, Serialize, Deserialize, JsonSchema)]
    struct Nested {
        children: Vec<Nested>,
    }
    #[derive(Clone, Serialize, Deserialize, JsonSchema)]
    struct Flat {
        name: String,
        #[serde(flatten)]
        rest: BTreeMap<String, u8>,
    }
    #[derive(Clone, Serialize, Deserialize, JsonSchema)]
    enum HasTuple {
        Happened { at: (u8, String) },
    }
    #[derive(Clone, Serialize, Deserialize, JsonSchema)]
    enum HasTag {
        Happened { how: Vec<Tagged> },
    }
    #[derive(Clone, Serialize, Deserialize, JsonSchema)]
    enum HasItself {
        Happened { root: Nested },
    }
    #[derive(Clone, Serialize, Deserialize, JsonSchema)]
    enum HasMap {
        Happened(Flat),
    }
    #[derive(Clone, Serialize, Deserialize, JsonSchema)]
    enum HasAnything {
        Happened { anything: Value },
    }
    #[derive(Clone, Serialize, Deserialize, JsonSchema)]
    enum HasNothings {
        Happened { nothings: Vec<()> },
    }
    assert_inexpressible::<HasTuple>("at is a tuple; make it a struct");
    assert_inexpressible::<HasTag>("how[] is an enum with a tag among its fields");
    assert_inexpressible::<HasItself>("root.children[] is a type that contains itself");
    assert_inexpressible::<HasMap>("the whole is a map that has fields as well");
    assert_inexpressible::<HasAnything>("anything is anything at all");
    assert_inexpressible::<HasNothings>("nothings is a list of nothing");
}

#[test]
fn schemas_of_old_versions_are_exported_as_they_were_locked() {
    #[derive(Clone, Serialize, Deserialize, JsonSchema)]
    enum Before {
        Counted { number: i64 },
    }
    let temporary = |name: &str| {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = std::fs::remove_dir_all(&path);
        Folder::new(path)
    };
    let (locked, to) = (temporary("avro-locked"), temporary("avro-to"));
    accept(&App::new("shop").decider::<Shop<Before>>(), &locked).unwrap();
    let files = export_avro(&App::new("shop").decider::<Shop<Event>>(), &locked, &to).unwrap();
    assert!(files.contains(&"shop.Counted.v1.avsc".to_owned()), "{files:?}");
    assert_eq!(files.len(), 6);
    let counted = std::fs::read_to_string(to.path().join("shop.Counted.v1.avsc")).unwrap();
    assert!(counted.contains(r#""name": "number""#), "what is locked goes before: {counted}");
}
