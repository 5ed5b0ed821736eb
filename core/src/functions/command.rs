use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;

use crate::app::{Edge, EdgeFn};
use crate::functions::history::{FUTURE_MILLIS_MAX, History};
use crate::functions::streams::{Fold, Known, Loaded, load_cheaply, load_current};
use crate::functions::{ATTEMPTS_MAX, Context, Function, guarded, timers, unfit};
use crate::name::{Dash, check_name};
use crate::ports::{Consistency, QueuedCommand};
use crate::privacy::mark::clear_subjects;
use crate::window::Entry;
use crate::{
    AsOf, CommandRequest, Commit, Decider, Descriptor, Error, ErrorKind, EventId, FoldedState,
    Kind, NewEvent, Payload, Receipt, RecordedCommit, RecordedEvent, Reply, Result, Snapshots,
    StateAsOf, StreamId, StreamName, Trigger, Upcasters, Version, codec, command_id, limits,
    manifest,
};

/// Runs the commands of one decider: load, decide, append, and again if another was faster.
pub(crate) struct CommandFunction<D: Decider> {
    upcasters: Upcasters,
    edge: Option<Arc<EdgeFn<D>>>,
}

impl<D: Decider> CommandFunction<D> {
    pub(crate) fn new(edge: Option<Arc<EdgeFn<D>>>) -> Self {
        Self { upcasters: D::upcasters(), edge }
    }
}

impl<D: Decider> Fold for CommandFunction<D> {
    type State = D::State;

    fn snapshots(&self) -> Snapshots {
        D::SNAPSHOTS
    }

    fn fold(&self, state: &mut D::State, event: &RecordedEvent) -> Result<()> {
        let data = codec::read(event, &self.upcasters)?;
        guarded(|| format!("the state of {}", event.stream), || D::evolve(state, &data))
    }
}

#[async_trait]
impl<D: Decider> Function for CommandFunction<D> {
    fn descriptor(&self) -> Descriptor {
        let commands = manifest::commands::<D::Command>(D::INTERNAL);
        let events = manifest::events::<D::Event>(&self.upcasters);
        Descriptor { commands, events, ..Descriptor::new(D::CATEGORY, Kind::Command) }
    }

    fn check(&self, descriptor: &Descriptor) -> Result<()> {
        check_name("the category", D::CATEGORY, Dash::Illegal)?;
        let is_command = |name: &str| descriptor.commands.iter().any(|c| c.name == name);
        match D::INTERNAL.iter().find(|name| !is_command(name)) {
            Some(name) => {
                let message = format!("{} has no command {name} to keep internal", D::CATEGORY);
                Err(Error::invalid(message))
            }
            None => Ok(()),
        }
    }

    async fn invoke(&self, context: &Context, trigger: Trigger) -> Result<Reply> {
        match trigger {
            Trigger::Command(request) => self.execute(context, &request).await,
            Trigger::Queued(command) => self.execute_when_due(context, command).await,
            Trigger::State(id, at) => self.state(context, &id, at).await.map(Reply::State),
            trigger => Err(unfit(D::CATEGORY, &trigger)),
        }
    }

    fn takes(&self, context: &Context, request: &CommandRequest) -> Option<Result<()>> {
        Some(check_request(context, request).and_then(|()| read::<D>(request).map(|_| ())))
    }

    fn upcast(&self, event: &NewEvent) -> Option<Result<NewEvent>> {
        let NewEvent { event_type, schema, data } = event;
        let decode = || codec::decode::<D::Event>(event_type, *schema, data, &self.upcasters);
        let decoded = guarded(|| format!("the upcaster of {event_type}"), decode).flatten();
        Some(decoded.and_then(|event| codec::encode(&event, &self.upcasters)))
    }

    fn state_after(&self, history: &[RecordedEvent]) -> Option<Result<FoldedState>> {
        let mut state = D::State::default();
        let folded = history.iter().try_for_each(|event| self.fold(&mut state, event));
        let encoded = folded.and_then(|()| Payload::encode(&state));
        Some(encoded.map(|state| FoldedState { format: D::SNAPSHOTS.format, state }))
    }
}

