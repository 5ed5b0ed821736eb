//! Personal data are sealed wherever they are kept or sent, and gone once they are forgotten.

use crate::evidence::Evidence;
use crate::history::{Answer, Attempt};
use crate::personal::{secrets, shows_secret};
use crate::violation::{Rule, Verdict, Violation, ensure};

pub(super) fn check(evidence: &Evidence) -> Verdict {
    if let Some(leak) = &evidence.leak {
        return Err(Violation::new(Rule::PersonalIsSealed, leak.clone()));
    }
    check_looks(evidence)?;
    evidence.history.attempts.iter().try_for_each(|attempt| check_taken(evidence, attempt))
}

/// No answer shows who was forgotten, at once in the process that did so, soon in the others, and
/// in the end.
fn check_looks(evidence: &Evidence) -> Verdict {
    let history = &evidence.history;
    for look in &history.looks {
        if !look.found.as_ref().is_some_and(|found| shows_secret(found.get())) {
            continue;
        }
        let said = evidence.secrets.get(&look.after.stream).into_iter().flatten();
        let mut subjects = said.map(|(subject, _)| subject.as_str());
        let is_gone =
            subjects.any(|subject| history.has_forgotten(subject, look.began, Some(look.process)));
        ensure(Rule::ForgottenIsGone, !is_gone, || {
            format!("{look:#?}\n{:#?}", history.forgettings)
        })?;
    }
    Ok(())
}

/// Nobody records anything new of who was forgotten.
fn check_taken(evidence: &Evidence, attempt: &Attempt) -> Verdict {
    let Answer::Accepted(receipt) = &attempt.answer else { return Ok(()) };
    if receipt.replayed || receipt.events.is_empty() {
        return Ok(());
    }
    let (history, command) = (&evidence.history, &attempt.request.command);
    let is_gone = |subject: &str| history.has_forgotten(subject, attempt.began, None);
    let is_taken = secrets(command).iter().any(|(subject, _)| is_gone(subject.as_str()));
    ensure(Rule::ForgottenIsGone, !is_taken, || format!("{attempt:#?}\n{:#?}", history.forgettings))
}
