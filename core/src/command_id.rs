use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::limits::ID_CHARS_MAX;
use crate::{Error, Result};

/// Identifies a command, however often it is sent: the idempotency key.
///
/// A UUIDv7 says when it was made, and so tells a stream that it cannot have seen it before
/// without a look into its past. Any other text works as well, and costs that look once the
/// stream is long.
///
/// Invariant: 1 to [`ID_CHARS_MAX`] printable ASCII characters, none of them a space.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CommandId(String);

impl CommandId {
    /// The id, if `value` keeps the invariant.
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::ErrorKind::Invalid) if it does not.
    pub fn new(value: impl Into<String>) -> Result<Self> {
        let value = value.into();
        let legal = (1..=ID_CHARS_MAX).contains(&value.len());
        if legal && value.bytes().all(|b| b.is_ascii_graphic()) {
            return Ok(Self(value));
        }
        Err(Error::invalid(format!(
            "a command id is 1 to {ID_CHARS_MAX} printable ASCII characters without a space, \
             best a UUIDv7"
        )))
    }

    /// A fresh UUIDv7 made at `now`, from the system's random numbers: for the edge, never for a
    /// decision.
    pub fn fresh(now: OffsetDateTime) -> Self {
        let (seconds, nanos) = (now.unix_timestamp().max(0), now.nanosecond());
        let timestamp = uuid::Timestamp::from_unix(uuid::NoContext, seconds.unsigned_abs(), nanos);
        Self(Uuid::new_v7(timestamp).to_string())
    }

    /// The id that follows from a cause: the same `parts` at the same `time` are always the same
    /// id, in the form of a UUIDv7 made then.
    pub fn derived(time: OffsetDateTime, parts: &[&str]) -> Self {
        let name: Vec<u8> = parts
            .iter()
            .flat_map(|part| {
                let length = (part.len() as u64).to_be_bytes();
                length.into_iter().chain(part.bytes())
            })
            .collect();
        let digest = Uuid::new_v5(&Uuid::NAMESPACE_OID, &name);
        let mut random = [0; 10];
        random.copy_from_slice(&digest.as_bytes()[..10]);
        let millis = millis(time).max(0).unsigned_abs();
        Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid().to_string())
    }

    /// When the id was made, in milliseconds since 1970, if it says so.
    pub(crate) fn issued(&self) -> Option<i64> {
        let uuid = Uuid::try_parse(&self.0).ok().filter(|uuid| uuid.get_version_num() == 7)?;
        let (seconds, nanos) = uuid.get_timestamp()?.to_unix();
        i64::try_from(seconds).ok()?.checked_mul(1000)?.checked_add(i64::from(nanos / 1_000_000))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// `time` in milliseconds since 1970: how exactly this crate keeps time.
pub(crate) fn millis(time: OffsetDateTime) -> i64 {
    let millis = time.unix_timestamp_nanos() / 1_000_000;
    i64::try_from(millis).expect("the time crate ends in the year 9999")
}

impl FromStr for CommandId {
    type Err = Error;
    fn from_str(value: &str) -> Result<Self> {
        Self::new(value)
    }
}

impl TryFrom<String> for CommandId {
    type Error = Error;
    fn try_from(value: String) -> Result<Self> {
        Self::new(value)
    }
}

impl From<CommandId> for String {
    fn from(id: CommandId) -> Self {
        id.0
    }
}

impl fmt::Display for CommandId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_fresh_id_says_when_it_was_made() {
        let now = datetime!(2010-12-01 08:26:00.123 UTC);
        assert_eq!(CommandId::fresh(now).issued(), Some(millis(now)));
        assert_ne!(CommandId::fresh(now), CommandId::fresh(now));
    }

    #[test]
    fn a_derived_id_depends_on_every_part_and_on_nothing_else() {
        let now = datetime!(2010-12-01 08:26 UTC);
        let id = |parts: &[&str]| CommandId::derived(now, parts);
        assert_eq!(id(&["a", "b"]), id(&["a", "b"]));
        assert_ne!(id(&["a", "b"]), id(&["ab", ""]));
        assert_ne!(id(&["a", "b"]), id(&["a", "c"]));
        assert_eq!(id(&["a"]).issued(), Some(millis(now)));
        assert_ne!(id(&["a"]), CommandId::derived(now + time::Duration::SECOND, &["a"]));
    }

    #[test]
    fn only_a_uuid_of_version_7_says_when_it_was_made() {
        for id in ["order-42", "936da01f-9abd-4d9d-80c7-02af85c822a8"] {
            assert_eq!(CommandId::new(id).unwrap().issued(), None);
        }
    }

    #[test]
    fn an_id_is_printable_and_short() {
        CommandId::new("x".repeat(ID_CHARS_MAX)).unwrap();
        for illegal in ["", "a b", "a\n", "ä", &"x".repeat(ID_CHARS_MAX + 1)] {
            CommandId::new(illegal).unwrap_err();
        }
    }
}
