//! The object that stands for personal data in JSON: found by one scan, and changed in place.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::{Error, ErrorKind, Payload, Result, StreamId};

/// The one field of the object.
const FIELD: &str = "_personal";

/// How the object begins: what the scan looks for.
const QUOTED: &str = "\"_personal\"";

/// What is shown in the place of personal data.
pub(crate) const MASK: &str = "<personal>";

/// How deep an object may lie in a payload: as deep as serde reads one.
const DEPTH_MAX: usize = 128;

/// What the object holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mark<'a> {
    /// The value, in the clear.
    Clear(StreamId, &'a str),
    /// The value, sealed under the key of this number.
    Sealed(StreamId, u32, String),
    /// Nothing any more.
    Forgotten(StreamId),
}

/// The object's own form.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Inner<'a> {
    subject: StreamId,
    #[serde(borrow, default, deserialize_with = "present")]
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a RawValue>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sealed: Option<String>,
}

/// A value that is there, be it `null`.
fn present<'de, D: Deserializer<'de>>(from: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(from).map(Some)
}

impl<'a> Mark<'a> {
    fn read(text: &'a str) -> Result<Self> {
        let unreadable = || misused("it holds neither a value nor a sealed one");
        let inner: Inner<'a> = serde_json::from_str(text).map_err(|_| unreadable())?;
        match (inner.value, inner.key, inner.sealed) {
            (Some(value), None, None) => Ok(Self::Clear(inner.subject, value.get())),
            (None, Some(key), Some(sealed)) => Ok(Self::Sealed(inner.subject, key, sealed)),
            (None, None, None) => Ok(Self::Forgotten(inner.subject)),
            _ => Err(unreadable()),
        }
    }

    /// Whom it concerns.
    pub(crate) fn subject(&self) -> &StreamId {
        match self {
            Self::Clear(subject, _) | Self::Sealed(subject, ..) | Self::Forgotten(subject) => {
                subject
            }
        }
    }

    /// The whole object, as text.
    pub(crate) fn write(&self) -> String {
        match self {
            Self::Clear(subject, value) => {
                format!("{{{QUOTED}:{{\"subject\":\"{subject}\",\"value\":{value}}}}}")
            }
            // Neither a subject nor base 64 holds a character that JSON would escape.
            Self::Sealed(subject, key, sealed) => format!(
                "{{{QUOTED}:{{\"subject\":\"{subject}\",\"key\":{key},\"sealed\":\"{sealed}\"}}}}"
            ),
            Self::Forgotten(subject) => format!("{{{QUOTED}:{{\"subject\":\"{subject}\"}}}}"),
        }
    }
}

fn misused(why: &str) -> Error {
    let message = format!("a field {QUOTED} stands for personal data alone, and {why}");
    Error::new(ErrorKind::Invalid, message)
}

/// Whether `text` may hold personal data: all that a payload without them costs.
pub(crate) fn is_marked(text: &str) -> bool {
    text.contains(QUOTED)
}

/// Where a mark is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At<'a> {
    /// The way to it from the top of its payload, like `/lines/0/name`.
    pub(crate) path: &'a str,
    /// How many objects and arrays lie around it.
    depth: usize,
}

impl At<'_> {
    /// The top of a payload.
    pub(crate) const TOP: At<'static> = At { path: "", depth: 0 };
}

/// What takes the place of a mark.
pub(crate) type Replace<'r> = dyn FnMut(At<'_>, Mark<'_>) -> Result<String> + 'r;

/// `payload` with each mark replaced. Everything else stays as it is written, numbers included.
///
/// # Errors
///
/// [`Invalid`](ErrorKind::Invalid) if the field of a mark is used for something else; those of
/// `replace`.
pub(crate) fn rewrite(payload: &Payload, replace: &mut Replace<'_>) -> Result<Payload> {
    Payload::parse(&rewrite_text(payload.get(), At::TOP, replace)?)
}

/// The same for text that takes the place `at`.
pub(crate) fn rewrite_text(text: &str, at: At<'_>, replace: &mut Replace<'_>) -> Result<String> {
    let (path, depth) = (at.path.to_owned(), at.depth);
    let mut writer = Writer { out: String::new(), path, depth, replace };
    writer.write(text)?;
    Ok(writer.out)
}

struct Writer<'w, 'r> {
    out: String,
    path: String,
    depth: usize,
    replace: &'w mut Replace<'r>,
}

