//! What is left after a run, to judge it by.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use skyfold::limits::BATCH_DOCUMENTS_MAX;
use skyfold::ports::QueuedCommand;
use skyfold::ports::{DocumentKey, DocumentStore, EventFeed, FeedQuery, Listing, Ports};
use skyfold::{
    CommandId, DeadLetter, EventId, Payload, RecordedCommit, Reply, StreamName, Trigger, Version,
    ViewRequest,
};

use crate::faults::Fault;
use crate::history::{Attempt, History, Look, Moment};
use crate::personal::{Secret, secrets};
use crate::simulation::Simulation;
use crate::subject::OwnView;
use crate::violation::Violation;
use crate::world::Log;

/// What the stores hold, what was asked, and what was said.
#[derive(Debug)]
pub(crate) struct Evidence {
    /// What was recorded, in the order of recording.
    pub(crate) log: Log,
    /// What the feed of the store shows.
    pub(crate) stored: BTreeMap<StreamName, Vec<RecordedCommit>>,
    /// Every document, with the lists that it is in.
    pub(crate) documents: BTreeMap<DocumentKey, Kept>,
    /// The dead letters, those that somebody has seen to among them.
    pub(crate) letters: Vec<DeadLetter>,
    /// Whether a release failed on some events.
    pub(crate) is_poisoned: bool,
    /// Whether a release wrote events in a newer schema.
    pub(crate) is_evolved: bool,
    /// Whether a new revision of some read models was built.
    pub(crate) is_revised: bool,
    pub(crate) history: History,
    /// The attempts at commands of one id for one stream, by their place in the history.
    pub(crate) asked: BTreeMap<(StreamName, CommandId), Vec<usize>>,
    /// What the queue accepted.
    pub(crate) sent: Vec<Arc<QueuedCommand>>,
    /// What clients said in the clear, by the stream for which it was.
    pub(crate) secrets: Secrets,
    /// What a port was given in the clear, if anything.
    pub(crate) leak: Option<String>,
    pub(crate) turns: u64,
    /// What was wrong before the run was over.
    pub(crate) violation: Option<Violation>,
}

/// What concerns somebody, by the stream of the command that said it.
pub(crate) type Secrets = BTreeMap<StreamName, Vec<Secret>>;

/// A document.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) body: Payload,
    pub(crate) listings: Vec<Listing>,
}

impl Evidence {
    pub(crate) fn gather(simulation: Simulation<'_>) -> Self {
        let secrets = secrets_of(&simulation.history);
        let looks = last_looks(&simulation, &secrets);
        let Simulation { world, plan, memory, revision, mut history, turns, violation, .. } =
            simulation;
        history.looks.extend(looks);
        let ports = memory.ports();
        let mut asked: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for (nth, attempt) in history.attempts.iter().enumerate() {
            let Attempt { stream, request, .. } = attempt;
            asked.entry((stream.clone(), request.id.clone())).or_default().push(nth);
        }
        let mut state = world.lock();
        let written = std::mem::take(&mut state.documents);
        let documents = kept(&ports, written);
        let letters = letters(&documents);
        letters.iter().for_each(|_| state.counts.count(Fault::Poison));
        Self {
            log: std::mem::take(&mut state.log),
            stored: stored(&*ports.feed),
            documents,
            letters,
            is_poisoned: plan.faults.has(Fault::Poison),
            is_evolved: plan.faults.has(Fault::Evolution),
            is_revised: revision.is_listed,
            history,
            asked,
            sent: std::mem::take(&mut state.sent),
            secrets,
            leak: state.leak.take(),
            turns,
            violation,
        }
    }
}

fn secrets_of(history: &History) -> Secrets {
    let mut found = Secrets::new();
    for Attempt { stream, request, .. } in &history.attempts {
        for secret in secrets(&request.command) {
            let of_stream = found.entry(stream.clone()).or_default();
            if !of_stream.contains(&secret) {
                of_stream.push(secret);
            }
        }
    }
    found
}

/// How a process that knows nothing shows, in the end, what concerns somebody.
fn last_looks(simulation: &Simulation<'_>, secrets: &Secrets) -> Vec<Look> {
    let app = match simulation.revision.is_listed {
        true => &simulation.subject.revised,
        false => &simulation.subject.app,
    };
    if secrets.is_empty() || simulation.violation.is_some() {
        return vec![];
    }
    let runtime = app.clone().bind(simulation.memory.ports()).expect("the app can be bound");
    let mut looks = vec![];
    for stream in secrets.keys() {
        let now = simulation.moment(stream);
        let moment = Moment { step: u64::MAX, time: now.time + time::Duration::DAY, ..now };
        let is_of =
            |view: &&OwnView| now.head > Version::EMPTY && view.category == stream.category();
        for OwnView { projection, .. } in simulation.subject.own_views.iter().filter(is_of) {
            let request = ViewRequest { key: stream.id().as_str().to_owned(), after: None };
            let found = match at_once(runtime.invoke(projection, Trigger::View(request))) {
                Ok(Reply::Answer(answer)) => Some(answer.body),
                _ => None,
            };
            let after = EventId { stream: stream.clone(), version: now.head };
            let (began, ended) = (moment, Some(moment));
            looks.push(Look { projection, after, process: 0, began, ended, found });
        }
    }
    looks
}

fn stored(feed: &dyn EventFeed) -> BTreeMap<StreamName, Vec<RecordedCommit>> {
    let mut streams: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for slice in 0..feed.slices() {
        let mut from = None;
        loop {
            let page = at_once(feed.read(slice, &FeedQuery::default(), from.as_ref()));
            let page = page.expect("the memory adapter can be read");
            for commit in page.commits {
                streams.entry(commit.stream.clone()).or_default().push(commit);
            }
            if page.is_tail {
                break;
            }
            from = Some(page.next);
        }
    }
    streams
}

fn kept(
    ports: &Ports,
    written: BTreeMap<DocumentKey, Vec<Listing>>,
) -> BTreeMap<DocumentKey, Kept> {
    let store: &dyn DocumentStore = &*ports.documents;
    let mut kept = BTreeMap::new();
    let written: Vec<_> = written.into_iter().collect();
    for batch in written.chunks(BATCH_DOCUMENTS_MAX) {
        let keys: Vec<_> = batch.iter().map(|(key, _)| key.clone()).collect();
        let found = at_once(store.get(&keys)).expect("the memory adapter can be read");
        for ((key, listings), document) in batch.iter().zip(found) {
            if let Some(document) = document {
                let body = document.body;
                kept.insert(key.clone(), Kept { body, listings: listings.clone() });
            }
        }
    }
    kept
}

fn letters(documents: &BTreeMap<DocumentKey, Kept>) -> Vec<DeadLetter> {
    let letters = documents.iter().filter(|(key, _)| key.collection == DeadLetter::COLLECTION);
    let letters = letters.map(|(_, kept)| kept.body.decode());
    letters.collect::<Result<_, _>>().expect("core reads its own letters")
}

/// What `future` comes to, which waits for nothing.
pub(crate) fn at_once<T>(future: impl Future<Output = T>) -> T {
    let mut context = Context::from_waker(Waker::noop());
    match std::pin::pin!(future).poll(&mut context) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => unreachable!("the memory adapter answers at once"),
    }
}
