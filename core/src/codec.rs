//! A plain serde enum is an event: its variant's name is the type, the variant's body the data.
//!
//! An event of the current schema is read straight into the user's enum, without a tree between.

use std::cell::Cell;
use std::collections::BTreeMap;

use serde::de::value::StrDeserializer;
use serde::de::{self, DeserializeOwned, DeserializeSeed, EnumAccess, VariantAccess, Visitor};
use serde::{Deserializer, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::adapter::Fnv;
use crate::guard::guarded;
use crate::privacy::mark;
use crate::{Error, ErrorKind, NewEvent, Payload, RecordedEvent, Result, Upcasters};

/// A digest of what `command` asks for that is the same on every machine and in every release,
/// whatever the order of its fields: FNV-1a, folded to 32 bits, over its canonical text.
///
/// Personal data are left out, so that a guess at them finds nothing to be compared with once they
/// are forgotten, and a repeated command is still known by then.
pub(crate) fn fingerprint(command: &Payload) -> Result<u32> {
    let bare = command.is_personal().then(|| mark::bare(command)).transpose()?;
    let command = bare.as_ref().unwrap_or(command);
    let canonical = serde_json::from_str::<Value>(command.get()).map_err(|error| {
        Error::new(ErrorKind::Invalid, "the command cannot be read").with_source(error)
    })?;
    let canonical = canonical.to_string();
    let mut hash = Fnv::new();
    hash.write(canonical.as_bytes());
    let hash = hash.finish();
    Ok((hash ^ (hash >> 32)) as u32)
}

/// Splits an enum value into type and data.
pub(crate) fn encode<E: Serialize>(event: &E, upcasters: &Upcasters) -> Result<NewEvent> {
    let whole = Payload::encode(event)?;
    let (event_type, data) = split(&whole)?;
    Ok(NewEvent { schema: upcasters.current(&event_type), event_type, data })
}

/// The variant's name and body of an encoded enum value.
fn split(whole: &Payload) -> Result<(String, Payload)> {
    if let Ok(name) = serde_json::from_str::<String>(whole.get()) {
        return Ok((name, Payload::default()));
    }
    let not_an_enum = || Error::invalid("an event must be an enum in serde's default form");
    let fields: BTreeMap<String, Payload> =
        serde_json::from_str(whole.get()).map_err(|_| not_an_enum())?;
    match fields.len() {
        1 => fields.into_iter().next().ok_or_else(not_an_enum),
        _ => Err(not_an_enum()),
    }
}

/// The data of `event`, brought up to date: the one way in which whatever was recorded is read.
///
/// # Errors
///
/// Naming the event, [`Newer`](ErrorKind::Newer) if its type is unknown or its schema is from the
/// future; [`Corrupt`](ErrorKind::Corrupt) if its data does not fit, or a step panics.
pub(crate) fn read<E: DeserializeOwned>(event: &RecordedEvent, upcasters: &Upcasters) -> Result<E> {
    let RecordedEvent { event_type, schema, data, .. } = event;
    let decode = || decode(event_type, *schema, data, upcasters);
    let decoded = guarded(|| format!("the upcaster of {}", event.id()), decode)?;
    decoded.map_err(|error| {
        Error::new(error.kind(), format!("{} cannot be read", event.id())).with_source(error)
    })
}

/// Joins type and data, brought up to date, into an enum value.
///
/// # Errors
///
/// [`Newer`](ErrorKind::Newer) if the type is unknown or its schema is from the future;
/// [`Corrupt`](ErrorKind::Corrupt) if the data does not fit.
pub(crate) fn decode<E: DeserializeOwned>(
    event_type: &str,
    schema: u32,
    data: &Payload,
    upcasters: &Upcasters,
) -> Result<E> {
    let current = upcasters.upcast(event_type, schema, data)?;
    let (name, data) = (current.event_type, current.data.get());
    let is_unknown = Cell::new(false);
    E::deserialize(Tagged { event_type: name, data, is_unknown: &is_unknown }).map_err(|e| {
        let kind = if is_unknown.get() { ErrorKind::Newer } else { ErrorKind::Corrupt };
        let message = format!("an event {event_type} of schema {schema} cannot be read");
        Error::new(kind, message).with_source(e)
    })
}

/// The parts of an enum value, which is all that reading one needs.
struct Tagged<'a> {
    event_type: &'a str,
    data: &'a str,
    /// Is set where the type is none of those that the enum has.
    is_unknown: &'a Cell<bool>,
}

