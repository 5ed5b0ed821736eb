//! Which revision of a read model answers, where an app lists several.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::functions::Rebuildable;
use crate::ports::{Document, DocumentKey, DocumentStore, Guard, Write};
use crate::stores::{one, put};
use crate::{Payload, Result};

/// The collection of the documents that say which revision is active.
const COLLECTION: &str = "revisions";

/// The read models that an app lists in several revisions. While there are none, nobody ever looks
/// for which is active.
#[derive(Debug, Default)]
pub(crate) struct Revisions(BTreeMap<&'static str, Vec<u32>>);

impl Revisions {
    /// Those of `listed` whose name is there more than once.
    pub(crate) fn listed<'a>(listed: impl Iterator<Item = &'a dyn Rebuildable>) -> Self {
        let mut revisions: BTreeMap<_, Vec<u32>> = BTreeMap::new();
        for model in listed {
            revisions.entry(model.name()).or_default().push(model.revision());
        }
        revisions.retain(|_, revisions| revisions.len() > 1);
        revisions.values_mut().for_each(|revisions| revisions.sort_unstable());
        Self(revisions)
    }

    /// The revisions of `name`, the least first, if there are several.
    pub(crate) fn of(&self, name: &str) -> Option<&[u32]> {
        self.0.get(name).map(Vec::as_slice)
    }
}

/// What is known of the revisions of one read model.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pointer {
    /// The revision that answers, once somebody has switched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) active: Option<u32>,
    /// Those that answered before, and were complete.
    #[serde(default)]
    pub(crate) earlier: Vec<u32>,
}

impl Pointer {
    /// The revision of those `listed`, the least first, that answers: the one that was switched
    /// to, or else the least, which has been there before the others.
    pub(crate) fn active_of(&self, listed: &[u32]) -> u32 {
        let switched = self.active.filter(|active| listed.contains(active));
        switched.or_else(|| listed.first().copied()).unwrap_or_default()
    }
}

/// The revision of `name` that answers, of those `listed`.
pub(crate) async fn active(
    documents: &dyn DocumentStore,
    name: &str,
    listed: &[u32],
) -> Result<u32> {
    let (pointer, _) = pointer(documents, name).await?;
    Ok(pointer.active_of(listed))
}

/// What is known of the revisions of `name`, and the document that says so.
pub(crate) async fn pointer(
    documents: &dyn DocumentStore,
    name: &str,
) -> Result<(Pointer, Option<Document>)> {
    let document = one(documents, &key(name)).await?;
    let pointer = document.as_ref().map(|document| document.body.decode()).transpose()?;
    Ok((pointer.unwrap_or_default(), document))
}

/// Replaces what `document` says of the revisions of `name`, unless it has changed meanwhile.
pub(crate) async fn point(
    documents: &dyn DocumentStore,
    name: &str,
    pointer: &Pointer,
    document: Option<Document>,
) -> Result<()> {
    let guard = document.map_or(Guard::Absent, |document| Guard::At(document.revision));
    let body = Some(Payload::encode(pointer)?);
    let write = Write { key: key(name), body, listings: vec![], guard, expires: None };
    match put(documents, write).await {
        // The write may be our own, whose answer was lost.
        Err(error) if error.is_conflict() => match self::pointer(documents, name).await?.0 {
            found if found == *pointer => Ok(()),
            _ => Err(error),
        },
        outcome => outcome,
    }
}

fn key(name: &str) -> DocumentKey {
    DocumentKey { collection: COLLECTION.into(), id: name.to_owned() }
}
