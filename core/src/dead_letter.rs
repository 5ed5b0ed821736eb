use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::ports::QueuedCommand;
use crate::{Error, EventId, StreamName, Version};

/// How many entries of its history a letter keeps: the first, and then the newest.
const HISTORY_MAX: usize = 20;

/// How many characters of an error a letter keeps.
const TEXT_CHARS_MAX: usize = 1_000;

/// How many causes of an error a letter keeps.
const CAUSES_MAX: usize = 8;

/// What a function could not do and will not be able to do by itself, for an operator to see to.
///
/// There is one for each stream that a projection or saga cannot go on with: the event that it
/// cannot handle, behind which the later ones of the stream wait. And there is one for each queued
/// command that cannot be run, which holds the command itself.
///
/// What an error says is kept as it says it: an error of the domain should not tell secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetter {
    /// Identifies the letter: the same for as long as the function has trouble with the stream, or
    /// with the command.
    pub id: String,
    /// The projection, saga or category that could not do it.
    pub function: String,
    /// What the function keeps its progress under. Another revision of a projection has letters of
    /// its own.
    pub consumer: String,
    /// The stream that waits, or that the command is for.
    pub stream: StreamName,
    /// What could not be done.
    pub undone: Undone,
    /// Whether somebody has to see to it.
    pub status: LetterStatus,
    /// The kind of the last error, as [`ErrorKind::code`](crate::ErrorKind::code) says it.
    pub kind: String,
    /// The last error, without its causes.
    pub error: String,
    /// What caused it, the nearest cause first.
    pub causes: Vec<String>,
    /// When it could not be done for the first time.
    #[serde(with = "time::serde::rfc3339")]
    pub first: OffsetDateTime,
    /// When it could not be done the last time.
    #[serde(with = "time::serde::rfc3339")]
    pub last: OffsetDateTime,
    /// How often it was tried.
    pub attempts: u32,
    /// What happened to it, oldest first: the first entry, and the newest 19.
    pub history: Vec<LetterEntry>,
}

/// What could not be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Undone {
    /// To handle this event, and so any later one of its stream.
    Event(EventId),
    /// To run this command.
    Command(Box<QueuedCommand>),
}

/// Whether somebody has to see to a letter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LetterStatus {
    /// It waits for an operator.
    #[default]
    Waiting,
    /// It was done after all.
    Resolved,
    /// It was given up.
    Discarded,
}

/// One thing that happened to a letter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LetterEntry {
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub time: OffsetDateTime,
    /// What.
    pub what: LetterEvent,
}

/// What may happen to a letter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LetterEvent {
    /// An attempt failed.
    Failed {
        /// At which event, if it was one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        event: Option<EventId>,
        /// The kind of the error.
        kind: String,
        /// The error, with its causes.
        error: String,
    },
    /// An operator gave up the event or command.
    Discarded {
        /// Which event, if it was one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        event: Option<EventId>,
        /// Why.
        reason: String,
        /// Who, if they said so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    /// It was done.
    Resolved {
        /// What came of it.
        outcome: String,
    },
}

/// Why an operator gives up what a letter is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Discard {
    /// Why. It is kept.
    pub reason: String,
    /// Who gives it up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The event that the operator has seen in the letter: if the letter is about another by now,
    /// nothing is given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<EventId>,
}

impl DeadLetter {
    /// The collection in which letters are kept, for whoever looks at the documents themselves.
    pub const COLLECTION: &'static str = "dead-letters";

    /// The letter `id` of `consumer`, which `function` keeps going, before anything has failed.
    pub(crate) fn blank(
        id: &str,
        (function, consumer): (&str, &str),
        stream: StreamName,
        undone: Undone,
        now: OffsetDateTime,
    ) -> Self {
        Self {
            id: id.to_owned(),
            function: function.to_owned(),
            consumer: consumer.to_owned(),
            stream,
            undone,
            status: LetterStatus::Waiting,
            kind: String::new(),
            error: String::new(),
            causes: vec![],
            first: now,
            last: now,
            attempts: 0,
            history: vec![],
        }
    }

    /// The event that could not be handled, if it is one.
    pub fn event(&self) -> Option<&EventId> {
        match &self.undone {
            Undone::Event(event) => Some(event),
            Undone::Command(_) => None,
        }
    }

    /// Whether somebody has to see to it.
    pub fn is_waiting(&self) -> bool {
        self.status == LetterStatus::Waiting
    }

    /// Whether it is about an event beyond `version`.
    pub(crate) fn is_beyond(&self, version: Version) -> bool {
        self.event().is_some_and(|event| event.version > version)
    }

