use serde::{Deserialize, Serialize};
use skyfold::{
    Intervened, Payload, Result, SagaInstance, SagaPage, SagaQuery, SagaRecord, StreamId, Version,
};

use super::{Asked, Remote, text_of};

/// How many records were gone through.
#[derive(Deserialize)]
struct Retried {
    records: u64,
}

/// A page of records.
#[derive(Deserialize)]
struct Records {
    items: Vec<SagaRecord>,
}

impl Remote {
    pub(crate) async fn sagas(
        &self,
        saga: &str,
        query: &SagaQuery,
        from: Option<&str>,
    ) -> Result<SagaPage> {
        let SagaQuery { is_open, since, quiet_since } = query;
        let mut parameters = vec![("open", is_open.to_string())];
        for (name, time) in [("since", since), ("quiet-since", quiet_since)] {
            if let Some(time) = time {
                parameters.push((name, text_of(*time)?));
            }
        }
        parameters.extend(from.map(|from| ("cursor", from.to_owned())));
        let asked = Asked { query: parameters, ..Asked::of(["operations", "sagas", saga]) };
        self.answer(asked, None).await
    }

    pub(crate) async fn saga(&self, saga: &str, id: &StreamId) -> Result<SagaInstance> {
        self.answer(Asked::of(["operations", "sagas", saga, id.as_str()]), None).await
    }

    pub(crate) async fn saga_records(
        &self,
        saga: &str,
        id: &StreamId,
        after: Version,
    ) -> Result<Vec<SagaRecord>> {
        let query = vec![("beyond", after.to_string())];
        let asked = Asked::of(["operations", "sagas", saga, id.as_str(), "records"]);
        let page: Records = self.answer(Asked { query, ..asked }, None).await?;
        Ok(page.items)
    }

    pub(crate) async fn retry_saga(&self, saga: &str, id: &StreamId) -> Result<u64> {
        let body = Some(Payload::parse("{}")?);
        let asked = Asked::of(["operations", "sagas", saga, id.as_str(), "retry"]);
        let retried: Retried = self.answer(Asked { body, ..asked }, None).await?;
        Ok(retried.records)
    }

    pub(crate) async fn intervene(
        &self,
        saga: &str,
        id: &StreamId,
        how: &str,
        request: &(impl Serialize + Sync),
    ) -> Result<Intervened> {
        let body = Some(Payload::encode(request)?);
        let asked = Asked::of(["operations", "sagas", saga, id.as_str(), how]);
        self.answer(Asked { body, ..asked }, None).await
    }
}
