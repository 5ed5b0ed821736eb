use std::sync::Arc;

use async_trait::async_trait;
use skyfold::ports::{KeyStore, Keyring, SubjectKey};
use skyfold::{Result, StreamId};

use crate::ports::call::Call;
use crate::ports::gate::{Effect, Gate};

/// The key store, as a process finds it on a bad day.
#[derive(Debug)]
pub(crate) struct Keys {
    pub(crate) store: Arc<dyn KeyStore>,
    pub(crate) gate: Gate,
}

#[async_trait]
impl KeyStore for Keys {
    async fn get(&self, subjects: &[StreamId]) -> Result<Vec<Keyring>> {
        self.gate.pass(Effect::Read, Call::Keys(subjects), self.store.get(subjects)).await
    }

    async fn create(&self, subject: &StreamId, number: u32, key: &SubjectKey) -> Result<Keyring> {
        let call = Call::CreateKey(subject, number);
        self.gate.pass(Effect::Write, call, self.store.create(subject, number, key)).await
    }

    async fn destroy(&self, subject: &StreamId) -> Result<()> {
        let call = Call::DestroyKeys(subject);
        self.gate.pass(Effect::Write, call, self.store.destroy(subject)).await
    }
}
