//! Keys of subjects where a subject has one document, which a guarded write replaces.

use async_trait::async_trait;

use super::unguarded;
use crate::limits::SUBJECT_KEYS_MAX;
use crate::ports::{Keyring, SubjectKey, check_key_number};
use crate::{Error, ErrorKind, Result, StreamId};

/// A store that keeps the whole keyring of a subject in one place.
#[async_trait]
pub trait Keyrings: Sync {
    /// Which state of the place was read: what a guard asks for.
    type Mark: Send;

    /// What is kept of `subject` as it is now; no mark if there is nothing.
    ///
    /// # Errors
    ///
    /// Those of the store.
    async fn kept(&self, subject: &StreamId) -> Result<(Keyring, Option<Self::Mark>)>;

    /// Makes `keys` all that is kept of `subject`, if nothing has changed since it was read.
    ///
    /// # Errors
    ///
    /// [`Conflict`](ErrorKind::Conflict) if something has; those of the store.
    async fn replace(
        &self,
        subject: &StreamId,
        keys: &[SubjectKey],
        read: Option<Self::Mark>,
    ) -> Result<()>;
}

/// Creates the key `number` of `subject`, as [`KeyStore::create`](crate::ports::KeyStore::create)
/// promises.
///
/// # Errors
///
/// As there.
pub async fn create_key(
    keyrings: &impl Keyrings,
    subject: &StreamId,
    number: u32,
    subject_key: &SubjectKey,
) -> Result<Keyring> {
    if number == 0 || number > SUBJECT_KEYS_MAX {
        // No subject has so many keys that this could be the next one.
        check_key_number(subject, number, 0)?;
    }
    // The first key of a subject is the commonest, and needs no read.
    let (ring, read) = match number {
        1 => (Keyring::Empty, None),
        _ => keyrings.kept(subject).await?,
    };
    let mut keys = match ring {
        Keyring::Destroyed => return Ok(Keyring::Destroyed),
        Keyring::Empty => vec![],
        Keyring::Keys(keys) => keys,
    };
    if !is_next(subject, number, &keys)? {
        return Ok(Keyring::Keys(keys));
    }
    keys.push(subject_key.clone());
    match keyrings.replace(subject, &keys, read).await {
        Ok(()) => Ok(Keyring::Keys(keys)),
        Err(error) if error.kind() == ErrorKind::Conflict => {
            kept_instead(keyrings, subject, number, error).await
        }
        Err(error) => Err(error),
    }
}

/// What another creator, or a destroyer, has made of `subject`; if neither did, `error` was too
/// many at once, and the key is to be created again.
async fn kept_instead(
    keyrings: &impl Keyrings,
    subject: &StreamId,
    number: u32,
    error: Error,
) -> Result<Keyring> {
    match keyrings.kept(subject).await?.0 {
        Keyring::Destroyed => Ok(Keyring::Destroyed),
        Keyring::Keys(keys) if !is_next(subject, number, &keys)? => Ok(Keyring::Keys(keys)),
        Keyring::Empty | Keyring::Keys(_) => Err(unguarded(error)),
    }
}

/// Whether `number` is that of the key after `keys`.
fn is_next(subject: &StreamId, number: u32, keys: &[SubjectKey]) -> Result<bool> {
    check_key_number(subject, number, keys.len())?;
    Ok(usize::try_from(number).is_ok_and(|number| number == keys.len() + 1))
}
