//! Decides again, over the log, what was decided during the run.

use std::collections::{BTreeMap, BTreeSet};
use std::marker::PhantomData;

use serde::Serialize;
use skyfold::{
    CommandRequest, Decider, Payload, RecordedCommit, RecordedEvent, StreamName, Subscription,
    Version,
};

use crate::checker::spans::Spans;
use crate::checker::{Audit, is_written};
use crate::evidence::Evidence;
use crate::history::{Answer, Attempt};
use crate::newer::former;
use crate::personal::{Secret, secrets};
use crate::violation::{Rule, Verdict, Violation, ensure};

/// What the edge makes of a command.
pub(crate) type Complete<C> = fn(C, &StreamName, &CommandRequest) -> C;

/// Every commit of a decider is what its command decides on the state before it; every refusal
/// was right at some moment of its attempt; every state that travels in a commit is its fold.
pub(crate) struct Decisions<D: Decider> {
    complete: Complete<D::Command>,
    events: Subscription<D::Event>,
    decider: PhantomData<fn(D)>,
}

impl<D: Decider> Decisions<D> {
    /// Of a decider without an edge.
    pub(crate) fn new() -> Self {
        Self::with_edge(|command, _, _| command)
    }

    /// Of a decider whose commands are completed before they are decided on.
    pub(crate) fn with_edge(complete: Complete<D::Command>) -> Self {
        Self { complete, events: Subscription::of::<D>(), decider: PhantomData }
    }
}

impl<D: Decider> Audit for Decisions<D> {
    fn check(&self, evidence: &Evidence) -> Verdict {
        let mut answers: BTreeMap<&StreamName, Vec<&Attempt>> = BTreeMap::new();
        for attempt in &evidence.history.attempts {
            if attempt.stream.category() == D::CATEGORY && is_without_event(attempt) {
                answers.entry(&attempt.stream).or_default().push(attempt);
            }
        }
        let streams = evidence.log.streams.keys().filter(|s| s.category() == D::CATEGORY);
        let mut streams: BTreeSet<_> = streams.collect();
        streams.extend(answers.keys());
        for stream in streams {
            let answers = answers.remove(stream).unwrap_or_default();
            self.check_stream(evidence, stream, answers)?;
        }
        Ok(())
    }
}

/// Whether the attempt was answered on the strength of a state alone.
fn is_without_event(attempt: &Attempt) -> bool {
    match &attempt.answer {
        Answer::Refused(_) => true,
        Answer::Accepted(receipt) => receipt.events.is_empty(),
        _ => false,
    }
}

impl<D: Decider> Decisions<D> {
    fn check_stream(
        &self,
        evidence: &Evidence,
        stream: &StreamName,
        answers: Vec<&Attempt>,
    ) -> Verdict {
        let (mut state, mut version) = (D::State::default(), Version::EMPTY);
        let answered = answers.into_iter().filter_map(|attempt| Some((attempt, attempt.ended?)));
        let mut answers =
            Spans::of(answered.map(|(attempt, ended)| (attempt.began.head, ended.head, attempt)));
        let is_right = |state: &D::State, version, attempt: &&Attempt| {
            self.is_right(evidence, state, version, attempt)
        };
        answers.at(version, |attempt| is_right(&state, version, attempt));
        for commit in evidence.log.commits(stream) {
            self.check_commit(evidence, &state, commit)?;
            for event in commit.events() {
                D::evolve(&mut state, &self.decode(event)?.data);
            }
            version = commit.last();
            check_carried::<D>(commit, &state)?;
            answers.at(version, |attempt| is_right(&state, version, attempt));
        }
        let answers = answers.wrong();
        ensure(Rule::RefusalsAreRight, answers.is_empty(), || format!("{answers:#?}"))
    }

    /// Whether `attempt` was rightly answered on `state`.
    fn is_right(
        &self,
        evidence: &Evidence,
        state: &D::State,
        version: Version,
        attempt: &Attempt,
    ) -> bool {
        let Ok(command) = self.command(&attempt.stream, &attempt.request) else { return false };
        match (D::decide(state, command), &attempt.answer) {
            (Ok(events), Answer::Accepted(receipt)) => {
                events.is_empty() && receipt.version == version
            }
            (Err(refusal), Answer::Refused(reason)) => refusal.to_string() == *reason,
            // Core refuses what concerns somebody who was forgotten, whatever is decided.
            (Ok(events), Answer::Refused(reason)) => {
                !events.is_empty() && is_of_forgotten(evidence, attempt, reason)
            }
            _ => false,
        }
    }

