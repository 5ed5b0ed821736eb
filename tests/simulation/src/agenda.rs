//! What is to happen, and when.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use time::OffsetDateTime;

/// Actions in order of time, those of one time in the order in which they were entered.
#[derive(Debug)]
pub(crate) struct Agenda<A> {
    entries: BinaryHeap<Entry<A>>,
    entered: u64,
}

#[derive(Debug)]
struct Entry<A> {
    at: OffsetDateTime,
    nth: u64,
    action: A,
}

impl<A> Agenda<A> {
    pub(crate) fn new() -> Self {
        Self { entries: BinaryHeap::new(), entered: 0 }
    }

    /// Enters `action` for `at`.
    pub(crate) fn enter(&mut self, at: OffsetDateTime, action: A) {
        self.entered += 1;
        self.entries.push(Entry { at, nth: self.entered, action });
    }

    /// When the next action is due.
    pub(crate) fn next_time(&self) -> Option<OffsetDateTime> {
        self.entries.peek().map(|entry| entry.at)
    }

    /// The next action, if it is due.
    pub(crate) fn due(&mut self, now: OffsetDateTime) -> Option<A> {
        match self.entries.peek() {
            Some(entry) if entry.at <= now => self.entries.pop().map(|entry| entry.action),
            _ => None,
        }
    }
}

/// Whatever is due first is the greatest.
impl<A> Ord for Entry<A> {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.nth).cmp(&(self.at, self.nth))
    }
}

impl<A> PartialOrd for Entry<A> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<A> PartialEq for Entry<A> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<A> Eq for Entry<A> {}

#[cfg(test)]
mod tests {
    use time::Duration;

    use super::*;

    #[test]
    fn what_is_due_first_comes_first_and_of_one_time_what_was_entered_first() {
        let mut agenda = Agenda::new();
        let at = |seconds| OffsetDateTime::UNIX_EPOCH + Duration::seconds(seconds);
        for (seconds, name) in [(3, "c"), (1, "a"), (3, "d"), (2, "b")] {
            agenda.enter(at(seconds), name);
        }
        assert_eq!(agenda.next_time(), Some(at(1)));
        assert_eq!(agenda.due(at(0)), None);
        let order: Vec<_> = std::iter::from_fn(|| agenda.due(at(3))).collect();
        assert_eq!(order, ["a", "b", "c", "d"]);
    }
}
