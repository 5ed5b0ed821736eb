use async_trait::async_trait;
use prost_types::Timestamp;
use skyfold::adapter::{Keyrings, check_subjects, create_key, unguarded};
use skyfold::ports::{KeyStore, Keyring, SubjectKey};
use skyfold::{Error, ErrorKind, Result, StreamId};

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

impl Keys {
    fn name(&self, subject: &StreamId) -> String {
        self.database.at(&format!("{SUBJECTS}/{}", encode_id(subject.as_str())))
    }
}

#[async_trait]
impl Keyrings for Keys {
    /// When the document was last changed.
    type Mark = Timestamp;

    async fn kept(&self, subject: &StreamId) -> Result<(Keyring, Option<Timestamp>)> {
        let found = self.database.get(vec![self.name(subject)]).await?;
        Ok(match found.first() {
            Some(document) => (ring(document)?, document.update_time),
            None => (Keyring::Empty, None),
        })
    }

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
        check_subjects(subjects.len())?;
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
        create_key(self, subject, number, subject_key).await
    }

    async fn destroy(&self, subject: &StreamId) -> Result<()> {
        let destroyed = Value { value_type: Some(ValueType::BooleanValue(true)) };
        let fields = Fields::from([(DESTROYED.to_owned(), destroyed)]);
        self.database.commit(replace(self.name(subject), fields)).await.map_err(unguarded)?;
        Ok(())
    }
}
