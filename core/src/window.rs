use std::collections::VecDeque;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::event::Version;
use crate::{CommandId, Error, Result};

/// The commands that a stream has seen lately, carried in its newest commit.
///
/// Forgetting is by the time in an id, not by the time of recording: whichever id says that it was
/// made first goes first, and `floor` is the latest time among those that went. An id made after
/// `floor` is therefore certainly not among them, whatever any clock says, and the window alone
/// decides about it. About an older one only the stream itself can tell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Window {
    /// The latest time, in milliseconds since 1970, that a forgotten id says it was made.
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    floor: Option<i64>,
    /// Whether an id that says no time was forgotten.
    #[serde(rename = "u", default, skip_serializing_if = "std::ops::Not::not")]
    untimed_forgotten: bool,
    /// In order of recording.
    #[serde(rename = "e", default)]
    entries: VecDeque<Entry>,
}

/// What is remembered of a command that was recorded. Stored as a tuple of some 45 bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub(crate) struct Entry {
    pub(crate) id: CommandId,
    /// The digest of what it asked for.
    pub(crate) fingerprint: u32,
    /// The version of its first event.
    pub(crate) first: Version,
    /// How many events it recorded.
    pub(crate) count: u32,
}

/// The form in which an entry is stored.
type Stored = (CompactId, u32, Version, u32);

impl From<Stored> for Entry {
    fn from((CompactId(id), fingerprint, first, count): Stored) -> Self {
        Self { id, fingerprint, first, count }
    }
}

impl From<Entry> for Stored {
    fn from(entry: Entry) -> Self {
        (CompactId(entry.id), entry.fingerprint, entry.first, entry.count)
    }
}

/// A command id that takes 23 characters instead of 36 if it is a UUID in its usual form: `~` and
/// its bytes in base 64. A dash in front marks any other text.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
struct CompactId(CommandId);

impl TryFrom<String> for CompactId {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        let unknown = || Error::corrupt(format!("{text:?} is not a stored command id"));
        if let Some(other) = text.strip_prefix('-') {
            return CommandId::new(other).map(Self);
        }
        let encoded = text.strip_prefix('~').ok_or_else(unknown)?;
        let bytes = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| unknown())?;
        let uuid = Uuid::from_slice(&bytes).map_err(|_| unknown())?;
        CommandId::new(uuid.to_string()).map(Self)
    }
}

impl From<CompactId> for String {
    fn from(CompactId(id): CompactId) -> Self {
        match Uuid::try_parse(id.as_str()) {
            Ok(uuid) if uuid.to_string() == id.as_str() => {
                format!("~{}", URL_SAFE_NO_PAD.encode(uuid))
            }
            _ => format!("-{id}"),
        }
    }
}

/// What a window knows of a command.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Seen<'a> {
    /// It was recorded.
    Recorded(&'a Entry),
    /// It was not.
    New,
    /// It is too old to tell: the stream must be asked.
    Unknown,
}

impl Window {
    /// How many commands a window remembers at least, however little room there is.
    pub(crate) const ENTRIES_MIN: usize = 4;
    /// How many commands a window remembers at most.
    pub(crate) const ENTRIES_MAX: usize = 32;

    pub(crate) fn find(&self, id: &CommandId) -> Seen<'_> {
        if let Some(entry) = self.entries.iter().find(|entry| entry.id == *id) {
            return Seen::Recorded(entry);
        }
        let forgotten = match id.issued() {
            Some(issued) => self.floor.is_some_and(|floor| issued <= floor),
            None => self.untimed_forgotten,
        };
        if forgotten { Seen::Unknown } else { Seen::New }
    }

    pub(crate) fn remember(&mut self, entry: Entry) {
        self.entries.push_back(entry);
        while self.entries.len() > Self::ENTRIES_MAX {
            self.forget_one();
        }
    }

    /// How many commands are remembered.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Forgets one command, unless few are left. Says whether it did.
    pub(crate) fn shrink(&mut self) -> bool {
        let many = self.entries.len() > Self::ENTRIES_MIN;
        if many {
            self.forget_one();
        }
        many
    }

    fn forget_one(&mut self) {
        // An id that says no time goes first: keeping it would not keep the others decidable.
        let by_time = |(_, entry): &(usize, &Entry)| entry.id.issued().unwrap_or(i64::MIN);
        let Some((nth, _)) = self.entries.iter().enumerate().min_by_key(by_time) else { return };
        let Some(entry) = self.entries.remove(nth) else { return };
        match entry.id.issued() {
            Some(issued) => self.floor = self.floor.max(Some(issued)),
            None => self.untimed_forgotten = true,
        }
    }
}

