use std::fmt;
use std::sync::Arc;

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::privacy::mark;
use crate::{Error, ErrorKind, Result};

/// JSON that stays encoded until somebody needs it typed. Cheap to clone; equal if the text is.
///
/// Invariant: valid JSON.
#[derive(Clone)]
pub struct Payload(Arc<RawValue>);

impl Payload {
    /// Encodes `value`.
    ///
    /// # Errors
    ///
    /// [`Invalid`](ErrorKind::Invalid) if `value` has no JSON form, such as a map whose keys are
    /// not text.
    pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Self> {
        let raw = serde_json::value::to_raw_value(value)
            .map_err(|e| Error::new(ErrorKind::Invalid, "no JSON form").with_source(e))?;
        Ok(Self(raw.into()))
    }

    /// Takes `text` as it is, if it is JSON.
    ///
    /// # Errors
    ///
    /// [`Invalid`](ErrorKind::Invalid), with line and column.
    pub fn parse(text: &str) -> Result<Self> {
        let raw = serde_json::from_str::<Box<RawValue>>(text)
            .map_err(|e| Error::new(ErrorKind::Invalid, "malformed JSON").with_source(e))?;
        Ok(Self(raw.into()))
    }

    /// Reads it as a `T`.
    ///
    /// # Errors
    ///
    /// [`Corrupt`](ErrorKind::Corrupt), with line, column and what was expected.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_str(self.get())
            .map_err(|e| Error::corrupt("the payload does not fit its type").with_source(e))
    }

    /// The text.
    pub fn get(&self) -> &str {
        self.0.get()
    }

    /// Whether it may hold personal data: one scan of the text.
    pub(crate) fn is_personal(&self) -> bool {
        mark::is_marked(self.get())
    }

    /// How many bytes the text has.
    pub fn bytes(&self) -> usize {
        self.get().len()
    }
}

impl Default for Payload {
    fn default() -> Self {
        Self(RawValue::NULL.to_owned().into())
    }
}

impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl Eq for Payload {}

/// Shows no personal data.
impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.is_personal() {
            false => f.write_str(self.get()),
            true => f.write_str(&mark::masked(self.get())),
        }
    }
}

impl fmt::Display for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.get())
    }
}

impl Serialize for Payload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer).map_err(D::Error::custom)?;
        Ok(Self(raw.into()))
    }
}
