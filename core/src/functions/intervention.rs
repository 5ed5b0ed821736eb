//! How what an operator does about a transaction is recorded, once.

use async_trait::async_trait;

use crate::functions::record::{Intervened, Record, heard_id};
use crate::functions::saga::SagaFunction;
use crate::functions::streams::{Known, load_current};
use crate::functions::{ATTEMPTS_MAX, Context};
use crate::{
    ByHand, CommandId, Effect, Error, ErrorKind, Metadata, RecordedCommit, RecordedEvent, Result,
    Saga, StreamId, StreamName,
};

/// A saga, as an operator goes between it and what it would do.
#[async_trait]
pub(crate) trait Steered: Send + Sync {
    /// The transaction that `event` belongs to, if any.
    fn transaction(&self, event: &RecordedEvent) -> Result<Option<StreamId>>;

    /// The id of the record of `event`, whether the transaction hears it or is to leave it out: of
    /// the two, one happens.
    fn heard_id(&self, event: &RecordedEvent) -> CommandId;

    /// Records `intervention` under its id, or finds what was recorded under that id before.
    async fn intervene(
        &self,
        context: &Context,
        id: &StreamId,
        intervention: &Intervention,
    ) -> Result<(RecordedCommit, IsNew)>;
}

/// What is to be recorded.
#[derive(Clone, Debug)]
pub(crate) struct Intervention {
    /// Under which id.
    pub(crate) key: CommandId,
    /// What an operator says of it.
    pub(crate) by_hand: ByHand,
    /// What is sent.
    pub(crate) asked: Vec<Effect>,
    pub(crate) metadata: Metadata,
}

/// Whether something was recorded just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IsNew {
    Yes,
    No,
}

#[async_trait]
impl<S: Saga> Steered for SagaFunction<S> {
    fn transaction(&self, event: &RecordedEvent) -> Result<Option<StreamId>> {
        self.correlated(event.clone()).map(|(_, id)| id)
    }

    fn heard_id(&self, event: &RecordedEvent) -> CommandId {
        heard_id(S::NAME, event)
    }

    async fn intervene(
        &self,
        context: &Context,
        id: &StreamId,
        intervention: &Intervention,
    ) -> Result<(RecordedCommit, IsNew)> {
        let stream = StreamName::new(self.category(), id);
        let Intervention { key, by_hand, asked, metadata } = intervention;
        for _ in 0..ATTEMPTS_MAX {
            let loaded = load_current(self, context, &stream).await?;
            if let Known::Recorded(entry) = loaded.known(context, key).await? {
                let commit = self.record(context, &stream, entry.first).await?;
                return Ok((commit, IsNew::No));
            }
            let mut instance = loaded.state.clone();
            if let Some(command) = by_hand.skipped_command() {
                instance.timers.drop_of(command);
            }
            let (by_hand, asked) = (by_hand.clone(), asked.clone());
            let intervened = Intervened { by_hand, asked, timers: instance.timers.clone() };
            let mut commit =
                Record::Intervened(intervened).commit(context, key, metadata.clone())?;
            loaded.stamp(&mut commit);
            let first = loaded.head.version().next();
            let recorded = RecordedCommit { stream: stream.clone(), first, commit: commit.clone() };
            match loaded.append(self, context, commit, instance).await {
                Ok(_) => return Ok((recorded, IsNew::Yes)),
                Err(error) if error.is_conflict() => {}
                Err(error) => return Err(error),
            }
        }
        let message = format!("{stream} was written {ATTEMPTS_MAX} times meanwhile: try again");
        Err(Error::new(ErrorKind::Conflict, message))
    }
}
