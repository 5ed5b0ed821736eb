use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use time::OffsetDateTime;

use crate::event::{Metadata, NewEvent, RecordedEvent, Version};
use crate::limits::{COMMIT_BYTES_MAX, COMMIT_EVENTS_MAX, EVENT_BYTES_MAX};
use crate::window::{Entry, Window};
use crate::{CommandId, Error, ErrorKind, Payload, Result, StoredState, StreamName};

/// Where a stream ends: what an append continues.
///
/// Invariant: it was the stream's head at some time. It comes from a commit that a store returned,
/// or says that the stream is empty, and cannot be made up: a version in the middle of a commit
/// would not collide with the commit that follows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    stream: StreamName,
    version: Version,
}

impl Head {
    /// The head of a stream that has no events yet.
    pub fn empty(stream: StreamName) -> Self {
        Self { stream, version: Version::EMPTY }
    }

    /// The stream.
    pub fn stream(&self) -> &StreamName {
        &self.stream
    }

    /// The version of its last event.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Where the stream ends once `commit` was appended here.
    pub(crate) fn after(&self, commit: &Commit) -> Self {
        Self { stream: self.stream.clone(), version: self.version.plus(commit.count()) }
    }
}

/// Where the newest stored state of a stream is, for a commit that carries none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum StateAt {
    /// Nowhere: fold from the first event.
    #[default]
    #[serde(rename = "0")]
    Nowhere,
    /// In the commit whose first event has this version.
    #[serde(rename = "c")]
    Commit(Version),
    /// In the stream's snapshot, as of this version at least.
    #[serde(rename = "s")]
    Snapshot(Version),
}

impl StateAt {
    fn is_nowhere(&self) -> bool {
        *self == Self::Nowhere
    }
}

/// Events that enter a stream together or not at all: one item on every store.
///
/// Its JSON form has one-letter names, so that what an event needs beside its data stays small
/// enough for one write unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// The command it came of.
    #[serde(rename = "i")]
    pub(crate) id: CommandId,
    /// The digest of what was asked for, to tell a repeated command from a reused id.
    #[serde(rename = "h")]
    pub(crate) fingerprint: u32,
    /// When the decision was taken.
    #[serde(rename = "t", with = "time::serde::timestamp::milliseconds")]
    pub(crate) time: OffsetDateTime,
    /// What travels with each event.
    #[serde(rename = "m")]
    pub(crate) metadata: Metadata,
    /// Invariant: 1 to [`COMMIT_EVENTS_MAX`] events within the limits of size.
    #[serde(rename = "e", deserialize_with = "at_least_one")]
    pub(crate) events: Vec<NewEvent>,
    /// The commands seen lately, before this one.
    #[serde(rename = "w", default)]
    pub(crate) window: Window,
    /// The state after these events, where that is worth its place.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub(crate) state: Option<StoredState>,
    /// Where the newest state is, if it is not here.
    #[serde(rename = "p", default, skip_serializing_if = "StateAt::is_nowhere")]
    pub(crate) state_at: StateAt,
}

impl Commit {
    /// The commit of `events` by the command `id`, which asked for what `fingerprint` digests.
    ///
    /// # Errors
    ///
    /// [`Invalid`](ErrorKind::Invalid) if there are no events, [`Oversized`](ErrorKind::Oversized)
    /// if there are too many or they or the metadata are too large, with the size and the limit.
    pub fn new(
        id: CommandId,
        fingerprint: u32,
        time: OffsetDateTime,
        metadata: Metadata,
        events: Vec<NewEvent>,
    ) -> Result<Self> {
        check_events(&events)?;
        metadata.check()?;
        let time = to_the_millisecond(time);
        let (window, state_at) = (Window::default(), StateAt::Nowhere);
        Ok(Self { id, fingerprint, time, metadata, events, window, state: None, state_at })
    }

    /// The command it came of.
    pub fn id(&self) -> &CommandId {
        &self.id
    }

    /// When the decision was taken.
    pub fn time(&self) -> OffsetDateTime {
        self.time
    }

