//! What must hold of every answer to a command, whatever it asked for.

use std::collections::HashMap;

use skyfold::ports::QueuedCommand;
use skyfold::{CommandId, ErrorKind, EventId, Receipt, RecordedCommit, StreamName};

use crate::checker::timers;
use crate::evidence::Evidence;
use crate::history::{Answer, Attempt, Source};
use crate::violation::{Rule, Verdict, ensure};

pub(super) fn check(evidence: &Evidence) -> Verdict {
    let mut recorded: HashMap<(&StreamName, &CommandId), &RecordedCommit> = HashMap::new();
    for commit in &evidence.log.all {
        recorded.entry((&commit.stream, commit.commit.id())).or_insert(commit);
    }
    for ((stream, id), attempts) in &evidence.asked {
        let attempts: Vec<_> =
            attempts.iter().map(|nth| &evidence.history.attempts[*nth]).collect();
        let commit = recorded.get(&(stream, id)).copied();
        check_command((stream, id), &attempts, commit)?;
    }
    check_sent(evidence)?;
    check_order(evidence)?;
    evidence.history.attempts.iter().try_for_each(check_due)
}

/// All attempts at one command have one outcome.
fn check_command(
    (stream, id): (&StreamName, &CommandId),
    attempts: &[&Attempt],
    commit: Option<&RecordedCommit>,
) -> Verdict {
    let what = || format!("{id} for {stream}: {attempts:#?}, recorded as {commit:#?}");
    let recorded = commit.map(receipt);
    // When somebody first heard that it was recorded.
    let mut known = None;
    let mut firsts = 0;
    for attempt in attempts {
        if let Answer::Accepted(receipt) = &attempt.answer
            && !receipt.events.is_empty()
        {
            let same = recorded.as_ref().is_some_and(|recorded| is_same(recorded, receipt));
            ensure(Rule::AcknowledgedIsRecorded, same, what)?;
            firsts += u32::from(!receipt.replayed);
            let ended = attempt.ended.map(|moment| moment.step);
            known = known.into_iter().chain(ended).min();
        }
    }
    ensure(Rule::TakesEffectOnce, firsts <= 1, what)?;
    for attempt in attempts {
        let is_later = known.is_some_and(|known| attempt.began.step >= known);
        let holds = match &attempt.answer {
            Answer::Refused(_) => !is_later,
            Answer::Accepted(receipt) => !is_later || receipt.replayed,
            Answer::Failed(ErrorKind::Conflict) => !is_later,
            Answer::Failed(ErrorKind::Duplicate) => commit.is_some(),
            _ => true,
        };
        ensure(Rule::ReceiptsStay, holds, what)?;
    }
    let refused = |attempt: &&&Attempt| matches!(attempt.answer, Answer::Refused(_));
    let is_refused = attempts.iter().filter(refused).count() == attempts.len();
    ensure(Rule::RefusedIsNotRecorded, !is_refused || commit.is_none(), what)?;
    check_reuse(attempts, &what)
}

/// An id that was used for one command is not taken for another.
fn check_reuse(attempts: &[&Attempt], what: &dyn Fn() -> String) -> Verdict {
    let accepted = |attempt: &&&Attempt| match &attempt.answer {
        Answer::Accepted(receipt) => !receipt.events.is_empty(),
        _ => false,
    };
    let mut commands = attempts.iter().filter(accepted).map(|attempt| &attempt.request.command);
    let first = commands.next();
    let is_one = commands.all(|command| Some(command) == first);
    ensure(Rule::OneIdOneCommand, is_one, what)?;
    let is_duplicate = |a: &&&Attempt| a.answer == Answer::Failed(ErrorKind::Duplicate);
    for attempt in attempts.iter().filter(is_duplicate) {
        let differs = attempts.iter().any(|a| a.request.command != attempt.request.command);
        ensure(Rule::ReuseIsReuse, differs, what)?;
    }
    Ok(())
}

/// What a receipt of `commit` must say.
fn receipt(commit: &RecordedCommit) -> Receipt {
    let stream = commit.stream.clone();
    let events =
        commit.events().map(|event| EventId { stream: event.stream, version: event.version });
    Receipt { version: commit.last(), events: events.collect(), stream, replayed: false }
}

fn is_same(one: &Receipt, other: &Receipt) -> bool {
    (&one.stream, one.version, &one.events) == (&other.stream, other.version, &other.events)
}

/// What was acknowledged before another was asked for comes before it in their stream.
fn check_order(evidence: &Evidence) -> Verdict {
    for attempt in &evidence.history.attempts {
        let Answer::Accepted(receipt) = &attempt.answer else { continue };
        let Some(ended) = attempt.ended else { continue };
        let what = || format!("{attempt:#?}");
        ensure(Rule::ReceiptsTellThePast, receipt.version <= ended.head, what)?;
        let is_new = !receipt.replayed && !receipt.events.is_empty();
        let follows = !is_new || receipt.version > attempt.began.head;
        ensure(Rule::LaterIsLater, follows, what)?;
    }
    Ok(())
}

/// Whatever was sent is run in the end, however often it had to wait once more.
fn check_sent(evidence: &Evidence) -> Verdict {
    for command in &evidence.sent {
        let stream = StreamName::new(&command.category, &command.request.stream);
        let attempts = evidence.asked.get(&(stream, command.request.id.clone()));
        let mut answers =
            attempts.into_iter().flatten().map(|nth| &evidence.history.attempts[*nth].answer);
        let holds = match is_cancelled(evidence, command) {
            true => answers.any(|answer| *answer == Answer::Cancelled || is_run(answer)),
            false => answers.any(is_run),
        };
        ensure(Rule::SentIsRun, holds, || format!("{command:#?}"))?;
    }
    Ok(())
}

pub(super) fn is_run(answer: &Answer) -> bool {
    matches!(answer, Answer::Accepted(_) | Answer::Refused(_))
}

/// Whether `command` is of a timer that was cancelled or set anew in the end.
fn is_cancelled(evidence: &Evidence, command: &QueuedCommand) -> bool {
    let Some(timer) = &command.timer else { return false };
    let newest = evidence.log.head(&timer.saga);
    !timers::is_set(evidence, timer, newest, &command.request.id)
}

/// A delayed command is not run before it is due, by the clock of whoever runs it.
fn check_due(attempt: &Attempt) -> Verdict {
    let Source::Queue { due: Some(due), skew } = attempt.source else { return Ok(()) };
    let Some(ended) = attempt.ended else { return Ok(()) };
    let ran = is_run(&attempt.answer);
    let holds = !ran || ended.time + skew >= due;
    ensure(Rule::DelayedWaits, holds, || format!("{attempt:#?}"))
}