    /// Takes note of an attempt at `undone` that failed with `error`.
    pub(crate) fn fail(&mut self, undone: Undone, error: &Error, now: OffsetDateTime) {
        if !self.is_waiting() {
            (self.first, self.attempts) = (now, 0);
        }
        self.undone = undone;
        self.status = LetterStatus::Waiting;
        self.kind = error.kind().code().to_owned();
        self.error = shortened(error.message());
        self.causes = causes(error);
        self.last = now;
        self.attempts = self.attempts.saturating_add(1);
        let (event, kind) = (self.event().cloned(), self.kind.clone());
        let causes = self.causes.iter().map(|cause| format!(": {cause}"));
        let error = shortened(&format!("{}{}", self.error, causes.collect::<String>()));
        self.enter(now, LetterEvent::Failed { event, kind, error });
    }

    /// Takes note that what it is about is given up.
    pub(crate) fn discard(&mut self, discard: &Discard, now: OffsetDateTime) {
        let (event, reason) = (self.event().cloned(), shortened(&discard.reason));
        let by = discard.by.as_deref().map(shortened);
        self.enter(now, LetterEvent::Discarded { event, reason, by });
    }

    /// Nobody has to see to it any more, since `outcome`.
    pub(crate) fn close(&mut self, outcome: &str, now: OffsetDateTime) {
        let last = self.history.last().map(|entry| &entry.what);
        if matches!(last, Some(LetterEvent::Discarded { .. })) {
            self.status = LetterStatus::Discarded;
            return;
        }
        self.status = LetterStatus::Resolved;
        self.enter(now, LetterEvent::Resolved { outcome: shortened(outcome) });
    }

    /// Of a long history, attempts between the first and the newest are forgotten before anything
    /// that an operator did.
    fn enter(&mut self, time: OffsetDateTime, what: LetterEvent) {
        if self.history.len() >= HISTORY_MAX {
            let later = self.history.iter().enumerate().skip(1);
            let mut failed = later.filter(|(_, e)| matches!(e.what, LetterEvent::Failed { .. }));
            let oldest = failed.next().map_or(1, |(nth, _)| nth);
            self.history.remove(oldest);
        }
        self.history.push(LetterEntry { time, what });
    }
}

/// What caused `error`, the nearest cause first.
fn causes(error: &Error) -> Vec<String> {
    let mut causes = vec![];
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause.filter(|_| causes.len() < CAUSES_MAX) {
        // An error of this crate shows its own causes as well.
        let own = error.downcast_ref::<Error>().map(|error| error.message().to_owned());
        causes.push(shortened(&own.unwrap_or_else(|| error.to_string())));
        cause = error.source();
    }
    causes
}

/// As much of `text` as a letter keeps.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(TEXT_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::ErrorKind;

    fn letter() -> DeadLetter {
        let event: EventId = "order-42@3".parse().unwrap();
        let now = datetime!(2026-01-01 00:00 UTC);
        let undone = Undone::Event(event.clone());
        let mut letter = DeadLetter::blank("x", ("f", "f.1"), event.stream.clone(), undone, now);
        let beneath = Error::new(ErrorKind::Corrupt, "b").with_source("c");
        let error = Error::new(ErrorKind::Corrupt, "a").with_source(beneath);
        letter.fail(Undone::Event(event), &error, now);
        letter
    }

    #[test]
    fn a_letter_names_each_cause_once() {
        let letter = letter();
        assert_eq!((letter.error.as_str(), letter.causes.join(" ").as_str()), ("a", "b c"));
        let LetterEvent::Failed { error, .. } = &letter.history[0].what else { panic!() };
        assert_eq!(error, "a: b: c");
    }

    #[test]
    fn a_history_is_bounded_and_keeps_what_operators_did() {
        let mut letter = letter();
        let discard = Discard { reason: "no use".into(), by: None, event: None };
        letter.discard(&discard, letter.last);
        for _ in 0..100 {
            let error = Error::new(ErrorKind::Corrupt, "日".repeat(100_000));
            letter.fail(letter.undone.clone(), &error, letter.last);
        }
        assert_eq!((letter.history.len(), letter.attempts), (HISTORY_MAX, 101));
        assert!(matches!(letter.history[1].what, LetterEvent::Discarded { .. }));
        let bytes = serde_json::to_string(&letter).unwrap().len();
        assert!(bytes < 80_000, "{bytes}");
        let read: DeadLetter =
            serde_json::from_str(&serde_json::to_string(&letter).unwrap()).unwrap();
        assert_eq!(read, letter);
    }
}