/// What one attempt at a command came to.
enum Attempt {
    Done(Reply),
    /// The outcome would rest on a state that may be out of date.
    Stale,
    /// Another writer was faster.
    Overtaken,
}

impl<D: Decider> CommandFunction<D> {
    /// Runs a command that has waited, or sends it on if it has not waited long enough.
    async fn execute_when_due(&self, context: &Context, queued: QueuedCommand) -> Result<Reply> {
        if queued.due.is_none_or(|due| due <= context.ports.clock.now()) {
            return match timers::is_set(context, &queued).await? {
                true => self.execute(context, &queued.request).await,
                false => Ok(Reply::Cancelled),
            };
        }
        let outcomes = context.ports.queue.send(&[queued]).await;
        outcomes.into_iter().collect::<Result<Vec<()>>>()?;
        Ok(Reply::Deferred)
    }

    async fn execute(&self, context: &Context, request: &CommandRequest) -> Result<Reply> {
        let stream = StreamName::new(D::CATEGORY, &request.stream);
        check_request(context, request)?;
        let fingerprint = codec::fingerprint(&request.command)?;
        let mut command = read::<D>(request)?;
        let mut loaded = load_cheaply(self, context, &stream).await?;
        let (mut is_enriched, mut overtaken) = (false, 0);
        while overtaken < ATTEMPTS_MAX {
            if let Known::Recorded(entry) = loaded.known(context, &request.id).await? {
                entry.check(fingerprint)?;
                return Ok(Reply::Accepted(receipt(&stream, &entry)));
            }
            if let (Some(edge), false) = (&self.edge, is_enriched) {
                let now = context.ports.clock.now();
                let (stream, id) = (stream.clone(), request.id.clone());
                command = edge(command, Edge { stream, id, now }).await?;
                is_enriched = true;
            }
            let (request, command) = ((request, fingerprint), command.clone());
            match self.attempt(context, request, command, loaded).await? {
                Attempt::Done(reply) => return Ok(reply),
                Attempt::Stale => {}
                Attempt::Overtaken => overtaken += 1,
            }
            loaded = load_current(self, context, &stream).await?;
        }
        let message = format!("{stream} was written {ATTEMPTS_MAX} times meanwhile: try again");
        Err(Error::new(ErrorKind::Conflict, message))
    }

    async fn attempt(
        &self,
        context: &Context,
        (request, fingerprint): (&CommandRequest, u32),
        command: D::Command,
        loaded: Loaded<D::State>,
    ) -> Result<Attempt> {
        let (stream, version) = (loaded.head.stream().clone(), loaded.head.version());
        if let Some(expected) = request.expected.filter(|expected| *expected != version) {
            if !loaded.is_current {
                return Ok(Attempt::Stale);
            }
            let message = format!("{stream} is at version {version}, not {expected}");
            return Err(Error::new(ErrorKind::Conflict, message));
        }
        let decided =
            guarded(|| format!("a decision on {stream}"), || D::decide(&loaded.state, command))?;
        let events = match decided {
            Ok(events) if !events.is_empty() => events,
            _ if !loaded.is_current => return Ok(Attempt::Stale),
            Ok(_) => {
                let nothing = Receipt { stream, version, events: vec![], replayed: false };
                return Ok(Attempt::Done(Reply::Accepted(nothing)));
            }
            Err(refusal) => return Ok(Attempt::Done(Reply::Refused(refusal.to_string()))),
        };

        let mut state = loaded.state.clone();
        guarded(
            || format!("the state of {stream}"),
            || {
                events.iter().for_each(|event| D::evolve(&mut state, event));
            },
        )?;
        let events = events.iter().map(|event| codec::encode(event, &self.upcasters));
        let events = events.collect::<Result<Vec<_>>>()?;
        let forgotten = forgotten(context, &events).await?;
        if !forgotten.is_empty() {
            return Ok(match loaded.is_current {
                false => Attempt::Stale,
                true => Attempt::Done(Reply::Refused(takes_no_data(&forgotten))),
            });
        }
        let (id, metadata) = (request.id.clone(), request.metadata.clone());
        let now = context.ports.clock.now();
        let commit = Commit::new(id, fingerprint, now, metadata, events)?;
        let count = commit.events.len() as u32;
        let id = request.id.clone();
        match loaded.append(self, context, commit, state).await {
            Ok(_) => {
                let entry = Entry { id, fingerprint, first: version.next(), count };
                let receipt = Receipt { replayed: false, ..receipt(&stream, &entry) };
                Ok(Attempt::Done(Reply::Accepted(receipt)))
            }
            Err(error) if error.is_conflict() => Ok(Attempt::Overtaken),
            Err(error) => Err(error),
        }
    }

