//! What an operator does about one transaction: it is recorded in the transaction's own stream
//! before anything else happens, so that its history tells it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::story::Story;
use super::{Sagas, whole};
use crate::functions::{Intervention, IsNew, Record, Steered, history, send};
use crate::letters::{Letters, id_of_command};
use crate::operations::{check_text, queued};
use crate::ports::{Consistency, QueuedCommand, Range};
use crate::saga::{Give, Step};
use crate::{
    CommandId, CommandRequest, Discard, Effect, Error, ErrorKind, EventId, Metadata, Payload,
    RecordedCommit, RecordedEvent, Result, StreamId, StreamName,
};

/// What an operator did about a transaction, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ByHand {
    /// What.
    pub did: Deed,
    /// Why.
    pub reason: String,
    /// Who, if they said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// What an operator may do about a transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Deed {
    /// Went on without this.
    Skipped(Skipped),
    /// Sent a command on its behalf, the one of this number.
    Sent(u64),
}

/// What a transaction goes on without.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Skipped {
    /// An event that it should have heard, and cannot.
    Event(EventId),
    /// A command that it has asked for.
    Command(CommandId),
}

impl ByHand {
    /// The command that is asked for no more.
    pub(crate) fn skipped_command(&self) -> Option<&CommandId> {
        match &self.did {
            Deed::Skipped(Skipped::Command(command)) => Some(command),
            _ => None,
        }
    }
}

/// What a transaction is to go on without.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SkipRequest {
    /// What.
    pub skip: Skipped,
    /// Why, in at most 200 characters. It is kept.
    pub reason: String,
    /// Who says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// A command to send on behalf of a transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SendRequest {
    /// Which by count: what is sent again under its number is sent once. Without a number it is a
    /// further one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// For a stream of this category.
    pub category: String,
    /// For this stream.
    pub stream: StreamId,
    /// The command.
    pub command: Payload,
    /// To be run only after so many seconds.
    #[serde(default)]
    pub after_seconds: u64,
    /// Why, in at most 200 characters. It is kept.
    pub reason: String,
    /// Who says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// What was recorded of what an operator did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Intervened {
    /// The record, in the transaction's own stream.
    pub record: EventId,
    /// What it says: of what was done before, what was said then.
    pub by_hand: ByHand,
    /// The command that was sent, if one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<CommandId>,
    /// Whether it had been done before.
    pub is_repeated: bool,
}

