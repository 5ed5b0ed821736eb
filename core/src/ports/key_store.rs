use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use zeroize::Zeroize;

use crate::limits::SUBJECT_KEYS_MAX;
use crate::{Result, StreamId};

/// A secret under which the personal data of one subject are sealed. It is wiped from memory with
/// its last clone, and shown by nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct SubjectKey(Arc<Secret>);

/// Wiped when it is dropped.
#[derive(PartialEq, Eq)]
struct Secret([u8; SubjectKey::BYTES]);

impl SubjectKey {
    /// How many bytes it has.
    pub const BYTES: usize = 32;

    /// The key of these bytes.
    pub fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(Arc::new(Secret(bytes)))
    }

    /// Its bytes: for a store, and for nothing else.
    pub fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0.0
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for SubjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SubjectKey(..)")
    }
}

/// What is kept of a subject.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Keyring {
    /// Nothing: there are no personal data of it yet.
    #[default]
    Empty,
    /// Its keys, at least one, oldest first. The first has the number 1, and the newest seals.
    Keys(Vec<SubjectKey>),
    /// That its keys were destroyed: it was forgotten, for good.
    Destroyed,
}

/// Keeps the keys of subjects, apart from the data that they seal: whoever restores old data must
/// not restore the keys of those who were forgotten since.
///
/// A store of a cloud keeps them encrypted under a key of the cloud's own key service.
///
/// # Contract
///
/// - A get sees every create and destroy that returned before it began, and answers in the order
///   of its subjects.
/// - Of several creators of one key one wins, and all are told the same keys.
/// - A key stays as it was created, and keeps its number, until it is destroyed.
/// - Destroying a subject's keys is final: no get shows one again, and a create keeps nothing and
///   is told so. That holds for a subject that never had a key, too.
/// - After [`Unavailable`](crate::ErrorKind::Unavailable) a change may have been made. Making it
///   again is safe.
/// - Two different subjects share nothing.
#[async_trait]
pub trait KeyStore: fmt::Debug + Send + Sync + 'static {
    /// What is kept of each of `subjects`, in the same place. At most
    /// [`BATCH_SUBJECTS_MAX`](crate::limits::BATCH_SUBJECTS_MAX) subjects, all different.
    async fn get(&self, subjects: &[StreamId]) -> Result<Vec<Keyring>>;

    /// Keeps `key` as the `number`th of `subject`, counted from 1, unless it has one of that
    /// number or its keys were destroyed. Returns what is kept of it then.
    ///
    /// A number that would leave a gap, or is above [`SUBJECT_KEYS_MAX`], is
    /// [`Invalid`](crate::ErrorKind::Invalid).
    async fn create(&self, subject: &StreamId, number: u32, key: &SubjectKey) -> Result<Keyring>;

    /// Destroys every key of `subject`, and remembers that it did.
    async fn destroy(&self, subject: &StreamId) -> Result<()>;
}

/// Refuses a `number` that the next key of a subject with `count` keys cannot have: what every key
/// store checks.
///
/// # Errors
///
/// [`Invalid`](crate::ErrorKind::Invalid), naming the subject and the number.
pub fn check_key_number(subject: &StreamId, number: u32, count: usize) -> Result<()> {
    let is_next = usize::try_from(number).is_ok_and(|number| (1..=count + 1).contains(&number));
    if is_next && number <= SUBJECT_KEYS_MAX {
        return Ok(());
    }
    Err(crate::Error::invalid(format!(
        "{subject} has {count} keys, and cannot take one with the number {number}, of at most \
         {SUBJECT_KEYS_MAX}"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_shows_itself_to_nobody() {
        let key = SubjectKey::from_bytes([171; SubjectKey::BYTES]);
        let shown = format!("{key:?} {:?}", Keyring::Keys(vec![key.clone()]));
        assert!(!shown.contains("171") && !shown.contains("ab"), "{shown}");
    }

    #[test]
    fn keys_are_numbered_without_a_gap() {
        let subject = StreamId::new("ada").unwrap();
        for (number, count, is_legal) in [
            (1, 0, true),
            (2, 0, false),
            (0, 0, false),
            (1, 3, true),
            (4, 3, true),
            (5, 3, false),
            (SUBJECT_KEYS_MAX, 63, true),
            (SUBJECT_KEYS_MAX + 1, 64, false),
        ] {
            let checked = check_key_number(&subject, number, count);
            assert_eq!(checked.is_ok(), is_legal, "{number} after {count}");
        }
    }
}