impl<'de> Deserializer<'de> for Tagged<'de> {
    type Error = serde_json::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_enum(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
        ignored_any
    }
}

impl<'de> EnumAccess<'de> for Tagged<'de> {
    type Error = serde_json::Error;
    type Variant = Body<'de>;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, Self::Variant), Self::Error> {
        let name = seed.deserialize(StrDeserializer::<Self::Error>::new(self.event_type));
        self.is_unknown.set(name.is_err());
        Ok((name?, Body(self.data)))
    }
}

/// The body of a variant.
struct Body<'a>(&'a str);

impl<'de> Body<'de> {
    /// Reads the whole body, so that nothing follows it unnoticed.
    fn read<T>(
        self,
        read: impl FnOnce(
            &mut serde_json::Deserializer<serde_json::de::StrRead<'de>>,
        ) -> Result<T, serde_json::Error>,
    ) -> Result<T, serde_json::Error> {
        let mut deserializer = serde_json::Deserializer::from_str(self.0);
        let value = read(&mut deserializer)?;
        deserializer.end()?;
        Ok(value)
    }
}

impl<'de> VariantAccess<'de> for Body<'de> {
    type Error = serde_json::Error;

    fn unit_variant(self) -> Result<(), Self::Error> {
        // What a later schema of the variant carries is of no interest to a reader that knows none.
        self.read(|body| <&RawValue as de::Deserialize>::deserialize(body).map(|_| ()))
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<T::Value, Self::Error> {
        self.read(|body| seed.deserialize(body))
    }

    fn tuple_variant<V: Visitor<'de>>(
        self,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        self.read(|body| body.deserialize_tuple(len, visitor))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        self.read(|body| body.deserialize_struct("", fields, visitor))
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    enum Event {
        Unit,
        Newtype(u32),
        Tuple(u32, String),
        Struct { text: String, more: Option<Vec<u8>> },
    }

    fn read(event_type: &str, schema: u32, data: &str) -> Result<Event> {
        decode(event_type, schema, &Payload::parse(data).unwrap(), &Upcasters::default())
    }

    #[test]
    fn every_form_of_variant_is_read_back_as_it_was() {
        let events = [
            Event::Unit,
            Event::Newtype(3),
            Event::Tuple(4, "a\"b".into()),
            Event::Struct { text: "größe".into(), more: Some(vec![1, 2]) },
        ];
        for event in events {
            let new = encode(&event, &Upcasters::default()).unwrap();
            assert_eq!(read(&new.event_type, new.schema, new.data.get()).unwrap(), event);
        }
    }

    #[test]
    fn what_does_not_fit_is_corrupt_or_newer_and_never_something_else() {
        for (event_type, schema, data, kind) in [
            ("Unknown", 1, "null", ErrorKind::Newer),
            ("Newtype", 1, "\"three\"", ErrorKind::Corrupt),
            ("Newtype", 1, "null", ErrorKind::Corrupt),
            ("Struct", 1, "{}", ErrorKind::Corrupt),
            ("Unit", 2, "null", ErrorKind::Newer),
            ("Unit", 0, "null", ErrorKind::Corrupt),
        ] {
            let error = read(event_type, schema, data).unwrap_err();
            assert_eq!(error.kind(), kind, "{event_type}.{schema} {data}");
        }
    }

    #[test]
    fn only_an_enum_is_an_event() {
        for other in [r#"{"a":1,"b":2}"#, "3", "[]", "{}"] {
            split(&Payload::parse(other).unwrap()).unwrap_err();
        }
    }

    #[test]
    fn what_is_json_but_cannot_be_read_is_the_callers_mistake() {
        for text in [r#""\ud800""#, "1e999", &format!("{}{}", "[".repeat(200), "]".repeat(200))] {
            let error = fingerprint(&Payload::parse(text).unwrap()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid, "{text}");
        }
    }

    #[test]
    fn a_fingerprint_ignores_the_order_of_fields_and_nothing_else() {
        let of = |text| fingerprint(&Payload::parse(text).unwrap()).unwrap();
        assert_eq!(of(r#"{"a":1,"b":{"c":2,"d":3}}"#), of(r#"{ "b":{"d":3,"c":2}, "a":1 }"#));
        assert_ne!(of(r#"{"a":1}"#), of(r#"{"a":2}"#));
        assert_eq!(of("\"a\""), 0x03e0_5afd);
    }
}
