use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::limits::{ID_CHARS_MAX, NAME_CHARS_MAX};
use crate::saga::CATEGORY_PREFIX;
use crate::{Error, Result};

/// The kind of a stream, shared by all streams of one decider: `order` in `order-42`.
pub type Category = &'static str;

/// Checks a category, a projection's, saga's or query's name: lower-case letters, digits, dots
/// and dashes, so that it is legal in a URL, a topic and a resource name on every cloud.
pub(crate) fn check_name(what: &str, name: &str, dash: Dash) -> Result<()> {
    let legal = |b: u8| {
        b.is_ascii_lowercase()
            || b.is_ascii_digit()
            || b == b'.'
            || (b == b'-' && dash == Dash::Legal)
    };
    let starts = name.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
    if starts && name.len() <= NAME_CHARS_MAX && name.bytes().all(legal) {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "{what} {name:?} is not a letter and up to {} of a-z, 0-9 and '.'{}",
        NAME_CHARS_MAX - 1,
        if dash == Dash::Legal { " and '-'" } else { "" },
    )))
}

/// Whether a name may hold a dash. A category may not: the first dash ends it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dash {
    Legal,
    Illegal,
}

/// Which stream of its category: `42` in `order-42`.
///
/// Invariant: 1 to [`ID_CHARS_MAX`] of `A-Z a-z 0-9 . _ : ~ @ -`, and neither `.` nor `..`, which
/// every store, URL and resource name takes as it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StreamId(Arc<str>);

impl StreamId {
    /// The id, if `value` keeps the invariant.
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::ErrorKind::Invalid), naming the first character that is not legal.
    pub fn new(value: impl AsRef<str>) -> Result<Self> {
        let value = value.as_ref();
        if value.is_empty() || value.len() > ID_CHARS_MAX {
            return Err(Error::invalid(format!(
                "a stream id has 1 to {ID_CHARS_MAX} characters, not {}",
                value.chars().count()
            )));
        }
        let legal = |c: char| c.is_ascii_alphanumeric() || "._:~@-".contains(c);
        if let Some(illegal) = value.chars().find(|c| !legal(*c)) {
            return Err(Error::invalid(format!(
                "{illegal:?} is not legal in the stream id {value:?}: use A-Z a-z 0-9 . _ : ~ @ -"
            )));
        }
        if value == "." || value == ".." {
            return Err(Error::invalid(format!("{value:?} is not legal as a stream id")));
        }
        Ok(Self(value.into()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for StreamId {
    type Err = Error;
    fn from_str(value: &str) -> Result<Self> {
        Self::new(value)
    }
}

impl TryFrom<String> for StreamId {
    type Error = Error;
    fn try_from(value: String) -> Result<Self> {
        Self::new(value)
    }
}

impl From<StreamId> for String {
    fn from(id: StreamId) -> Self {
        id.0.as_ref().to_owned()
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl schemars::JsonSchema for StreamId {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "StreamId".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "minLength": 1,
            "maxLength": ID_CHARS_MAX,
            "pattern": "^(?!\\.{1,2}$)[A-Za-z0-9._:~@-]+$",
        })
    }
}

/// The name of a stream: its category, a dash, its id. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StreamName {
    /// Invariant: a legal category, a dash, a legal [`StreamId`].
    text: Arc<str>,
}

impl StreamName {
    /// The stream `id` of `category`.
    ///
    /// # Panics
    ///
    /// If `category` holds a dash. Categories are constants of the domain, checked by
    /// [`App::bind`](crate::App::bind).
    pub fn new(category: &str, id: &StreamId) -> Self {
        assert!(!category.contains('-'), "the category {category:?} holds a dash");
        Self { text: format!("{category}-{id}").into() }
    }

    /// What comes before the first dash.
    pub fn category(&self) -> &str {
        self.split().0
    }

    /// What comes after the first dash.
    pub fn id(&self) -> StreamId {
        StreamId(self.split().1.into())
    }

    /// The saga of which this stream holds the records of a transaction, if it does.
    pub fn saga(&self) -> Option<&str> {
        self.category().strip_prefix(CATEGORY_PREFIX)
    }

    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn split(&self) -> (&str, &str) {
        self.text.split_once('-').expect("the invariant has a dash")
    }
}

impl FromStr for StreamName {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let missing = || {
            Error::invalid(format!(
                "{text:?} is not a stream: expected category-id, as in order-42"
            ))
        };
        let (category, id) = text.split_once('-').ok_or_else(missing)?;
        check_name("the category", category, Dash::Illegal)?;
        StreamId::new(id)?;
        Ok(Self { text: text.into() })
    }
}

impl TryFrom<String> for StreamName {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<StreamName> for String {
    fn from(name: StreamName) -> Self {
        name.text.as_ref().to_owned()
    }
}

impl fmt::Display for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_takes_what_urls_and_stores_take_as_it_is() {
        for legal in ["42", "85123A", "ada@example.org", "a_b:c~d-e.f", "__x__", "...", "-"] {
            assert_eq!(StreamId::new(legal).unwrap().as_str(), legal);
        }
        for illegal in ["", ".", "..", "a/b", "a#b", "a?b", "a%b", "a b", "größe", "a\0", "日本"]
        {
            StreamId::new(illegal).unwrap_err();
        }
        StreamId::new("x".repeat(ID_CHARS_MAX)).unwrap();
        StreamId::new("x".repeat(ID_CHARS_MAX + 1)).unwrap_err();
    }

    #[test]
    fn a_stream_name_is_split_at_the_first_dash() {
        let name: StreamName = "order-a-b".parse().unwrap();
        assert_eq!((name.category(), name.id().as_str()), ("order", "a-b"));
        assert_eq!(name, StreamName::new("order", &StreamId::new("a-b").unwrap()));
        for illegal in ["order", "-42", "Order-42", "order-", "order-a/b", "1x-2"] {
            illegal.parse::<StreamName>().unwrap_err();
        }
    }

    #[test]
    fn a_name_fits_every_cloud() {
        check_name("query", "order-history.2", Dash::Legal).unwrap();
        for illegal in ["", "-a", "Order", "a_b", "a b", &"x".repeat(NAME_CHARS_MAX + 1)] {
            check_name("query", illegal, Dash::Legal).unwrap_err();
        }
        check_name("category", "a-b", Dash::Illegal).unwrap_err();
    }
}
