use skyfold::{
    Intervened, Result, SagaInstance, SagaPage, SagaQuery, SagaRecord, SendRequest, SkipRequest,
    StreamId, Version,
};

use super::{Client, Way};

/// What an operator asks of the transactions of sagas; see [`Sagas`](skyfold::Sagas). Each fails as
/// it does there, and with [`NotFound`](skyfold::ErrorKind::NotFound) where the app runs elsewhere
/// and serves no operators.
impl Client {
    /// A page of the transactions of `saga`, from where an earlier page ended.
    ///
    /// # Errors
    ///
    /// As of [`Sagas::list`](skyfold::Sagas::list).
    pub async fn sagas(
        &self,
        saga: &str,
        query: &SagaQuery,
        from: Option<&str>,
    ) -> Result<SagaPage> {
        match &self.way {
            Way::Http(remote) => remote.sagas(saga, query, from).await,
            Way::Process(runtime) => runtime.sagas().list(saga, query, from).await,
        }
    }

    /// The transaction `id` of `saga` as it is now.
    ///
    /// # Errors
    ///
    /// As of [`Sagas::show`](skyfold::Sagas::show).
    pub async fn saga(&self, saga: &str, id: &StreamId) -> Result<SagaInstance> {
        match &self.way {
            Way::Http(remote) => remote.saga(saga, id).await,
            Way::Process(runtime) => runtime.sagas().show(saga, id).await,
        }
    }

    /// A page of the records of the transaction `id` of `saga` after `after`; none at the end.
    ///
    /// # Errors
    ///
    /// As of [`Sagas::records`](skyfold::Sagas::records).
    pub async fn saga_records(
        &self,
        saga: &str,
        id: &StreamId,
        after: Version,
    ) -> Result<Vec<SagaRecord>> {
        match &self.way {
            Way::Http(remote) => remote.saga_records(saga, id, after).await,
            Way::Process(runtime) => runtime.sagas().records(saga, id, after).await,
        }
    }

    /// Asks again for all that the transaction `id` of `saga` asked for. Returns how many records
    /// were gone through.
    ///
    /// # Errors
    ///
    /// As of [`Sagas::retry`](skyfold::Sagas::retry).
    pub async fn retry_saga(&self, saga: &str, id: &StreamId) -> Result<u64> {
        match &self.way {
            Way::Http(remote) => remote.retry_saga(saga, id).await,
            Way::Process(runtime) => runtime.sagas().retry(saga, id).await,
        }
    }

    /// Has the transaction `id` of `saga` go on without an event or a command.
    ///
    /// # Errors
    ///
    /// As of [`Sagas::skip`](skyfold::Sagas::skip).
    pub async fn skip_in_saga(
        &self,
        saga: &str,
        id: &StreamId,
        request: &SkipRequest,
    ) -> Result<Intervened> {
        match &self.way {
            Way::Http(remote) => remote.intervene(saga, id, "skip", request).await,
            Way::Process(runtime) => runtime.sagas().skip(saga, id, request).await,
        }
    }

    /// Sends a command on behalf of the transaction `id` of `saga`.
    ///
    /// # Errors
    ///
    /// As of [`Sagas::send`](skyfold::Sagas::send).
    pub async fn send_for_saga(
        &self,
        saga: &str,
        id: &StreamId,
        request: &SendRequest,
    ) -> Result<Intervened> {
        match &self.way {
            Way::Http(remote) => remote.intervene(saga, id, "send", request).await,
            Way::Process(runtime) => runtime.sagas().send(saga, id, request).await,
        }
    }
}