    /// The state of a stream as of some time.
    async fn state(&self, context: &Context, id: &StreamId, at: AsOf) -> Result<StateAsOf> {
        let stream = StreamName::new(D::CATEGORY, id);
        let (mut state, mut version, mut time) = (D::State::default(), Version::EMPTY, None);
        let store = &*context.ports.events;
        let mut history = History::after(store, &stream, version, Consistency::Strong);
        'pages: while let Some(commits) = history.next().await? {
            for event in commits.iter().flat_map(RecordedCommit::events) {
                let is_later = match at {
                    AsOf::Now => false,
                    AsOf::Version(wanted) => event.version > wanted,
                    AsOf::Time(wanted) => event.time > wanted,
                };
                if is_later {
                    break 'pages;
                }
                self.fold(&mut state, &event)?;
                (version, time) = (event.version, Some(event.time));
            }
        }
        if let AsOf::Version(wanted) = at
            && wanted > version
        {
            let message = format!("{stream} has only reached version {version}, not {wanted}");
            return Err(Error::new(ErrorKind::NotFound, message));
        }
        Ok(StateAsOf { stream, version, time, state: Payload::encode(&state)?, forgotten: 0 })
    }
}

/// Whose personal data `events` hold although they are forgotten.
async fn forgotten(context: &Context, events: &[NewEvent]) -> Result<Vec<StreamId>> {
    let mut subjects = BTreeSet::new();
    for event in events {
        subjects.extend(clear_subjects(&event.data)?);
    }
    context.vault.forgotten(&subjects).await
}

fn takes_no_data(forgotten: &[StreamId]) -> String {
    let names: Vec<_> = forgotten.iter().map(StreamId::as_str).collect();
    format!("{} was forgotten and takes no personal data: use another id", names.join(", "))
}

/// Refuses what no stream can take.
fn check_request(context: &Context, request: &CommandRequest) -> Result<()> {
    let bytes = request.command.bytes();
    if bytes > limits::COMMAND_BYTES_MAX {
        let message =
            format!("the command has {bytes} bytes, of at most {}", limits::COMMAND_BYTES_MAX);
        return Err(Error::new(ErrorKind::Oversized, message));
    }
    request.metadata.check()?;
    let now = command_id::millis(context.ports.clock.now());
    if request.id.issued().is_some_and(|issued| issued > now.saturating_add(FUTURE_MILLIS_MAX)) {
        let message =
            format!("the id {} was made more than a day ahead: check the clock", request.id);
        return Err(Error::invalid(message));
    }
    Ok(())
}

fn read<D: Decider>(request: &CommandRequest) -> Result<D::Command> {
    serde_json::from_str(request.command.get()).map_err(|e| {
        let message = format!("not a command of {}", D::CATEGORY);
        Error::new(ErrorKind::Invalid, message).with_source(e)
    })
}

/// What came of a command that was recorded before.
fn receipt(stream: &StreamName, entry: &Entry) -> Receipt {
    let id = |nth| EventId { stream: stream.clone(), version: entry.first.plus(nth) };
    let events = (0..u64::from(entry.count)).map(id).collect();
    Receipt { stream: stream.clone(), version: entry.last(), events, replayed: true }
}
