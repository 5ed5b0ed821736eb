use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::ports::{Document, DocumentKey, DocumentStore, Guard, Position, Revision, Write};
use crate::stores::one;
use crate::{Error, ErrorKind, EventId, Payload, Result, Version};

/// The collection of the documents that say how far replays are.
const COLLECTION: &str = "replays";

/// How many events that could not be handled a replay names; it counts the others.
const UNHANDLED_MAX: usize = 100;

/// An event that could not be handled. Those that follow it in its stream wait for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unhandled {
    /// The event, or the first of those that were delivered with it.
    pub event: EventId,
    /// Why.
    pub why: String,
}

/// How far a replay has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// How many slices of the feed were read to their end.
    pub slices_done: u16,
    /// How many slices there are.
    pub slices: u16,
    /// How many events were delivered so far, earlier runs of the same replay included.
    pub events: u64,
    /// About which part of the whole is done, from 0 to 1, judged by when the events were recorded.
    pub fraction: f64,
}

/// Which events a replay is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Scope {
    pub(crate) categories: Vec<String>,
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub(crate) since: Option<OffsetDateTime>,
    pub(crate) version: Option<Version>,
}

/// How far one slice of the feed was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SliceAt {
    pub(crate) next: Option<Position>,
    pub(crate) is_done: bool,
}

/// How far a replay has come, as it is stored behind the views: whoever starts it again goes on
/// here, and delivers a few events once more, which the views drop.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Saved {
    pub(crate) scope: Scope,
    pub(crate) slices: Vec<SliceAt>,
    pub(crate) events: u64,
    pub(crate) unhandled: Vec<Unhandled>,
    /// How many there were, those that are not named included.
    pub(crate) unhandled_count: u64,
    pub(crate) is_finished: bool,
    /// Whether an earlier replay had read everything and handled all of it.
    #[serde(default)]
    pub(crate) was_complete: bool,
}

impl Saved {
    /// Remembers an event that could not be handled.
    pub(crate) fn fail(&mut self, event: EventId, error: &Error) {
        self.unhandled_count += 1;
        if self.unhandled.len() < UNHANDLED_MAX {
            self.unhandled.push(Unhandled { event, why: error.to_string() });
        }
    }
}

/// The stored progress of the one replay of a read model's revision. Every write of it rests on the
/// one before, so that of two replays at once the older one notices, and ends.
#[derive(Debug)]
pub(crate) struct Journal<'a> {
    documents: &'a dyn DocumentStore,
    key: DocumentKey,
    revision: Option<Revision>,
}

impl<'a> Journal<'a> {
    /// That of the views in `collection`, and what it says.
    pub(crate) async fn open(
        documents: &'a dyn DocumentStore,
        collection: &str,
    ) -> Result<(Self, Option<Saved>)> {
        let key = journal_key(collection);
        let document = one(documents, &key).await?;
        let saved = document.as_ref().map(|document| document.body.decode()).transpose()?;
        let revision = document.map(|document| document.revision);
        Ok((Self { documents, key, revision }, saved))
    }

    /// Keeps `saved`.
    ///
    /// # Errors
    ///
    /// [`Conflict`](ErrorKind::Conflict) if another replay of the same views has begun.
    pub(crate) async fn write(&mut self, saved: &Saved) -> Result<()> {
        let (key, body) = (self.key.clone(), Payload::encode(saved)?);
        let guard = self.revision.clone().map_or(Guard::Absent, Guard::At);
        let write = Write { key, body: Some(body.clone()), listings: vec![], guard, expires: None };
        let outcome = self.documents.write(&[write]).await.into_iter().next();
        let outcome = outcome.unwrap_or_else(|| Err(Error::corrupt("no outcome of one write")));
        self.revision = Some(match outcome {
            Ok(revision) => revision,
            Err(error) if error.is_conflict() => self.own(&body).await?.ok_or_else(|| {
                let message = format!("another replay of {} has taken over", self.key.id);
                Error::new(ErrorKind::Conflict, message).with_source(error)
            })?,
            Err(error) => return Err(error),
        });
        Ok(())
    }

    /// The state of the document, if it is `body` that it holds: then the write was our own, whose
    /// answer was lost.
    async fn own(&self, body: &Payload) -> Result<Option<Revision>> {
        let found = one(self.documents, &self.key).await?;
        Ok(found
            .filter(|document| document.body == *body)
            .map(|Document { revision, .. }| revision))
    }
}

/// The document of the progress of the views in `collection`.
pub(crate) fn journal_key(collection: &str) -> DocumentKey {
    DocumentKey { collection: COLLECTION.into(), id: collection.to_owned() }
}
