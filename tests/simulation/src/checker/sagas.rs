//! Goes through the records of a saga, and through what was sent on their account.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::marker::PhantomData;

use serde::Deserialize;
use skyfold::{
    EventId, Payload, RecordedCommit, RecordedEvent, Saga, StreamName, Subscription, Version,
};

use crate::checker::{Audit, is_written};
use crate::evidence::Evidence;
use crate::newer::former;
use crate::personal::bare_event;
use crate::violation::{Rule, Verdict, Violation, ensure};

/// Every event is recorded once by the transaction that it belongs to; what each record asks for
/// follows from those before it, and was sent under one id; each names the timers that are set
/// after it; every transaction has ended.
pub(crate) struct Sagas<S: Saga> {
    events: Subscription<S::Input>,
    saga: PhantomData<fn(S)>,
}

/// What the one event of a saga's stream says.
#[derive(Deserialize)]
struct Record {
    heard: RecordedEvent,
    asked: Payload,
    #[serde(default)]
    timers: BTreeMap<String, String>,
}

/// A command that a record asks for, or the name of a timer that it cancels.
#[derive(Debug, Deserialize)]
struct Asked {
    #[serde(rename = "c", default)]
    category: String,
    #[serde(rename = "i", default)]
    id: String,
    #[serde(rename = "d", default)]
    command: Option<Payload>,
    #[serde(rename = "a", default)]
    after_seconds: i64,
    #[serde(rename = "t", default)]
    timer: Option<String>,
}

impl Asked {
    /// What it is sent as on account of what was `heard`, if it is sent.
    fn wanted(&self, heard: &EventId) -> Option<Wanted<'_>> {
        let command = self.command.as_ref()?;
        Some((heard.to_string(), self.category.as_str(), self.id.clone(), command.get()))
    }
}

/// What identifies an effect beside its id: what caused it, for whom it is, and what it says.
type Wanted<'a> = (String, &'a str, String, &'a str);

/// The timers that are set: by name, the ids under which the command of each may have been sent.
type Timers = BTreeMap<String, BTreeSet<String>>;

impl<S: Saga> Sagas<S> {
    pub(crate) fn new() -> Self {
        Self { events: S::subscription(), saga: PhantomData }
    }

    fn category() -> String {
        format!("saga.{}", S::NAME)
    }

    /// The events that each transaction must have heard.
    fn expected(
        &self,
        evidence: &Evidence,
    ) -> Result<BTreeMap<StreamName, BTreeSet<EventId>>, Violation> {
        let heard: Vec<_> = self.events.categories().collect();
        let mut expected: BTreeMap<StreamName, BTreeSet<EventId>> = BTreeMap::new();
        let commits = evidence.log.all.iter();
        for commit in commits.filter(|commit| heard.contains(&commit.stream.category())) {
            for event in commit.events() {
                let event = self.decode(event)?;
                if let Some(id) = S::correlate(&event) {
                    let stream = StreamName::new(&Self::category(), &id);
                    expected.entry(stream).or_default().insert(event.id());
                }
            }
        }
        Ok(expected)
    }

    fn decode(&self, event: RecordedEvent) -> Result<RecordedEvent<S::Input>, Violation> {
        self.events.decode(former(event)).map_err(unread)
    }

    /// Goes through the records of one transaction.
    fn check_stream(
        &self,
        evidence: &Evidence,
        stream: &StreamName,
        mut expected: BTreeSet<EventId>,
        sent: &HashMap<Wanted<'_>, Sent>,
    ) -> Verdict {
        let (mut state, mut reached) = (S::State::default(), HashMap::new());
        let mut timers = Timers::new();
        for commit in evidence.log.commits(stream) {
            let record = read(commit)?;
            let heard = record.heard.id();
            let is_first = expected.remove(&heard);
            let rule = Rule::HeardOnce;
            ensure(rule, is_first, || format!("{stream} records {heard} again, or for nothing"))?;
            let recorded = evidence.log.event(&heard).map(bare_event);
            let is_same = recorded == Some(bare_event(record.heard.clone()));
            ensure(Rule::RecordsAreTrue, is_same, || format!("{heard} in {stream}"))?;
            let before: Option<Version> = reached.insert(heard.stream.clone(), heard.version);
            let is_later = before < Some(heard.version);
            ensure(Rule::HeardInOrder, is_later, || {
                format!("{stream} hears {heard} after {before:?}")
            })?;
            let asked = S::react(&mut state, &self.decode(record.heard)?);
            let found = &record.asked;
            ensure(Rule::ReactionsFollow, is_written(&asked, found.get()), || {
                let asked = serde_json::to_string(&asked).unwrap_or_default();
                format!("{stream} asks {found} on {heard} instead of {asked}")
            })?;
            let asked: Vec<Asked> = found.decode().map_err(unread)?;
            check_sent(&heard, &asked, commit, sent)?;
            set(&mut timers, &heard, &asked, sent);
            if S::has_ended(&state) {
                timers.clear();
            }
            check_timers(commit, &record.timers, &timers)?;
        }
        ensure(Rule::EventsAreHeard, expected.is_empty(), || {
            format!("{stream} misses {expected:?}")
        })?;
        ensure(Rule::TransactionsEnd, S::has_ended(&state), || {
            let state = serde_json::to_string(&state).unwrap_or_default();
            format!("{stream}: {state}")
        })
    }
}

