use serde::{Deserialize, Serialize};

use crate::limits::{DOCUMENT_BYTES_MAX, ID_CHARS_MAX};
use crate::ports::{Document, DocumentKey, Guard, Listing, Write};
use crate::{
    Error, ErrorKind, EventId, Metadata, Payload, Projection, RecordedEvent, Result, StreamName,
    Version,
};

/// How many streams a view remembers before it asks which of them it may forget.
pub(crate) const SEEN_MAX: usize = 64;

/// How many streams a view remembers while it is held, so that it always fits its document.
const HELD_SEEN_MAX: usize = 1_024;

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
    /// Whether it forgets no stream for now, so that whoever repairs it can tell what it was fed
    /// from here on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_held: bool,
    /// Whether the next event of its own stream cannot be handled, and waits.
    #[serde(default, rename = "waits", skip_serializing_if = "std::ops::Not::not")]
    is_waiting: bool,
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
        self.is_waiting = false;
    }

    /// Whether the next event of the view's own stream waits for an operator.
    pub(crate) fn is_waiting(&self) -> bool {
        self.is_waiting
    }

    /// Has the next event of the view's own stream wait.
    pub(crate) fn wait(&mut self) {
        self.is_waiting = true;
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
        let limit = if self.is_held { HELD_SEEN_MAX } else { SEEN_MAX };
        match self.seen.len() > limit {
            true => &self.seen[..self.seen.len() - SEEN_MAX / 2],
            false => &[],
        }
    }

    /// Forgets `streams`.
    pub(crate) fn forget(&mut self, streams: &[StreamName]) {
        self.has_forgotten |= !streams.is_empty();
        self.is_held &= streams.is_empty();
        self.seen.retain(|(seen, _)| !streams.contains(seen));
    }

    /// All that it remembers of the streams that fed it.
    pub(crate) fn all_seen(&self) -> &[(StreamName, Version)] {
        &self.seen
    }

    /// Whether it forgets no stream for now.
    pub(crate) fn is_held(&self) -> bool {
        self.is_held
    }

    /// The same, which forgets no stream until it is written over.
    pub(crate) fn held(mut self) -> Self {
        self.is_held = true;
        self
    }

    /// The same, which may have been fed by streams that it does not remember.
    pub(crate) fn forgetful(mut self) -> Self {
        self.has_forgotten = true;
        self
    }

    /// The same in the place of `other`: it also remembers what `other` has `seen` of streams that
    /// never changed it.
    pub(crate) fn in_place_of(mut self, other: &Self, seen: &[(StreamName, Version)]) -> Self {
        for (stream, version) in seen {
            if self.seen(stream) < Some(*version) {
                self.see(stream, *version);
            }
        }
        self.has_forgotten |= other.has_forgotten;
        self.is_held = false;
        self
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
pub(crate) fn listings<P: Projection>(key: &str, view: Option<&P::View>) -> Result<Vec<Listing>> {
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