    /// The events, oldest first.
    pub fn events(&self) -> &[NewEvent] {
        &self.events
    }

    /// The state after these events, if it is carried along.
    pub fn state(&self) -> Option<&StoredState> {
        self.state.as_ref()
    }

    /// The same commit carrying `state`, as it may be read from a store.
    #[must_use]
    pub fn with_state(self, state: Option<StoredState>) -> Self {
        Self { state, ..self }
    }

    /// The commit of one event of a saga's record, which holds a whole event of others and so may
    /// be larger than one of theirs.
    pub(crate) fn of_record(
        id: CommandId,
        time: OffsetDateTime,
        metadata: Metadata,
        record: NewEvent,
    ) -> Result<Self> {
        let bytes = record.data.bytes();
        if bytes > COMMIT_BYTES_MAX {
            return Err(Error::new(
                ErrorKind::Oversized,
                format!(
                    "what the saga heard and asks for has {bytes} bytes, of {COMMIT_BYTES_MAX}"
                ),
            ));
        }
        let time = to_the_millisecond(time);
        let (window, state_at) = (Window::default(), StateAt::Nowhere);
        let (events, fingerprint) = (vec![record], 0);
        Ok(Self { id, fingerprint, time, metadata, events, window, state: None, state_at })
    }

    /// The events that hold personal data, each with its place in the commit, and the state if it
    /// does.
    pub(crate) fn personal(
        &mut self,
    ) -> (impl Iterator<Item = (u64, &mut Payload)>, Option<&mut StoredState>) {
        let events = self.events.iter_mut().zip(0..).map(|(event, nth)| (nth, &mut event.data));
        let events = events.filter(|(_, data)| data.is_personal());
        (events, self.state.as_mut().filter(|stored| stored.state.is_personal()))
    }

    /// Whether any payload holds personal data.
    pub(crate) fn is_personal(&self) -> bool {
        let events = self.events.iter().map(|event| &event.data);
        let state = self.state.iter().map(|stored| &stored.state);
        events.chain(state).any(|payload| payload.is_personal())
    }

    /// Refuses what has grown beyond the limits since it was made: personal data are larger once
    /// they are sealed.
    pub(crate) fn check_sealed(&self) -> Result<()> {
        // A saga's record holds a whole event of others, and may be larger than one of theirs.
        let bytes: usize = self.events.iter().map(|event| event.data.bytes()).sum();
        match bytes > COMMIT_BYTES_MAX {
            true => Err(Error::new(
                ErrorKind::Oversized,
                format!(
                    "the events of one command have {bytes} bytes, of at most {COMMIT_BYTES_MAX}, \
                     once they are sealed"
                ),
            )),
            false => Ok(()),
        }
    }

    /// How many events there are.
    pub(crate) fn count(&self) -> u64 {
        self.events.len() as u64
    }
}

/// Stores keep milliseconds, so that what is appended is what is read back.
fn to_the_millisecond(time: OffsetDateTime) -> OffsetDateTime {
    time.replace_millisecond(time.millisecond()).expect("its own millisecond")
}

/// A commit without events ends nowhere: what is read as one is not a commit.
fn at_least_one<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<NewEvent>, D::Error> {
    let events = Vec::<NewEvent>::deserialize(deserializer)?;
    match events.is_empty() {
        true => Err(D::Error::invalid_length(0, &"at least one event")),
        false => Ok(events),
    }
}

fn check_events(events: &[NewEvent]) -> Result<()> {
    let oversized = |message: String| Err(Error::new(ErrorKind::Oversized, message));
    if events.is_empty() {
        return Err(Error::invalid("a commit has at least one event"));
    }
    if events.len() > COMMIT_EVENTS_MAX {
        let count = events.len();
        return oversized(format!(
            "one command recorded {count} events, of at most {COMMIT_EVENTS_MAX}: split it"
        ));
    }
    for event in events {
        let (name, bytes) = (&event.event_type, event.data.bytes());
        if bytes > EVENT_BYTES_MAX {
            return oversized(format!(
                "the event {name} has {bytes} bytes, of at most {EVENT_BYTES_MAX}"
            ));
        }
    }
    let bytes: usize = events.iter().map(|event| event.data.bytes()).sum();
    if bytes > COMMIT_BYTES_MAX {
        return oversized(format!(
            "the events of one command have {bytes} bytes, of at most {COMMIT_BYTES_MAX}: split it"
        ));
    }
    Ok(())
}