impl Sagas<'_> {
    /// Has the transaction `id` of `saga` go on without an event that it cannot handle, or without
    /// a command that cannot be run. The reason is recorded in its own stream first.
    ///
    /// An event must be the one that its stream waits at, for this saga. It is left out as
    /// [`DeadLetters::discard`](crate::DeadLetters::discard) does it, and what follows is handled.
    /// The transaction does not hear of it, and asks for nothing on its account.
    ///
    /// A command must be one that the transaction asked for, and must not have taken effect. It is
    /// asked for no more, also by [`retry`](Self::retry); a timer is cancelled, and the dead letter
    /// about it is discarded. One that the queue still holds may run nevertheless. Nobody tells the
    /// transaction: where it waits for what the command would have brought about, it goes on
    /// waiting, until that comes about some other way, as by [`send`](Self::send).
    ///
    /// It may be done again, after a crash or without need.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound) if there is no such saga, transaction, event or command;
    /// [`Invalid`](ErrorKind::Invalid) without a reason, or if the event is one of another
    /// transaction; [`Conflict`](ErrorKind::Conflict) if nothing waits at the event, or the command
    /// has taken effect.
    pub async fn skip(
        &self,
        saga: &str,
        id: &StreamId,
        request: &SkipRequest,
    ) -> Result<Intervened> {
        let SkipRequest { skip, reason, by } = request;
        check_reason(reason, by.as_deref())?;
        let did = Deed::Skipped(skip.clone());
        let by_hand = ByHand { did, reason: reason.clone(), by: by.clone() };
        match skip {
            Skipped::Event(event) => self.skip_event(saga, id, event, by_hand).await,
            Skipped::Command(command) => self.skip_command(saga, id, command, by_hand).await,
        }
    }

    async fn skip_event(
        &self,
        saga: &str,
        id: &StreamId,
        event: &EventId,
        by_hand: ByHand,
    ) -> Result<Intervened> {
        let (steered, found) = (self.steered(saga)?, self.event(event).await?);
        // Of an event that cannot be read nobody knows whose it is but the operator.
        match steered.transaction(&found) {
            Ok(Some(other)) if other == *id => {}
            Ok(other) => {
                let other = other.map_or("none".to_owned(), |other| other.to_string());
                let message = format!("{event} is of the transaction {other} of {saga}, not {id}");
                return Err(Error::invalid(message));
            }
            Err(_) => drop(Story::read(self.runtime, saga, &self.stream(saga, id)?).await?),
        }
        let letters = self.runtime.dead_letters();
        let letter = letters.about(saga, &event.stream).await?;
        let letter = letter.filter(|letter| letter.is_waiting() && letter.event() == Some(event));
        let key = steered.heard_id(&found);
        if letter.is_none() && !self.is_recorded(saga, id, &key).await? {
            return Err(Error::new(
                ErrorKind::Conflict,
                format!("{saga} does not wait at {event}"),
            ));
        }
        let (reason, by, seen) = (by_hand.reason.clone(), by_hand.by.clone(), Some(event.clone()));
        let (asked, metadata) = (vec![], found.metadata);
        let intervention = Intervention { key, by_hand, asked, metadata };
        let (_, intervened) = self.intervene(steered, saga, id, &intervention).await?;
        if let Some(letter) = letter {
            letters.discard(&letter.id, &Discard { reason, by, event: seen }).await?;
        }
        Ok(intervened)
    }

    async fn skip_command(
        &self,
        saga: &str,
        id: &StreamId,
        command: &CommandId,
        by_hand: ByHand,
    ) -> Result<Intervened> {
        let (steered, stream) = (self.steered(saga)?, self.stream(saga, id)?);
        let story = Story::read(self.runtime, saga, &stream).await?;
        let Some(queued) = self.asked_as(&stream, command).await? else {
            let message = format!("{saga} {id} has asked for no command {command}");
            return Err(Error::new(ErrorKind::NotFound, message));
        };
        let target = StreamName::new(&queued.category, &queued.request.stream);
        let events = &*self.runtime.ports().events;
        if let Some(commit) = history::find(events, &target, command).await? {
            let message =
                format!("the command {command} has taken effect at {target}@{}", commit.first);
            return Err(Error::new(ErrorKind::Conflict, message));
        }
        let parts = [stream.as_str(), "skip", command.as_str()];
        let key = CommandId::derived(story.began, &parts);
        let (reason, by) = (by_hand.reason.clone(), by_hand.by.clone());
        let (asked, metadata) = (vec![], story.metadata);
        let intervention = Intervention { key, by_hand, asked, metadata };
        let (_, intervened) = self.intervene(steered, saga, id, &intervention).await?;
        let (context, letter) = (self.runtime.context(), id_of_command(&queued));
        if Letters(&*context.ports.documents).find(&letter).await?.is_some() {
            queued::discard(context, &letter, &Discard { reason, by, event: None }).await?;
        }
        Ok(intervened)
    }

    /// Sends a command on behalf of the transaction `id` of `saga`, which is recorded in its own
    /// stream and then asked for like any other: also by [`retry`](Self::retry), and always under
    /// the id that follows from the transaction and the number.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound) if there is no such saga, transaction or category;
    /// [`Invalid`](ErrorKind::Invalid) without a reason, or if it is no command of the category;
    /// [`Duplicate`](ErrorKind::Duplicate) if another one was sent under the number; those of the
    /// queue, after which it may be sent again under the number that the error names.
    pub async fn send(
        &self,
        saga: &str,
        id: &StreamId,
        request: &SendRequest,
    ) -> Result<Intervened> {
        check_reason(&request.reason, request.by.as_deref())?;
        let (steered, stream) = (self.steered(saga)?, self.stream(saga, id)?);
        let story = Story::read(self.runtime, saga, &stream).await?;
        let mut number = request.number.unwrap_or(story.sent + 1);
        let effect = self.effect(sent_id(&stream, story.began, number), request)?;
        loop {
            let key = sent_id(&stream, story.began, number);
            let did = Deed::Sent(number);
            let by_hand = ByHand { did, reason: request.reason.clone(), by: request.by.clone() };
            let (effects, metadata) = (vec![effect.clone()], story.metadata.clone());
            let intervention = Intervention { key, by_hand, asked: effects, metadata };
            let (record, intervened) = self.intervene(steered, saga, id, &intervention).await?;
            let commands = Record::read(&record)?.asked(&record);
            if !commands.iter().any(|queued| gives(queued, record.time, &effect)) {
                if request.number.is_none() {
                    // Another operator was faster.
                    number += 1;
                    continue;
                }
                let message = format!("{saga} {id} has sent another command as number {number}");
                return Err(Error::new(ErrorKind::Duplicate, message));
            }
            return match send(self.runtime.context(), &commands).await {
                Ok(()) => Ok(Intervened { sent: Some(intervention.key), ..intervened }),
                Err(error) => {
                    let message = format!("recorded, and not sent: repeat it as number {number}");
                    Err(Error::new(error.kind(), message).with_source(error))
                }
            };
        }
    }

    /// What `request` asks for, if its category can read it.
    fn effect(&self, id: CommandId, request: &SendRequest) -> Result<Effect> {
        let SendRequest { category, stream, command, after_seconds, .. } = request;
        let (stream, command) = (stream.clone(), command.clone());
        let (expected, metadata) = (None, Metadata::default());
        let trial = CommandRequest { stream, id, command, expected, metadata };
        let function = self.runtime.app().functions().get(category.as_str());
        let takes = function.and_then(|function| function.takes(self.runtime.context(), &trial));
        let missing = || Error::new(ErrorKind::NotFound, format!("no category {category}"));
        takes.ok_or_else(missing)??;
        let (id, command) = (trial.stream, trial.command);
        let after = Duration::from_secs(*after_seconds);
        let category = category.clone();
        Ok(Effect(Step::Give(Give { category, id, command, after, timer: None })))
    }

    async fn intervene(
        &self,
        steered: &dyn Steered,
        saga: &str,
        id: &StreamId,
        intervention: &Intervention,
    ) -> Result<(RecordedEvent, Intervened)> {
        let context = self.runtime.context();
        let (commit, is_new) = steered.intervene(context, id, intervention).await?;
        let is_repeated = is_new == IsNew::No;
        let Some(event) = commit.events().next() else {
            return Err(Error::corrupt(format!("a record of {saga} {id} has no event")));
        };
        let record = Record::read(&event)?;
        let Some(by_hand) = record.by_hand().cloned() else {
            let what = record.heard().map_or_else(String::new, |heard| heard.to_string());
            let message = format!("{saga} {id} has heard {what}: it is not to be skipped");
            return Err(Error::new(ErrorKind::Conflict, message));
        };
        let (record, sent) = (event.id(), None);
        Ok((event, Intervened { record, by_hand, sent, is_repeated }))
    }

    fn steered(&self, saga: &str) -> Result<&dyn Steered> {
        let found = self.runtime.app().functions().get(saga);
        let missing = || Error::new(ErrorKind::NotFound, format!("no saga {saga}"));
        found.and_then(|function| function.steered()).ok_or_else(missing)
    }

    /// The event `id`, as it is stored.
    async fn event(&self, id: &EventId) -> Result<RecordedEvent> {
        let (events, range) = (&self.runtime.ports().events, Range::Before(id.version.next()));
        let newest = events.read(&id.stream, range, 1, Consistency::Strong).await?.commits;
        let found = newest.iter().flat_map(|commit| commit.events());
        let found = found.filter(|event| event.version == id.version).last();
        found.ok_or_else(|| Error::new(ErrorKind::NotFound, format!("there is no event {id}")))
    }

    async fn is_recorded(&self, saga: &str, id: &StreamId, key: &CommandId) -> Result<bool> {
        let events = &*self.runtime.ports().events;
        Ok(history::find(events, &self.stream(saga, id)?, key).await?.is_some())
    }

    /// What a transaction has asked for as the command `id`.
    async fn asked_as(&self, stream: &StreamName, id: &CommandId) -> Result<Option<QueuedCommand>> {
        let mut history = whole(self.runtime, stream);
        while let Some(commits) = history.next().await? {
            for event in commits.iter().flat_map(RecordedCommit::events) {
                let mut commands = Record::read(&event)?.asked(&event).into_iter();
                if let Some(found) = commands.find(|queued| queued.request.id == *id) {
                    return Ok(Some(found));
                }
            }
        }
        Ok(None)
    }
}

/// The id of the command of this `number` that was sent by hand, and of its record.
fn sent_id(stream: &StreamName, began: OffsetDateTime, number: u64) -> CommandId {
    CommandId::derived(began, &[stream.as_str(), "by hand", &number.to_string()])
}

/// Whether `queued` is what `effect` gives.
fn gives(queued: &QueuedCommand, recorded: OffsetDateTime, effect: &Effect) -> bool {
    let Effect(Step::Give(Give { category, id, command, after, .. })) = effect else {
        return false;
    };
    let given = (&queued.category, &queued.request.stream, &queued.request.command);
    given == (category, id, command) && queued.due == (!after.is_zero()).then(|| recorded + *after)
}

fn check_reason(reason: &str, by: Option<&str>) -> Result<()> {
    check_text("the reason", reason)?;
    by.map_or(Ok(()), |by| check_text("the name of who does it", by))
}
