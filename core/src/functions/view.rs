use serde::{Deserialize, Serialize};

use crate::limits::{DOCUMENT_BYTES_MAX, ID_CHARS_MAX};
use crate::ports::{Document, DocumentKey, Guard, Listing, Write};
use crate::{
    Error, ErrorKind, EventId, Metadata, Payload, Projection, RecordedEvent, Result, StreamName,
    Version,
};

/// How many streams a view remembers before it asks which of them it may forget.
pub(crate) const SEEN_MAX: usize = 64;

/// A view beside the versions it reflects, so that both change in one write.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct StoredView {
    /// The view; absent once it was removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    view: Option<Payload>,
    /// The versions reflected, of each stream that fed the view; least recently seen first.
    seen: Vec<(StreamName, Version)>,
    /// Whether a stream was forgotten, so that one which is not in `seen` may have fed the view.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    has_forgotten: bool,
    /// The event that changed the view last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last: Option<EventId>,
    /// What travelled with it.
    #[serde(default)]
    metadata: Metadata,
}

impl StoredView {
    pub(crate) fn read(document: &Document) -> Result<Self> {
        document.body.decode().map_err(|error| {
            let message = format!("the document {} is not a view", document.id);
            Error::new(ErrorKind::Corrupt, message).with_source(error)
        })
    }

    /// The view, if there is one.
    pub(crate) fn view(&self) -> Option<&Payload> {
        self.view.as_ref()
    }

    /// The version of `stream` that the view reflects, as far as it remembers.
    pub(crate) fn seen(&self, stream: &StreamName) -> Option<Version> {
        self.seen.iter().find(|(seen, _)| seen == stream).map(|(_, version)| *version)
    }

    /// Whether a stream that it does not remember may have fed it.
    pub(crate) fn has_forgotten(&self) -> bool {
        self.has_forgotten
    }

    /// Remembers that the view reflects `stream` up to `version`.
    pub(crate) fn see(&mut self, stream: &StreamName, version: Version) {
        self.seen.retain(|(seen, _)| seen != stream);
        self.seen.push((stream.clone(), version));
    }

    /// Remembers the event that changed the view.
    pub(crate) fn changed_by<E>(&mut self, event: &RecordedEvent<E>) {
        self.last = Some(event.id());
        self.metadata = event.metadata.clone();
    }

    /// The event that changed the view last, and what travelled with it.
    pub(crate) fn last(&self) -> (Option<&EventId>, &Metadata) {
        (self.last.as_ref(), &self.metadata)
    }

    pub(crate) fn set<T: Serialize>(&mut self, view: Option<&T>) -> Result<()> {
        self.view = view.map(Payload::encode).transpose()?;
        Ok(())
    }

    /// The streams that may be forgotten if their checkpoints are beyond what was seen of them:
    /// none while there are few.
    pub(crate) fn oldest(&self) -> &[(StreamName, Version)] {
        match self.seen.len() > SEEN_MAX {
            true => &self.seen[..self.seen.len() - SEEN_MAX / 2],
            false => &[],
        }
    }

    /// Forgets `streams`.
    pub(crate) fn forget(&mut self, streams: &[StreamName]) {
        self.has_forgotten |= !streams.is_empty();
        self.seen.retain(|(seen, _)| !streams.contains(seen));
    }

    /// The write that puts it in the place of `document`.
    pub(crate) fn write<P: Projection>(
        &self,
        key: DocumentKey,
        document: Option<&Document>,
        view: Option<&P::View>,
    ) -> Result<Write> {
        let body = Payload::encode(self)?;
        if body.bytes() > DOCUMENT_BYTES_MAX {
            let message = format!(
                "the view {} of {} has {} bytes, of at most {DOCUMENT_BYTES_MAX}",
                key.id,
                P::NAME,
                body.bytes()
            );
            return Err(Error::new(ErrorKind::Oversized, message));
        }
        let guard = document.map_or(Guard::Absent, |document| Guard::At(document.revision.clone()));
        let listings = listings::<P>(&key.id, view)?;
        Ok(Write { key, body: Some(body), listings, guard, expires: None })
    }
}

/// The lists that `view` appears in.
fn listings<P: Projection>(key: &str, view: Option<&P::View>) -> Result<Vec<Listing>> {
    let Some(view) = view else { return Ok(vec![]) };
    let mut listings: Vec<Listing> = vec![];
    let listed =
        super::guarded(|| format!("the lists of {} {key}", P::NAME), || P::listed(key, view))?;
    for listed in listed {
        let list = list_index::<P>(listed.list)?;
        if listings.iter().any(|listing| listing.list == list) {
            let message =
                format!("the view {key} is in the list {} of {} twice", listed.list, P::NAME);
            return Err(Error::invalid(message));
        }
        check_key(&listed.under)?;
        check_key(&listed.by)?;
        listings.push(Listing { list, under: listed.under, by: listed.by });
    }
    Ok(listings)
}

/// The place of `list` among the lists of `P`.
pub(crate) fn list_index<P: Projection>(list: &str) -> Result<usize> {
    P::LISTS.iter().position(|known| *known == list).ok_or_else(|| {
        let message = format!("{} has no list {list:?}, only {:?}", P::NAME, P::LISTS);
        Error::new(ErrorKind::NotFound, message)
    })
}

/// Checks a view's key, or what it is listed under or by.
pub(crate) fn check_key(key: &str) -> Result<()> {
    let chars = key.chars().count();
    if (1..=ID_CHARS_MAX).contains(&chars) && !key.chars().any(char::is_control) {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "the key {key:?} has {chars} characters, of 1 to {ID_CHARS_MAX} without control characters"
    )))
}