/// A commit in its place, as a store returns it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedCommit {
    /// The stream.
    pub stream: StreamName,
    /// The version of its first event, from 1.
    pub first: Version,
    /// What was recorded.
    pub commit: Commit,
}

impl RecordedCommit {
    /// Where the stream ends with this commit.
    pub fn head(&self) -> Head {
        Head { stream: self.stream.clone(), version: self.last() }
    }

    /// The version of its last event.
    pub fn last(&self) -> Version {
        self.first.plus(self.commit.count() - 1)
    }

    /// Its events, oldest first.
    pub fn events(&self) -> impl Iterator<Item = RecordedEvent> + '_ {
        self.commit.events.iter().enumerate().map(|(nth, event)| RecordedEvent {
            stream: self.stream.clone(),
            version: self.first.plus(nth as u64),
            event_type: event.event_type.clone(),
            schema: event.schema,
            time: self.commit.time,
            command: self.commit.id.clone(),
            metadata: self.commit.metadata.clone(),
            data: event.data.clone(),
        })
    }

    /// What a window would remember of it.
    pub(crate) fn entry(&self) -> Entry {
        Entry {
            id: self.commit.id.clone(),
            fingerprint: self.commit.fingerprint,
            first: self.first,
            count: self.commit.events.len() as u32,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(bytes: usize) -> NewEvent {
        let data = Payload::encode(&"x".repeat(bytes - 2)).unwrap();
        NewEvent { event_type: "Probed".into(), schema: 1, data }
    }

    fn commit(events: Vec<NewEvent>) -> Result<Commit> {
        let id = CommandId::new("c").unwrap();
        Commit::new(id, 0, OffsetDateTime::UNIX_EPOCH, Metadata::default(), events)
    }

    #[test]
    fn a_commit_keeps_the_portable_limits_to_the_byte() {
        let kind = |events| commit(events).map_or_else(|e| Some(e.kind()), |_| None);
        assert_eq!(kind(vec![]), Some(ErrorKind::Invalid));
        assert_eq!(kind(vec![event(10); COMMIT_EVENTS_MAX]), None);
        assert_eq!(kind(vec![event(10); COMMIT_EVENTS_MAX + 1]), Some(ErrorKind::Oversized));
        assert_eq!(kind(vec![event(EVENT_BYTES_MAX)]), None);
        assert_eq!(kind(vec![event(EVENT_BYTES_MAX + 1)]), Some(ErrorKind::Oversized));
        assert_eq!(kind(vec![event(EVENT_BYTES_MAX); 2]), None);
        let full = vec![event(EVENT_BYTES_MAX), event(EVENT_BYTES_MAX), event(3)];
        assert_eq!(kind(full), Some(ErrorKind::Oversized));
    }

    #[test]
    fn a_recorded_commit_numbers_its_events_without_a_gap() {
        let commit = commit(vec![event(10); 3]).unwrap();
        let stream: StreamName = "probe-1".parse().unwrap();
        let recorded = RecordedCommit { stream, first: Version(5), commit };
        let versions: Vec<_> = recorded.events().map(|event| event.version.0).collect();
        assert_eq!(versions, [5, 6, 7]);
        assert_eq!(recorded.head().version(), Version(7));
        assert_eq!(recorded.entry().last(), Version(7));
    }

    #[test]
    fn a_commit_is_read_back_as_it_was() {
        let mut commit = commit(vec![event(10)]).unwrap();
        commit.state_at = StateAt::Commit(Version(3));
        let text = serde_json::to_string(&commit).unwrap();
        assert_eq!(serde_json::from_str::<Commit>(&text).unwrap(), commit);

        commit.events.clear();
        let text = serde_json::to_string(&commit).unwrap();
        serde_json::from_str::<Commit>(&text).unwrap_err();
    }
}
