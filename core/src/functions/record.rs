//! What the stream of a transaction says: what it heard, what it asked for, and what an operator
//! did about it.

use serde::{Deserialize, Serialize};

use crate::functions::Context;
use crate::functions::timers::Timers;
use crate::limits::BATCH_COMMANDS_MAX;
use crate::ports::{QueuedCommand, Timer};
use crate::saga::{Give, Step};
use crate::{
    ByHand, CommandId, CommandRequest, Commit, Effect, Error, ErrorKind, EventId, Metadata,
    NewEvent, Payload, RecordedCommit, RecordedEvent, Result, StreamName,
};

/// The type of a record of what was heard.
const REACTED: &str = "Reacted";

/// The type of a record of what an operator did.
const INTERVENED: &str = "Intervened";

/// One event of a saga's stream.
#[derive(Debug)]
pub(crate) enum Record {
    Reacted(Reacted),
    Intervened(Intervened),
}

/// What a transaction heard, still encoded so that it is upcast like any other, what it asked for,
/// and the timers that are set since.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Reacted {
    pub(crate) heard: RecordedEvent,
    pub(crate) asked: Vec<Effect>,
    #[serde(default, skip_serializing_if = "Timers::is_empty")]
    pub(crate) timers: Timers,
}

/// What an operator did about a transaction, and the timers that are set since.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Intervened {
    pub(crate) by_hand: ByHand,
    /// What was sent by hand.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) asked: Vec<Effect>,
    #[serde(default, skip_serializing_if = "Timers::is_empty")]
    pub(crate) timers: Timers,
}

impl Record {
    pub(crate) fn read(event: &RecordedEvent) -> Result<Self> {
        match (event.event_type.as_str(), event.schema) {
            (REACTED, 1) => event.data.decode().map(Self::Reacted),
            (INTERVENED, 1) => event.data.decode().map(Self::Intervened),
            (found, schema) => {
                // A later release has records that this one does not know.
                let kind = if schema == 0 { ErrorKind::Corrupt } else { ErrorKind::Newer };
                let id = event.id();
                let message = format!("{id} is {found} of schema {schema} and not a saga's record");
                Err(Error::new(kind, message))
            }
        }
    }

    /// The event that it is about, if it is about one that was heard.
    pub(crate) fn heard(&self) -> Option<EventId> {
        match self {
            Self::Reacted(reacted) => Some(reacted.heard.id()),
            Self::Intervened(_) => None,
        }
    }

    /// What an operator did, if it is about that.
    pub(crate) fn by_hand(&self) -> Option<&ByHand> {
        match self {
            Self::Reacted(_) => None,
            Self::Intervened(intervened) => Some(&intervened.by_hand),
        }
    }

    /// The commands that it asks for, being recorded as `event`.
    pub(crate) fn asked(self, event: &RecordedEvent) -> Vec<QueuedCommand> {
        let (cause, asked) = match self {
            Self::Reacted(Reacted { heard, asked, .. }) => (Some(heard), asked),
            Self::Intervened(Intervened { asked, .. }) => (None, asked),
        };
        let command = |(nth, Effect(step))| match step {
            Step::Give(give) => Some(command(cause.as_ref(), event, nth, give)),
            Step::Cancel(_) => None,
        };
        asked.into_iter().enumerate().filter_map(command).collect()
    }

    /// The timers that are set after it.
    pub(crate) fn timers(self) -> Timers {
        match self {
            Self::Reacted(Reacted { timers, .. }) => timers,
            Self::Intervened(Intervened { timers, .. }) => timers,
        }
    }

    /// The commit of it, under the id that it has whoever makes it.
    pub(crate) fn commit(
        &self,
        context: &Context,
        id: &CommandId,
        metadata: Metadata,
    ) -> Result<Commit> {
        let (event_type, data) = match self {
            Self::Reacted(reacted) => (REACTED, Payload::encode(reacted)?),
            Self::Intervened(intervened) => (INTERVENED, Payload::encode(intervened)?),
        };
        let record = NewEvent { event_type: event_type.into(), schema: 1, data };
        Commit::of_record(id.clone(), context.ports.clock.now(), metadata, record)
    }
}

/// Asks for what a record says, under ids that the record gives.
pub(crate) async fn dispatch(context: &Context, record: &RecordedCommit) -> Result<()> {
    for event in record.events() {
        send(context, &Record::read(&event)?.asked(&event)).await?;
    }
    Ok(())
}

/// Asks for `commands`.
pub(crate) async fn send(context: &Context, commands: &[QueuedCommand]) -> Result<()> {
    for batch in commands.chunks(BATCH_COMMANDS_MAX) {
        let outcomes = context.ports.queue.send(batch).await;
        outcomes.into_iter().collect::<Result<Vec<()>>>()?;
    }
    Ok(())
}

/// The `nth` command that the record `event` asks for, on account of what was `heard`, or of what
/// the record says of an operator: then it has the id of the record itself.
fn command(
    heard: Option<&RecordedEvent>,
    event: &RecordedEvent,
    nth: usize,
    give: Give,
) -> QueuedCommand {
    let Give { category, id: stream, command, after, timer } = give;
    let id = match heard {
        Some(heard) => effect_id(&event.stream, heard, nth),
        None => event.command.clone(),
    };
    let cause = heard.unwrap_or(event);
    let correlation = cause.metadata.correlation.clone();
    let traceparent = cause.metadata.traceparent.clone();
    let metadata = Metadata { correlation, causation: Some(cause.id().to_string()), traceparent };
    let due = (!after.is_zero()).then(|| event.time + after);
    let request = CommandRequest { stream, id, command, expected: None, metadata };
    let timer = timer.map(|name| Timer { saga: event.stream.clone(), name });
    QueuedCommand { category, request, due, timer }
}

/// The id of the `nth` effect of what a transaction in `stream` has `heard`. It rests on that and
/// not on the record's place or time, which a lost answer leaves in doubt.
pub(crate) fn effect_id(stream: &StreamName, heard: &RecordedEvent, nth: usize) -> CommandId {
    let parts = [stream.as_str(), &heard.id().to_string(), &nth.to_string()];
    CommandId::derived(heard.time, &parts)
}

/// The id of the record of `event` in the stream of a transaction of `saga`.
pub(crate) fn heard_id(saga: &str, event: &RecordedEvent) -> CommandId {
    CommandId::derived(event.time, &[saga, &event.id().to_string()])
}
