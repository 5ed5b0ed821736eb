//! What is kept as JSON, and versions as text.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Error, ErrorKind, Result, Version};

/// `value`, which is `what`, as JSON.
///
/// # Errors
///
/// [`Invalid`](ErrorKind::Invalid) if it has no such form.
pub fn encode<T: Serialize>(what: &str, value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|error| {
        Error::new(ErrorKind::Invalid, format!("{what} has no JSON form")).with_source(error)
    })
}

/// What `text`, which is `what`, says.
///
/// # Errors
///
/// [`Corrupt`](ErrorKind::Corrupt) if it cannot be read.
pub fn decode<T: DeserializeOwned>(what: &str, text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| {
        Error::new(ErrorKind::Corrupt, format!("{what} cannot be read")).with_source(error)
    })
}

/// `version` as text: as long as the longest, so that it sorts as numbers do.
pub fn sort_key(version: Version) -> String {
    format!("{:020}", version.0)
}
