//! Dead letters are of planted poison and of nothing else, and none is left waiting.

use std::collections::BTreeSet;

use skyfold::{DeadLetter, EventId, LetterEvent};

use crate::evidence::Evidence;
use crate::fragile::{MISHAP, is_poison};
use crate::violation::{Rule, Verdict, ensure};

pub(super) fn check(evidence: &Evidence) -> Verdict {
    for letter in &evidence.letters {
        let what = || format!("{letter:#?}");
        ensure(Rule::NothingIsParked, evidence.is_poisoned, what)?;
        ensure(Rule::LettersAreSeenTo, !letter.is_waiting(), what)?;
        for entry in &letter.history {
            if let LetterEvent::Failed { event, kind, error } = &entry.what {
                let is_planted = event.as_ref().is_some_and(|event| {
                    is_poison(&letter.function, event) && error.contains(MISHAP)
                });
                // An operator may try again on a release that is behind.
                let holds = is_planted || (evidence.is_evolved && kind == "newer-release");
                ensure(Rule::LettersArePoison, holds, what)?;
            }
        }
    }
    Ok(())
}

/// The events that an operator gave up for `function`. Who was interrupted, or came too late, may
/// have left one in all the same.
pub(super) fn discarded(evidence: &Evidence, function: &str) -> BTreeSet<EventId> {
    let of_function = |letter: &&DeadLetter| letter.function == function;
    let history = evidence.letters.iter().filter(of_function).flat_map(|letter| &letter.history);
    let discarded = history.filter_map(|entry| match &entry.what {
        LetterEvent::Discarded { event, .. } => event.clone(),
        _ => None,
    });
    discarded.collect()
}
