//! Judges a run by what is left of it. Each check is linear in the length of the history.

mod balance;
mod decisions;
mod forgotten;
mod letters;
#[cfg(test)]
mod linear;
mod receipts;
mod sagas;
mod spans;
mod streams;
mod timers;
mod views;

pub(crate) use balance::Balance;
pub(crate) use decisions::Decisions;
pub(crate) use sagas::Sagas;
pub(crate) use views::Views;

use serde::Serialize;
use serde_json::Value;
use skyfold::ports::DocumentKey;

use crate::evidence::Evidence;
use crate::personal::bare;
use crate::subject::{OwnView, Subject};
use crate::violation::{Rule, Verdict, ensure};

/// What must hold of one part of an app.
pub(crate) trait Audit: Send + Sync {
    fn check(&self, evidence: &Evidence) -> Verdict;

    /// The views that a client may look at by the id of its stream.
    fn own_view(&self) -> Option<OwnView> {
        None
    }
}

/// Checks everything.
pub(crate) fn check(subject: &Subject, evidence: &Evidence) -> Verdict {
    if let Some(violation) = &evidence.violation {
        return Err(violation.clone());
    }
    letters::check(evidence)?;
    streams::check(evidence)?;
    receipts::check(evidence)?;
    timers::check(evidence)?;
    forgotten::check(evidence)?;
    let of_revision: &[_] = if evidence.is_revised { &subject.revised_audits } else { &[] };
    subject.audits.iter().chain(of_revision).try_for_each(|audit| audit.check(evidence))
}

/// The checkpoints of `consumer` are at the end of every stream of the categories that it hears.
fn check_reached(evidence: &Evidence, consumer: &str, heard: &[&str]) -> Verdict {
    let collection = format!("checkpoints.{consumer}");
    for (stream, commits) in &evidence.log.streams {
        let Some(last) = commits.last().filter(|_| heard.contains(&stream.category())) else {
            continue;
        };
        let key = DocumentKey { collection: collection.clone(), id: stream.to_string() };
        let kept = evidence.documents.get(&key);
        let body = kept.and_then(|kept| kept.body.decode::<Value>().ok());
        let reached = body.and_then(|body| body.get("version")?.as_u64()).unwrap_or_default();
        ensure(Rule::EventsReachEveryone, reached == last.last().0, || {
            format!("{consumer} is at {reached} of {stream}, which ends at {}", last.last())
        })?;
    }
    Ok(())
}

/// Whether `value` has the JSON form `text`, personal data aside.
fn is_written<T: Serialize>(value: &T, text: &str) -> bool {
    let Ok(written) = serde_json::to_string(value) else { return false };
    // Nearly always it is the same to the byte.
    written == text || {
        let parse = |text: &str| serde_json::from_str::<Value>(text).ok().map(bare);
        parse(&written).is_some_and(|written| Some(written) == parse(text))
    }
}
