use async_trait::async_trait;
use prost_types::Timestamp;
use skyfold::limits::{BATCH_SUBJECTS_MAX, SUBJECT_KEYS_MAX};
use skyfold::ports::{KeyStore, Keyring, SubjectKey, check_key_number};
use skyfold::{Error, ErrorKind, Result, StreamId};

use crate::errors::unguarded;
use crate::firestore::{
    ArrayValue, Database, Document, Fields, Guarded as _, Value, ValueType, create, decode_id,
    encode_id, replace,
};

/// The collection of subjects.
pub(crate) const SUBJECTS: &str = "subjects";

/// The keys of a subject, oldest first.
pub(crate) const RING: &str = "k";

/// Whether they were destroyed.
pub(crate) const DESTROYED: &str = "d";

/// A database of the keys of subjects: one that is not backed up, and encrypted under a key of the
/// project's own ("Customer-managed encryption keys").
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    pub(crate) database: Database,
}

/// What is kept of a subject, and when that was last changed.
struct Kept {
    ring: Keyring,
    changed: Option<Timestamp>,
}

impl Keys {
    fn name(&self, subject: &StreamId) -> String {
        self.database.at(&format!("{SUBJECTS}/{}", encode_id(subject.as_str())))
    }

    async fn kept(&self, subject: &StreamId) -> Result<Kept> {
        let found = self.database.get(vec![self.name(subject)]).await?;
        Ok(match found.first() {
            Some(document) => Kept { ring: ring(document)?, changed: document.update_time },
            None => Kept { ring: Keyring::Empty, changed: None },
        })
    }

    /// Makes `keys` all that is kept of `subject`, if nothing has changed since it was read.
    async fn replace(
        &self,
        subject: &StreamId,
        keys: &[SubjectKey],
        changed: Option<Timestamp>,
    ) -> Result<()> {
        let bytes = |key: &SubjectKey| Value {
            value_type: Some(ValueType::BytesValue(key.as_bytes().to_vec())),
        };
        let values = keys.iter().map(bytes).collect();
        let ring = Value { value_type: Some(ValueType::ArrayValue(ArrayValue { values })) };
        let fields = Fields::from([(RING.to_owned(), ring)]);
        let write = match changed {
            Some(time) => replace(self.name(subject), fields).if_at(time),
            None => create(self.name(subject), fields),
        };
        self.database.commit(write).await?;
        Ok(())
    }
}

/// What `document` keeps.
fn ring(document: &Document) -> Result<Keyring> {
    if document.fields.contains_key(DESTROYED) {
        return Ok(Keyring::Destroyed);
    }
    let unreadable = || Error::new(ErrorKind::Corrupt, "the keys of a subject cannot be read");
    let value = document.fields.get(RING).and_then(|value| value.value_type.as_ref());
    let Some(ValueType::ArrayValue(array)) = value else { return Err(unreadable()) };
    let keys = array.values.iter().map(subject_key).collect::<Option<Vec<_>>>();
    keys.filter(|keys| !keys.is_empty()).map(Keyring::Keys).ok_or_else(unreadable)
}

fn subject_key(value: &Value) -> Option<SubjectKey> {
    match &value.value_type {
        Some(ValueType::BytesValue(bytes)) => {
            Some(SubjectKey::from_bytes(bytes.as_slice().try_into().ok()?))
        }
        _ => None,
    }
}

#[async_trait]
impl KeyStore for Keys {
    async fn get(&self, subjects: &[StreamId]) -> Result<Vec<Keyring>> {
        let count = subjects.len();
        if count > BATCH_SUBJECTS_MAX {
            let message = format!("a batch of {count} subjects, of at most {BATCH_SUBJECTS_MAX}");
            return Err(Error::new(ErrorKind::Oversized, message));
        }
        let names = subjects.iter().map(|subject| self.name(subject)).collect();
        let mut found = std::collections::HashMap::new();
        for document in self.database.get(names).await? {
            found.insert(decode_id(&document.name)?, ring(&document)?);
        }
        let kept = |subject: &StreamId| found.remove(subject.as_str()).unwrap_or_default();
        Ok(subjects.iter().map(kept).collect())
    }

    async fn create(
        &self,
        subject: &StreamId,
        number: u32,
        subject_key: &SubjectKey,
    ) -> Result<Keyring> {
        if number == 0 || number > SUBJECT_KEYS_MAX {
            // No subject has so many keys that this could be the next one.
            check_key_number(subject, number, 0)?;
        }
        // The first key of a subject is the commonest, and needs no read.
        let before = match number {
            1 => Kept { ring: Keyring::Empty, changed: None },
            _ => self.kept(subject).await?,
        };
        let mut keys = match before.ring {
            Keyring::Destroyed => return Ok(Keyring::Destroyed),
            Keyring::Empty => vec![],
            Keyring::Keys(keys) => keys,
        };
        if !is_next(subject, number, &keys)? {
            return Ok(Keyring::Keys(keys));
        }
        keys.push(subject_key.clone());
        match self.replace(subject, &keys, before.changed).await {
            Ok(()) => Ok(Keyring::Keys(keys)),
            Err(error) if error.kind() == ErrorKind::Conflict => {
                self.kept_instead(subject, number, error).await
            }
            Err(error) => Err(error),
        }
    }

    async fn destroy(&self, subject: &StreamId) -> Result<()> {
        let destroyed = Value { value_type: Some(ValueType::BooleanValue(true)) };
        let fields = Fields::from([(DESTROYED.to_owned(), destroyed)]);
        self.database.commit(replace(self.name(subject), fields)).await.map_err(unguarded)?;
        Ok(())
    }
}

impl Keys {
    /// What another creator, or a destroyer, has made of `subject`; if neither did, `error` was too
    /// many at once, and the key is to be created again.
    async fn kept_instead(&self, subject: &StreamId, number: u32, error: Error) -> Result<Keyring> {
        match self.kept(subject).await?.ring {
            Keyring::Destroyed => Ok(Keyring::Destroyed),
            Keyring::Keys(keys) if !is_next(subject, number, &keys)? => Ok(Keyring::Keys(keys)),
            Keyring::Empty | Keyring::Keys(_) => Err(unguarded(error)),
        }
    }
}

/// Whether `number` is that of the key after `keys`.
fn is_next(subject: &StreamId, number: u32, keys: &[SubjectKey]) -> Result<bool> {
    check_key_number(subject, number, keys.len())?;
    Ok(usize::try_from(number).is_ok_and(|number| number == keys.len() + 1))
}