/// The commands that were sent for one effect, or for several that say the same.
#[derive(Debug, Default)]
struct Sent {
    ids: BTreeSet<String>,
    due: Vec<Option<time::OffsetDateTime>>,
}

impl<S: Saga> Audit for Sagas<S> {
    fn check(&self, evidence: &Evidence) -> Verdict {
        let mut sent: HashMap<Wanted<'_>, Sent> = HashMap::new();
        for command in &evidence.sent {
            let request = &command.request;
            let cause = request.metadata.causation.clone().unwrap_or_default();
            let stream = request.stream.as_str().to_owned();
            let wanted = (cause, command.category.as_str(), stream, request.command.get());
            let sent = sent.entry(wanted).or_default();
            sent.ids.insert(request.id.to_string());
            sent.due.push(command.due);
        }
        let mut expected = self.expected(evidence)?;
        let category = Self::category();
        let streams = evidence.log.streams.keys().filter(|s| s.category() == category);
        for stream in streams {
            let expected = expected.remove(stream).unwrap_or_default();
            self.check_stream(evidence, stream, expected, &sent)?;
        }
        ensure(Rule::EventsAreHeard, expected.is_empty(), || format!("{expected:?}"))?;
        let heard: Vec<_> = self.events.categories().collect();
        super::check_reached(evidence, &category, &heard)
    }
}

fn unread(error: skyfold::Error) -> Violation {
    Violation::new(Rule::Readable, error.to_string())
}

fn read(commit: &RecordedCommit) -> Result<Record, Violation> {
    let record = commit.commit.events().first().map(|event| event.data.decode());
    match record {
        Some(Ok(record)) => Ok(record),
        other => {
            let found = other.and_then(Result::err).map(|error| error.to_string());
            Err(Violation::new(Rule::Readable, found.unwrap_or_default()))
        }
    }
}

/// What a record asks for was sent, under as many ids as it asks for commands.
fn check_sent(
    heard: &EventId,
    asked: &[Asked],
    commit: &RecordedCommit,
    sent: &HashMap<Wanted<'_>, Sent>,
) -> Verdict {
    for effect in asked {
        let Some(key) = effect.wanted(heard) else { continue };
        let alike = asked.iter().filter(|other| other.wanted(heard).as_ref() == Some(&key)).count();
        let found = sent.get(&key);
        let ids = found.map_or(0, |sent| sent.ids.len());
        ensure(Rule::EffectsHaveOneId, ids == alike, || {
            format!("{effect:?} of {heard}: {found:?} for {alike}")
        })?;
        let early = commit.commit.time() + time::Duration::seconds(effect.after_seconds);
        let holds = |due: &Option<time::OffsetDateTime>| match due {
            None => effect.after_seconds == 0,
            // The first time it is sent, the time of recording may still be corrected.
            Some(due) => effect.after_seconds > 0 && (*due - early).abs() <= SKEW_MAX,
        };
        let are_due = found.is_some_and(|sent| sent.due.iter().all(holds));
        ensure(Rule::EffectsAreDue, are_due, || format!("{found:?}"))?;
    }
    Ok(())
}

/// Takes note of the timers that `asked` sets and cancels on account of what was `heard`.
fn set(timers: &mut Timers, heard: &EventId, asked: &[Asked], sent: &HashMap<Wanted<'_>, Sent>) {
    for effect in asked {
        let Some(name) = &effect.timer else { continue };
        match effect.wanted(heard).and_then(|wanted| sent.get(&wanted)) {
            Some(sent) => timers.insert(name.clone(), sent.ids.clone()),
            None => timers.remove(name),
        };
    }
}

/// A record names the timers that are set after it, and no other.
fn check_timers(
    commit: &RecordedCommit,
    found: &BTreeMap<String, String>,
    expected: &Timers,
) -> Verdict {
    let is_one_of =
        |(name, id): (&String, &String)| expected.get(name).is_some_and(|ids| ids.contains(id));
    let holds = found.len() == expected.len() && found.iter().all(is_one_of);
    ensure(Rule::TimersFollow, holds, || {
        let RecordedCommit { stream, first, .. } = commit;
        format!("{stream}@{first} names {found:?} instead of {expected:?}")
    })
}

/// How far two clocks differ, at most.
const SKEW_MAX: time::Duration = time::Duration::hours(26);