    /// Whether somebody asked for `commit`, and `state` says what it says.
    fn check_commit(
        &self,
        evidence: &Evidence,
        state: &D::State,
        commit: &RecordedCommit,
    ) -> Verdict {
        let key = (commit.stream.clone(), commit.commit.id().clone());
        let asked = evidence.asked.get(&key).map_or(&[][..], Vec::as_slice);
        let attempts = asked.iter().map(|nth| &evidence.history.attempts[*nth]);
        let recorded: Vec<_> = commit.events().map(former).collect();
        let found: Vec<(&str, &Payload)> =
            recorded.iter().map(|event| (event.event_type.as_str(), &event.data)).collect();
        let mut tried: BTreeSet<(&str, Option<&str>)> = BTreeSet::new();
        let mut decided = vec![];
        for attempt in attempts {
            let request = &attempt.request;
            let is_expected = request.expected.is_none_or(|v| v.next() == commit.first);
            let correlation = request.metadata.correlation.as_deref();
            if !is_expected || !tried.insert((request.command.get(), correlation)) {
                continue;
            }
            let command = self.command(&commit.stream, request)?;
            let events = D::decide(state, command).unwrap_or_default();
            let carries = |event: RecordedEvent| event.metadata == request.metadata;
            if same(&events, &found) && commit.events().all(carries) {
                return Ok(());
            }
            decided.push(events);
        }
        let decided: Vec<_> = decided.iter().map(serde_json::to_string).collect();
        let found = format!("{commit:#?}\nasked: {tried:?}\ndecided: {decided:?}");
        Err(Violation::new(Rule::DecisionsFollow, found))
    }

    fn command(
        &self,
        stream: &StreamName,
        request: &CommandRequest,
    ) -> Result<D::Command, Violation> {
        let command = request.command.decode();
        let command = command.map_err(|e| Violation::new(Rule::Readable, e.to_string()))?;
        Ok((self.complete)(command, stream, request))
    }

    fn decode(&self, event: RecordedEvent) -> Result<RecordedEvent<D::Event>, Violation> {
        let decoded = self.events.decode(former(event));
        decoded.map_err(|error| Violation::new(Rule::Readable, error.to_string()))
    }
}

/// Whether `reason` refuses data of somebody who was forgotten by then.
fn is_of_forgotten(evidence: &Evidence, attempt: &Attempt, reason: &str) -> bool {
    let subject = reason.strip_suffix(" was forgotten and takes no personal data: use another id");
    let (Some(subject), Some(ended)) = (subject, attempt.ended) else { return false };
    let is_named = |(whom, _): &Secret| whom.as_str() == subject;
    secrets(&attempt.request.command).iter().any(is_named)
        && evidence.history.may_have_forgotten(subject, ended)
}

/// Whether `events` are written as `found`.
fn same<E: Serialize>(events: &[E], found: &[(&str, &Payload)]) -> bool {
    let is_same = |(event, (name, data)): (&E, &(&str, &Payload))| {
        let whole = match data.get() {
            "null" => format!("{name:?}"),
            data => format!("{{{name:?}:{data}}}"),
        };
        is_written(event, &whole)
    };
    events.len() == found.len() && events.iter().zip(found).all(is_same)
}

/// A state that travels in a commit is the fold of all events up to it.
fn check_carried<D: Decider>(commit: &RecordedCommit, state: &D::State) -> Verdict {
    let Some(carried) = commit.commit.state() else { return Ok(()) };
    if carried.format != D::SNAPSHOTS.format {
        return Ok(());
    }
    ensure(Rule::StatesAreFolds, is_written(state, carried.state.get()), || {
        let expected = serde_json::to_string(state).unwrap_or_default();
        let (found, stream, first) = (&carried.state, &commit.stream, commit.first);
        format!("{found} instead of {expected} in {stream}@{first}")
    })
}