impl Writer<'_, '_> {
    fn write(&mut self, text: &str) -> Result<()> {
        if !is_marked(text) {
            self.out.push_str(text);
            return Ok(());
        }
        if self.depth == DEPTH_MAX {
            return Err(misused("lies deeper than anything that can be read"));
        }
        self.depth += 1;
        let written = match text.trim_start().as_bytes().first() {
            Some(b'{') => self.write_object(text),
            Some(b'[') => self.write_array(text),
            _ => {
                self.out.push_str(text);
                Ok(())
            }
        };
        self.depth -= 1;
        written
    }

    fn write_object(&mut self, text: &str) -> Result<()> {
        let Fields(fields) = serde_json::from_str(text).map_err(unreadable)?;
        if let [(name, inner)] = &fields[..]
            && name == FIELD
        {
            let at = At { path: &self.path, depth: self.depth };
            let replaced = (self.replace)(at, Mark::read(inner.get())?)?;
            self.out.push_str(&replaced);
            return Ok(());
        }
        self.out.push('{');
        for (nth, (name, value)) in fields.iter().enumerate() {
            if name == FIELD {
                return Err(misused("stands alone in its object"));
            }
            if nth > 0 {
                self.out.push(',');
            }
            self.out.push_str(&serde_json::to_string(name).map_err(unreadable)?);
            self.out.push(':');
            self.write_at(name, value)?;
        }
        self.out.push('}');
        Ok(())
    }

    fn write_array(&mut self, text: &str) -> Result<()> {
        let values: Vec<&RawValue> = serde_json::from_str(text).map_err(unreadable)?;
        self.out.push('[');
        for (nth, value) in values.iter().enumerate() {
            if nth > 0 {
                self.out.push(',');
            }
            self.write_at(&nth.to_string(), value)?;
        }
        self.out.push(']');
        Ok(())
    }

    fn write_at(&mut self, step: &str, value: &RawValue) -> Result<()> {
        let length = self.path.len();
        self.path.push('/');
        // As a JSON pointer is escaped (RFC 6901, section 3), so that no two paths are one text.
        self.path.push_str(&step.replace('~', "~0").replace('/', "~1"));
        let written = self.write(value.get());
        self.path.truncate(length);
        written
    }
}

fn unreadable(error: serde_json::Error) -> Error {
    Error::new(ErrorKind::Invalid, "a payload with personal data cannot be read").with_source(error)
}

/// The fields of an object in their order, still encoded.
struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = vec![];
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(fields)
            }
        }
        from.deserialize_map(InOrder).map(Self)
    }
}

/// Whether `payload` holds a value that is sealed, or a mark that cannot be read.
pub(crate) fn is_sealed(payload: &Payload) -> bool {
    let open = |_: At<'_>, mark: Mark<'_>| match mark {
        Mark::Sealed(subject, ..) => Err(Error::corrupt(format!("sealed for {subject}"))),
        mark => Ok(mark.write()),
    };
    payload.is_personal() && rewrite(payload, &mut { open }).is_err()
}

/// The subjects of the values that `payload` holds in the clear, also of those within others.
pub(crate) fn clear_subjects(payload: &Payload) -> Result<BTreeSet<StreamId>> {
    let mut subjects = BTreeSet::new();
    if payload.is_personal() {
        collect(payload.get(), At::TOP, &mut subjects)?;
    }
    Ok(subjects)
}

fn collect(text: &str, at: At<'_>, subjects: &mut BTreeSet<StreamId>) -> Result<()> {
    rewrite_text(text, at, &mut |at, mark| {
        if let Mark::Clear(subject, value) = mark {
            subjects.insert(subject);
            collect(value, at, subjects)?;
        }
        Ok("null".into())
    })
    .map(|_| ())
}

/// `payload` as an outsider is shown it: values in the place of their marks, and `null` where they
/// are forgotten; and how many of them are.
///
/// # Errors
///
/// [`Corrupt`](ErrorKind::Corrupt) if one is sealed still: it could not be opened.
pub(crate) fn reveal(payload: Payload) -> Result<(Payload, usize)> {
    if !payload.is_personal() {
        return Ok((payload, 0));
    }
    let mut forgotten = 0;
    let revealed = reveal_text(payload.get(), At::TOP, &mut forgotten);
    let revealed = revealed.map_err(|error| match error.kind() {
        ErrorKind::Corrupt => error,
        _ => Error::corrupt("an answer with personal data cannot be read").with_source(error),
    })?;
    Ok((Payload::parse(&revealed)?, forgotten))
}

