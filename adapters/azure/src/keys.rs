use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::StreamExt as _;
use serde::{Deserialize, Serialize};
use skyfold::adapter::{Keyrings, check_subjects, create_key, unguarded};
use skyfold::ports::{Consistency, KeyStore, Keyring, SubjectKey};
use skyfold::{Error, ErrorKind, Result, StreamId};

use crate::CONCURRENT_MAX;
use crate::cosmos::Container;

/// The id of every item, of which a subject has one.
const ID: &str = "keys";

/// A container of the keys of subjects: in an account of its own, since a backup is of a whole
/// account, and encrypted under a key of the subscription's own ("Customer-managed keys").
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    pub(crate) container: Container,
}

/// What is kept of a subject, as an item.
#[derive(Serialize, Deserialize)]
struct Item {
    id: String,
    /// The subject: the partition key.
    #[serde(rename = "p")]
    subject: String,
    /// Its keys in base64, oldest first.
    #[serde(rename = "k", default, skip_serializing_if = "Vec::is_empty")]
    ring: Vec<String>,
    /// Whether they were destroyed.
    #[serde(rename = "d", default, skip_serializing_if = "std::ops::Not::not")]
    is_destroyed: bool,
    #[serde(rename = "_etag", default, skip_serializing)]
    etag: String,
}

impl Item {
    fn of(subject: &StreamId, keys: &[SubjectKey]) -> Self {
        Self {
            id: ID.to_owned(),
            subject: subject.as_str().to_owned(),
            ring: keys.iter().map(|key| STANDARD.encode(key.as_bytes())).collect(),
            is_destroyed: keys.is_empty(),
            etag: String::new(),
        }
    }

    /// What it keeps.
    fn keyring(&self) -> Result<Keyring> {
        if self.is_destroyed {
            return Ok(Keyring::Destroyed);
        }
        let keys = self.ring.iter().map(|text| subject_key(text)).collect::<Option<Vec<_>>>();
        let keys = keys.filter(|keys| !keys.is_empty()).map(Keyring::Keys);
        keys.ok_or_else(|| Error::new(ErrorKind::Corrupt, "the keys of a subject cannot be read"))
    }
}

fn subject_key(text: &str) -> Option<SubjectKey> {
    let bytes = STANDARD.decode(text).ok()?;
    Some(SubjectKey::from_bytes(bytes.as_slice().try_into().ok()?))
}

#[async_trait]
impl Keyrings for Keys {
    /// The etag of the item.
    type Mark = String;

    async fn kept(&self, subject: &StreamId) -> Result<(Keyring, Option<String>)> {
        let found: Option<Item> =
            self.container.read(subject.as_str(), ID, Consistency::Strong).await?;
        Ok(match found {
            Some(item) => (item.keyring()?, Some(item.etag)),
            None => (Keyring::Empty, None),
        })
    }

    async fn replace(
        &self,
        subject: &StreamId,
        keys: &[SubjectKey],
        etag: Option<String>,
    ) -> Result<()> {
        let item = Item::of(subject, keys);
        match etag {
            Some(etag) => self.container.replace(subject.as_str(), ID, &etag, &item).await?,
            None => self.container.create(subject.as_str(), ID, &item).await?,
        };
        Ok(())
    }
}

#[async_trait]
impl KeyStore for Keys {
    async fn get(&self, subjects: &[StreamId]) -> Result<Vec<Keyring>> {
        check_subjects(subjects.len())?;
        let mut reads = vec![];
        for subject in subjects {
            reads.push(self.kept(subject));
        }
        let kept: Vec<_> = futures::stream::iter(reads).buffered(CONCURRENT_MAX).collect().await;
        kept.into_iter().map(|kept| kept.map(|(ring, _)| ring)).collect()
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
        let item = Item::of(subject, &[]);
        self.container.upsert(subject.as_str(), ID, &item).await.map_err(unguarded)?;
        Ok(())
    }
}
