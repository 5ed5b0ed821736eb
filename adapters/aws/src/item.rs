use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use skyfold::{Error, ErrorKind, Result};

/// An item of a table: its attributes by name.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// The partition key of every table.
pub(crate) const PARTITION: &str = "PK";

/// The sort key of every table.
pub(crate) const SORT: &str = "SK";

/// What the item is about, as JSON.
pub(crate) const BODY: &str = "B";

/// A text attribute.
pub(crate) fn s(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// A number attribute.
pub(crate) fn n(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// The key of an item.
pub(crate) fn key(partition: &str, sort: &str) -> Item {
    HashMap::from([(PARTITION.to_owned(), s(partition)), (SORT.to_owned(), s(sort))])
}

/// The text of the attribute `name` of `item`.
///
/// # Errors
///
/// [`Corrupt`](ErrorKind::Corrupt) if there is none: somebody else wrote the item.
pub(crate) fn text<'a>(item: &'a Item, name: &str) -> Result<&'a str> {
    match item.get(name) {
        Some(AttributeValue::S(text)) => Ok(text),
        _ => Err(foreign(item, name)),
    }
}

/// The number of the attribute `name` of `item`, if it has one.
///
/// # Errors
///
/// [`Corrupt`](ErrorKind::Corrupt) if it is not a number of this kind.
pub(crate) fn number<T: std::str::FromStr>(item: &Item, name: &str) -> Result<Option<T>> {
    match item.get(name) {
        None => Ok(None),
        Some(AttributeValue::N(digits)) => {
            digits.parse().map(Some).map_err(|_| foreign(item, name))
        }
        Some(_) => Err(foreign(item, name)),
    }
}

fn foreign(item: &Item, name: &str) -> Error {
    let at = |key| item.get(key).and_then(|value| value.as_s().ok()).map_or("?", String::as_str);
    let (partition, sort) = (at(PARTITION), at(SORT));
    let message = format!(
        "the item {partition} {sort} has no {name} of this release's form: its table may have \
         another layout"
    );
    Error::new(ErrorKind::Corrupt, message)
}
