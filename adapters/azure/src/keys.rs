use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::StreamExt as _;
use serde::{Deserialize, Serialize};
use skyfold::limits::{BATCH_SUBJECTS_MAX, SUBJECT_KEYS_MAX};
use skyfold::ports::{Consistency, KeyStore, Keyring, SubjectKey, check_key_number};
use skyfold::{Error, ErrorKind, Result, StreamId};

use crate::cosmos::Container;
use crate::errors::unguarded;

/// The id of every item, of which a subject has one.
const ID: &str = "keys";

/// How many requests of one batch are on their way at once.
const CONCURRENT_MAX: usize = 16;

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

/// What is kept of a subject, and the etag of that.
struct Kept {
    ring: Keyring,
    etag: Option<String>,
}

impl Keys {
    async fn kept(&self, subject: &StreamId) -> Result<Kept> {
        let found: Option<Item> =
            self.container.read(subject.as_str(), ID, Consistency::Strong).await?;
        Ok(match found {
            Some(item) => Kept { ring: item.keyring()?, etag: Some(item.etag) },
            None => Kept { ring: Keyring::Empty, etag: None },
        })
    }

    /// Makes `keys` all that is kept of `subject`, if nothing has changed since it was read.
    async fn replace(
        &self,
        subject: &StreamId,
        keys: &[SubjectKey],
        etag: Option<&str>,
    ) -> Result<()> {
        let item = Item::of(subject, keys);
        match etag {
            Some(etag) => self.container.replace(subject.as_str(), ID, etag, &item).await?,
            None => self.container.create(subject.as_str(), ID, &item).await?,
        };
        Ok(())
    }

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

#[async_trait]
impl KeyStore for Keys {
    async fn get(&self, subjects: &[StreamId]) -> Result<Vec<Keyring>> {
        let count = subjects.len();
        if count > BATCH_SUBJECTS_MAX {
            let message = format!("a batch of {count} subjects, of at most {BATCH_SUBJECTS_MAX}");
            return Err(Error::new(ErrorKind::Oversized, message));
        }
        let mut reads = vec![];
        for subject in subjects {
            reads.push(self.kept(subject));
        }
        let kept: Vec<_> = futures::stream::iter(reads).buffered(CONCURRENT_MAX).collect().await;
        kept.into_iter().map(|kept| kept.map(|kept| kept.ring)).collect()
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
            1 => Kept { ring: Keyring::Empty, etag: None },
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
        match self.replace(subject, &keys, before.etag.as_deref()).await {
            Ok(()) => Ok(Keyring::Keys(keys)),
            Err(error) if error.kind() == ErrorKind::Conflict => {
                self.kept_instead(subject, number, error).await
            }
            Err(error) => Err(error),
        }
    }

    async fn destroy(&self, subject: &StreamId) -> Result<()> {
        let item = Item::of(subject, &[]);
        self.container.upsert(subject.as_str(), ID, &item).await.map_err(unguarded)?;
        Ok(())
    }
}

/// Whether `number` is that of the key after `keys`.
fn is_next(subject: &StreamId, number: u32, keys: &[SubjectKey]) -> Result<bool> {
    check_key_number(subject, number, keys.len())?;
    Ok(usize::try_from(number).is_ok_and(|number| number == keys.len() + 1))
}
