//! What needs no port of its own, because a document store is enough.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::functions::ATTEMPTS_MAX;
use crate::ports::{Document, DocumentKey, DocumentStore, Guard, Write};
use crate::{Error, ErrorKind, Payload, Result, StreamName, Version};

/// How far one consumer is with each stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Checkpoints<'a> {
    documents: &'a dyn DocumentStore,
    consumer: &'a str,
    /// When they may be forgotten.
    expires: Option<OffsetDateTime>,
}

#[derive(Serialize, Deserialize)]
struct Checkpoint {
    version: Version,
}

impl<'a> Checkpoints<'a> {
    /// Those of `consumer`.
    pub(crate) fn new(documents: &'a dyn DocumentStore, consumer: &'a str) -> Self {
        Self { documents, consumer, expires: None }
    }

    /// The same, of which those written from now on may be forgotten when they expire.
    pub(crate) fn expiring(self, expires: Option<OffsetDateTime>) -> Self {
        Self { expires, ..self }
    }

    /// The version up to which `stream` has been handled.
    pub(crate) async fn get(&self, stream: &StreamName) -> Result<Version> {
        let document = one(self.documents, &self.key(stream)).await?;
        version_of(document.as_ref())
    }

    /// The versions up to which each of `streams` has been handled.
    pub(crate) async fn get_all(&self, streams: &[StreamName]) -> Result<Vec<Version>> {
        let keys: Vec<_> = streams.iter().map(|stream| self.key(stream)).collect();
        let documents = self.documents.get(&keys).await?;
        documents.iter().map(|document| version_of(document.as_ref())).collect()
    }

    /// Remembers that `stream` has been handled up to `version`. Never moves back.
    pub(crate) async fn advance(&self, stream: &StreamName, version: Version) -> Result<()> {
        let key = self.key(stream);
        for _ in 0..ATTEMPTS_MAX {
            let document = one(self.documents, &key).await?;
            if version_of(document.as_ref())? >= version {
                return Ok(());
            }
            let guard = document.map_or(Guard::Absent, |document| Guard::At(document.revision));
            let body = Some(Payload::encode(&Checkpoint { version })?);
            let (listings, expires) = (vec![], self.expires);
            let write = Write { key: key.clone(), body, listings, guard, expires };
            match put(self.documents, write).await {
                // Another delivery moved it.
                Err(error) if error.kind() == ErrorKind::Conflict => {}
                outcome => return outcome,
            }
        }
        Err(Error::new(ErrorKind::Conflict, format!("the checkpoint of {stream} is too busy")))
    }

    fn key(&self, stream: &StreamName) -> DocumentKey {
        DocumentKey { collection: checkpoints(self.consumer), id: stream.to_string() }
    }
}

/// The collection of the checkpoints of `consumer`.
pub(crate) fn checkpoints(consumer: &str) -> String {
    format!("checkpoints.{consumer}")
}

fn version_of(document: Option<&Document>) -> Result<Version> {
    let Some(document) = document else { return Ok(Version::EMPTY) };
    document.body.decode::<Checkpoint>().map(|checkpoint| checkpoint.version)
}

/// The document of `key`, if it exists.
pub(crate) async fn one(
    documents: &dyn DocumentStore,
    key: &DocumentKey,
) -> Result<Option<Document>> {
    let found = documents.get(std::slice::from_ref(key)).await?;
    Ok(found.into_iter().next().flatten())
}

/// Makes one change.
pub(crate) async fn put(documents: &dyn DocumentStore, write: Write) -> Result<()> {
    let outcomes = documents.write(&[write]).await;
    outcomes.into_iter().collect::<Result<Vec<_>>>().map(|_| ())
}
