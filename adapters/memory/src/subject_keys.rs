use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use skyfold::adapter::check_subjects;
use skyfold::ports::{KeyStore, Keyring, SubjectKey, check_key_number};
use skyfold::{Result, StreamId};

/// The keys of subjects, apart from everything else that is kept.
#[derive(Default)]
pub(crate) struct SubjectKeys(Mutex<BTreeMap<StreamId, Keyring>>);

impl SubjectKeys {
    pub(crate) fn find(&self, subjects: &[StreamId]) -> Result<Vec<Keyring>> {
        check_subjects(subjects.len())?;
        let kept = self.lock();
        let find = |subject| kept.get(subject).cloned().unwrap_or_default();
        Ok(subjects.iter().map(find).collect())
    }

    pub(crate) fn keep(
        &self,
        subject: &StreamId,
        number: u32,
        key: &SubjectKey,
    ) -> Result<Keyring> {
        let mut kept = self.lock();
        let ring = kept.entry(subject.clone()).or_default();
        match ring {
            Keyring::Destroyed => {}
            Keyring::Empty => {
                check_key_number(subject, number, 0)?;
                *ring = Keyring::Keys(vec![key.clone()]);
            }
            Keyring::Keys(keys) => {
                check_key_number(subject, number, keys.len())?;
                if number as usize > keys.len() {
                    keys.push(key.clone());
                }
            }
        }
        Ok(ring.clone())
    }

    pub(crate) fn destroy_all(&self, subject: &StreamId) {
        self.lock().insert(subject.clone(), Keyring::Destroyed);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<StreamId, Keyring>> {
        self.0.lock().expect("nothing panics while it holds the keys")
    }
}

impl fmt::Debug for SubjectKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubjectKeys").field("subjects", &self.lock().len()).finish()
    }
}

#[async_trait]
impl KeyStore for SubjectKeys {
    async fn get(&self, subjects: &[StreamId]) -> Result<Vec<Keyring>> {
        self.find(subjects)
    }

    async fn create(&self, subject: &StreamId, number: u32, key: &SubjectKey) -> Result<Keyring> {
        self.keep(subject, number, key)
    }

    async fn destroy(&self, subject: &StreamId) -> Result<()> {
        self.destroy_all(subject);
        Ok(())
    }
}
