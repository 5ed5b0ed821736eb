//! What needs no port of its own, because a document store is enough.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::functions::{ATTEMPTS_MAX, Aside, Standing, too_early};
use crate::ports::{Document, DocumentKey, DocumentStore, Guard, Write};
use crate::{Error, ErrorKind, EventId, Payload, Result, StreamName, Version};

/// How far one consumer is with each stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Checkpoints<'a> {
    documents: &'a dyn DocumentStore,
    consumer: &'a str,
    /// When they may be forgotten.
    expires: Option<OffsetDateTime>,
}

#[derive(Clone, Copy, Default, Serialize, Deserialize)]
struct Checkpoint {
    version: Version,
    /// Whether the next event cannot be handled, and waits.
    #[serde(default, rename = "waits", skip_serializing_if = "std::ops::Not::not")]
    is_waiting: bool,
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
        self.standing(stream).await.map(|standing| standing.reached)
    }

    /// The same, and whether the stream waits there.
    pub(crate) async fn standing(&self, stream: &StreamName) -> Result<Standing> {
        let Checkpoint { version: reached, is_waiting } =
            read(one(self.documents, &self.key(stream)).await?.as_ref())?;
        Ok(Standing { reached, is_waiting })
    }

    /// The versions up to which each of `streams` has been handled.
    pub(crate) async fn get_all(&self, streams: &[StreamName]) -> Result<Vec<Version>> {
        let keys: Vec<_> = streams.iter().map(|stream| self.key(stream)).collect();
        let documents = self.documents.get(&keys).await?;
        documents.iter().map(|document| read(document.as_ref()).map(|at| at.version)).collect()
    }

    /// Remembers that `stream` has been handled up to `version`. Never moves back.
    pub(crate) async fn advance(&self, stream: &StreamName, version: Version) -> Result<()> {
        let advanced = |found: Checkpoint| {
            if found.version >= version {
                return Ok(None);
            }
            Ok(Some(Checkpoint { version, is_waiting: false }))
        };
        self.change(stream, advanced).await
    }

    /// Has the stream wait at `event`, or go on after it, unless it has been handled.
    pub(crate) async fn step(&self, event: &EventId, step: Aside) -> Result<()> {
        let stepped = |found: Checkpoint| {
            if found.version >= event.version || (step == Aside::Wait && found.is_waiting) {
                return Ok(None);
            }
            if found.version.next() != event.version {
                return Err(too_early(event, found.version));
            }
            Ok(Some(match step {
                Aside::Wait => Checkpoint { is_waiting: true, ..found },
                Aside::PassOver => Checkpoint { version: event.version, is_waiting: false },
            }))
        };
        self.change(&event.stream, stepped).await
    }

    /// Writes what `change` makes of the checkpoint, if anything.
    async fn change(
        &self,
        stream: &StreamName,
        change: impl Fn(Checkpoint) -> Result<Option<Checkpoint>> + Send,
    ) -> Result<()> {
        let key = self.key(stream);
        for _ in 0..ATTEMPTS_MAX {
            let document = one(self.documents, &key).await?;
            let Some(changed) = change(read(document.as_ref())?)? else { return Ok(()) };
            let guard = document.map_or(Guard::Absent, |document| Guard::At(document.revision));
            let body = Some(Payload::encode(&changed)?);
            let (listings, expires) = (vec![], self.expires);
            let write = Write { key: key.clone(), body, listings, guard, expires };
            match put(self.documents, write).await {
                // Another delivery moved it.
                Err(error) if error.is_conflict() => {}
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

fn read(document: Option<&Document>) -> Result<Checkpoint> {
    document.map_or(Ok(Checkpoint::default()), |document| document.body.decode())
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