impl Entry {
    /// The version that the command led to.
    pub(crate) fn last(&self) -> Version {
        self.first.plus(u64::from(self.count).saturating_sub(1))
    }

    /// Checks that a command of the same id asks for the same.
    pub(crate) fn check(&self, fingerprint: u32) -> Result<()> {
        if self.fingerprint == fingerprint {
            return Ok(());
        }
        let message = format!("the id {} was used for another command: use a fresh one", self.id);
        Err(Error::new(crate::ErrorKind::Duplicate, message))
    }
}

#[cfg(test)]
mod tests {
    use time::{Duration, OffsetDateTime};

    use super::*;

    fn timed(seconds: i64) -> CommandId {
        let time = OffsetDateTime::UNIX_EPOCH + Duration::seconds(seconds);
        CommandId::derived(time, &[&seconds.to_string()])
    }

    fn entry(id: CommandId, first: u64) -> Entry {
        Entry { id, fingerprint: 7, first: Version(first), count: 2 }
    }

    #[test]
    fn what_was_never_forgotten_is_known_without_a_look_at_the_stream() {
        let mut window = Window::default();
        assert_eq!(window.find(&timed(1)), Seen::New);
        window.remember(entry(timed(1), 1));
        assert!(
            matches!(window.find(&timed(1)), Seen::Recorded(entry) if entry.last() == Version(2))
        );
        assert_eq!(window.find(&timed(0)), Seen::New);
    }

    #[test]
    fn the_id_made_first_is_forgotten_first_however_late_it_was_recorded() {
        let mut window = Window::default();
        for second in 10..10 + Window::ENTRIES_MAX as i64 {
            window.remember(entry(timed(second), 1));
        }
        window.remember(entry(timed(3), 99));
        assert_eq!(window.find(&timed(3)), Seen::Unknown);
        assert_eq!(window.find(&timed(2)), Seen::Unknown);
        assert_eq!(window.find(&timed(4)), Seen::New);
        assert!(matches!(window.find(&timed(10)), Seen::Recorded(_)));
    }

    #[test]
    fn an_id_without_a_time_is_in_doubt_once_one_such_was_forgotten() {
        let mut window = Window::default();
        let untimed = |n: usize| CommandId::new(format!("key-{n}")).unwrap();
        for n in 0..Window::ENTRIES_MAX {
            window.remember(entry(untimed(n), 1));
        }
        assert_eq!(window.find(&untimed(99)), Seen::New);
        window.remember(entry(timed(1), 1));
        assert_eq!(window.find(&untimed(99)), Seen::Unknown);
        assert_eq!(window.find(&timed(0)), Seen::New);
    }

    #[test]
    fn a_window_shrinks_to_its_least_size_and_no_further() {
        let mut window = Window::default();
        for second in 0..20 {
            window.remember(entry(timed(second), 1));
        }
        while window.shrink() {}
        assert_eq!(window.entries.len(), Window::ENTRIES_MIN);
        assert_eq!(window.find(&timed(15)), Seen::Unknown);
        assert!(matches!(window.find(&timed(16)), Seen::Recorded(_)));
    }

    #[test]
    fn every_id_is_stored_as_itself() {
        let uuid = timed(5);
        for id in [uuid.as_str(), &uuid.as_str().to_uppercase(), "~abc", "-", "key-1"] {
            let entry = entry(CommandId::new(id).unwrap(), 3);
            let text = serde_json::to_string(&entry).unwrap();
            assert_eq!(serde_json::from_str::<Entry>(&text).unwrap(), entry, "{text}");
        }
        let bytes = serde_json::to_string(&entry(uuid, 1_000)).unwrap().len();
        assert!(bytes <= 45, "{bytes}");
        for corrupt in ["", "~", "~AAAA", "abc", "~!"] {
            CompactId::try_from(corrupt.to_owned()).map(|_| ()).unwrap_err();
        }
    }
}
