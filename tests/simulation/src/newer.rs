//! Events in a newer schema than that of the app: the app's own form, within another.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::LazyLock;

use order::order::Order;
use order::payment::Payment;
use order::stock::Stock;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{EnumAccess, Error as _, VariantAccess, Visitor};
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value, json};
use skyfold::{Decider, Payload, RecordedEvent, Upcasters};

use crate::personal::bare_event;

/// The types of event that the next version writes in a newer schema.
pub(crate) const CHANGED: [&str; 8] = [
    "OrderPlaced",
    "OrderConfirmed",
    "OrderCancelled",
    "StockReceived",
    "StockReserved",
    "StockReleased",
    "PaymentAuthorized",
    "PaymentRefunded",
];

/// The only field of what had none that could be changed.
const WRAPPED: &str = "next";

/// An event of another form.
#[derive(Clone, Debug)]
pub(crate) struct Newer<E>(pub(crate) E);

/// The newer form of `data`: numbers count halves. Who does not look at the schema takes it for
/// something else. What has no number is wrapped.
pub(crate) fn newer(data: Value) -> Value {
    match data {
        Value::Object(fields) if fields.values().any(Value::is_u64) => {
            Value::Object(scaled(fields, |number| number * 2))
        }
        data => json!({ WRAPPED: data }),
    }
}

/// What [`newer`] was given.
fn older(data: Value) -> Option<Value> {
    let Value::Object(mut fields) = data else { return None };
    match fields.remove(WRAPPED) {
        Some(data) => Some(data),
        None => Some(Value::Object(scaled(fields, |number| number / 2))),
    }
}

fn scaled(mut fields: Map<String, Value>, scale: fn(u64) -> u64) -> Map<String, Value> {
    for value in fields.values_mut() {
        if let Some(number) = value.as_u64() {
            *value = json!(scale(number));
        }
    }
    fields
}

/// The schemas of the version before.
static FORMER: LazyLock<[Upcasters; 3]> =
    LazyLock::new(|| [Order::upcasters(), Stock::upcasters(), Payment::upcasters()]);

/// The schema in which the version before writes events of the type `name`.
pub(crate) fn former_schema(name: &str) -> u32 {
    FORMER.iter().map(|upcasters| upcasters.current(name)).max().unwrap_or(1)
}

/// The same event as the version before would have written it, without personal data.
pub(crate) fn former(mut event: RecordedEvent) -> RecordedEvent {
    let name = event.event_type.as_str();
    if CHANGED.contains(&name)
        && event.schema > former_schema(name)
        && let Some(older) = event.data.decode().ok().and_then(older)
        && let Ok(data) = Payload::encode(&older)
    {
        event.schema -= 1;
        event.data = data;
    }
    bare_event(event)
}

impl<E: Serialize> Serialize for Newer<E> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let whole = serde_json::to_value(&self.0).map_err(S::Error::custom)?;
        let (name, data) = match whole {
            Value::String(name) => (name, Value::Null),
            Value::Object(fields) => fields.into_iter().next().unwrap_or_default(),
            _ => return Err(S::Error::custom("an event is an enum")),
        };
        match (CHANGED.contains(&name.as_str()), &data) {
            (true, _) => BTreeMap::from([(name, newer(data))]).serialize(serializer),
            (false, Value::Null) => name.serialize(serializer),
            (false, _) => BTreeMap::from([(name, data)]).serialize(serializer),
        }
    }
}

impl<'de, E: for<'a> Deserialize<'a>> Deserialize<'de> for Newer<E> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_enum("Newer", &[], Variant(PhantomData))
    }
}

/// Reads an event of another form.
struct Variant<E>(PhantomData<fn(E)>);

impl<'de, E: for<'a> Deserialize<'a>> Visitor<'de> for Variant<E> {
    type Value = Newer<E>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an event")
    }

    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<Newer<E>, A::Error> {
        let (name, variant) = access.variant::<String>()?;
        let mut data: Value = variant.newtype_variant()?;
        if CHANGED.contains(&name.as_str()) {
            let missing = || A::Error::custom(format!("{name} is not of the newer form"));
            data = older(data).ok_or_else(missing)?;
        }
        let whole = if data.is_null() { json!(name) } else { json!({ name: data }) };
        serde_json::from_value(whole).map(Newer).map_err(A::Error::custom)
    }
}

impl<E: JsonSchema> JsonSchema for Newer<E> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        E::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        E::json_schema(generator)
    }
}