fn reveal_text(text: &str, at: At<'_>, forgotten: &mut usize) -> Result<String> {
    rewrite_text(text, at, &mut |at, mark| match mark {
        Mark::Clear(_, value) => reveal_text(value, at, forgotten),
        Mark::Forgotten(_) => {
            *forgotten += 1;
            Ok("null".into())
        }
        Mark::Sealed(subject, ..) => Err(Error::corrupt(format!(
            "the personal data of {subject} at {:?} were altered, moved or lost their key \
             since they were sealed",
            at.path
        ))),
    })
}

/// `payload` without personal data: only whom they concern is left.
pub(crate) fn bare(payload: &Payload) -> Result<Payload> {
    rewrite(payload, &mut |_, mark| Ok(Mark::Forgotten(mark.subject().clone()).write()))
}

/// `text` as it may be shown in a log.
pub(crate) fn masked(text: &str) -> String {
    rewrite_text(text, At::TOP, &mut |_, _| Ok(MASK.into())).unwrap_or_else(|_| MASK.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLEAR: &str = r#"{"_personal":{"subject":"ada","value":{"a":1e400}}}"#;

    fn payload(text: &str) -> Payload {
        Payload::parse(text).unwrap()
    }

    #[test]
    fn everything_but_the_marks_stays_as_it_is_written() {
        let others = r#"12345678901234567890123,"\u00e4 \"_personal\"""#;
        let text = format!(r#"{{"z":1.50e2,"a":[{CLEAR},{others}],"z":{{"a/b~":{CLEAR}}}}}"#);
        let mut paths = vec![];
        let same = rewrite(&payload(&text), &mut |at, mark| {
            paths.push(at.path.to_owned());
            Ok(mark.write())
        });
        assert_eq!(same.unwrap().get(), text);
        assert_eq!(paths, ["/a/0", "/z/a~1b~0"]);
    }

    #[test]
    fn a_mark_is_only_what_it_says() {
        for text in [
            r#"{"_personal":3}"#,
            r#"{"_personal":{"subject":"ada","value":1},"more":2}"#,
            r#"{"_personal":{"subject":"ada","value":1,"key":1,"sealed":"x"}}"#,
            r#"{"_personal":{"subject":"ada","key":1}}"#,
            r#"{"_personal":{"subject":"a/b","value":1}}"#,
            r#"[{"_personal":{"value":1}}]"#,
        ] {
            let error = rewrite(&payload(text), &mut |_, mark| Ok(mark.write())).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid, "{text}");
        }
        for text in [r#""_personal""#, r#"["_personal"]"#, r#"{"a":"_personal"}"#] {
            let same = rewrite(&payload(text), &mut |_, _| Ok("0".into()));
            assert_eq!(same.unwrap().get(), text);
        }
    }

    #[test]
    fn what_lies_too_deep_is_refused_and_not_followed() {
        let deep = |n: usize| format!("{}{CLEAR}{}", "[".repeat(n), "]".repeat(n));
        clear_subjects(&payload(&deep(100))).unwrap();
        clear_subjects(&payload(&deep(60_000))).unwrap_err();
        let begin = r#"{"_personal":{"subject":"ada","value":"#;
        let nested = |n: usize| format!("{}1{}", begin.repeat(n), "}}".repeat(n));
        clear_subjects(&payload(&nested(100))).unwrap();
        clear_subjects(&payload(&nested(6_000))).unwrap_err();
    }

    #[test]
    fn an_outsider_sees_the_value_or_null() {
        let nested = r#"{"_personal":{"subject":"ada","value":[{"_personal":{"subject":"bob"}}]}}"#;
        let text = format!("[{CLEAR},{nested}]");
        let (shown, forgotten) = reveal(payload(&text)).unwrap();
        assert_eq!((shown.get(), forgotten), (r#"[{"a":1e400},[null]]"#, 1));
        assert_eq!(clear_subjects(&payload(&text)).unwrap().len(), 1);
        assert_eq!(masked(&text), "[<personal>,<personal>]");
        let bare = bare(&payload(&text)).unwrap();
        let ada = r#"{"_personal":{"subject":"ada"}}"#;
        assert_eq!(bare.get(), format!("[{ada},{ada}]"));
        let sealed = r#"{"_personal":{"subject":"ada","key":1,"sealed":"AAAA"}}"#;
        assert_eq!(reveal(payload(sealed)).unwrap_err().kind(), ErrorKind::Corrupt);
    }
}
