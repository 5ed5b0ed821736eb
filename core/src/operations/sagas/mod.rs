mod by_hand;
mod story;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

pub use self::by_hand::{ByHand, Deed, Intervened, SendRequest, SkipRequest, Skipped};
use self::story::Story;
use crate::functions::history::History;
use crate::functions::{Record, send};
use crate::ports::{Consistency, FeedPage, FeedQuery, Position, QueuedCommand};
use crate::saga::own_category;
use crate::{
    AsOf, Error, ErrorKind, EventId, Kind, Payload, RecordedCommit, Reply, Result, Runtime,
    StateAsOf, StreamId, StreamName, Trigger, Version,
};

/// Looks at the transactions of sagas, and asks once more for what one of them has asked for.
///
/// Nothing is kept for it: a list reads the feed of the sagas' own records, so that running a
/// transaction costs what it did.
#[derive(Clone, Copy, Debug)]
pub struct Sagas<'a> {
    runtime: &'a Runtime,
}

/// Which transactions of a saga to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SagaQuery {
    /// Only those that have not ended.
    pub is_open: bool,
    /// Only those that have heard something at or after this time. A list that reaches further
    /// back reads more of the feed.
    pub since: Option<OffsetDateTime>,
    /// Only those that have heard nothing since this time: with `is_open`, the stuck ones.
    pub quiet_since: Option<OffsetDateTime>,
}

/// One transaction of a saga.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SagaInstance {
    /// Which.
    pub id: StreamId,
    /// Whether it has come to its end.
    pub has_ended: bool,
    /// How many records it has: one for each event that it heard, and for what was done by hand.
    pub version: Version,
    /// When the last of them was made.
    #[serde(with = "time::serde::rfc3339::option")]
    pub time: Option<OffsetDateTime>,
    /// What its past amounts to.
    pub state: Payload,
}

/// Part of a list of transactions. It may be empty although more follow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SagaPage {
    /// The transactions, each once.
    pub items: Vec<SagaInstance>,
    /// Where to read on, if there is more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// What a transaction has heard, or an operator did about it, and what was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SagaRecord {
    /// The record's place in the transaction's own stream.
    pub version: Version,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    pub time: OffsetDateTime,
    /// The event that was heard, if one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard: Option<EventId>,
    /// What an operator did, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_hand: Option<ByHand>,
    /// What was asked for, as it was sent.
    pub asked: Vec<QueuedCommand>,
}

/// Where a list goes on, as text.
fn cursor(slice: u16, position: &Position) -> String {
    format!("{slice}:{}", position.0)
}

fn read_cursor(text: &str) -> Result<(u16, Option<Position>)> {
    let wrong = || Error::invalid(format!("{text:?} is not where a list of transactions goes on"));
    let (slice, position) = text.split_once(':').ok_or_else(wrong)?;
    let slice = slice.parse().map_err(|_| wrong())?;
    Ok((slice, (!position.is_empty()).then(|| Position(position.to_owned()))))
}

impl<'a> Sagas<'a> {
    pub(crate) fn new(runtime: &'a Runtime) -> Self {
        Self { runtime }
    }

    /// One page of the transactions of `saga`, in no order, from where an earlier page ended. It
    /// reads one page of the feed, and the newest record of each transaction in it; a transaction
    /// shows where its newest record is, and so once.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound) if there is no such saga,
    /// [`Invalid`](ErrorKind::Invalid) for a place that is none.
    pub async fn list(
        &self,
        saga: &str,
        query: &SagaQuery,
        from: Option<&str>,
    ) -> Result<SagaPage> {
        let feed = &self.runtime.ports().feed;
        let wanted = FeedQuery {
            categories: vec![self.category(saga)?],
            since: query.since,
            until: query.quiet_since,
        };
        let (slice, position) = from.map_or(Ok((0, None)), read_cursor)?;
        if slice >= feed.slices() {
            return Err(Error::invalid(format!("there is no slice {slice} of the feed")));
        }
        let page = feed.read(slice, &wanted, position.as_ref()).await?;
        let FeedPage { commits, next, is_tail, .. } = page.whole()?;
        let newest: BTreeMap<_, _> = commits.iter().map(|c| (&c.stream, c.last())).collect();
        let mut items = vec![];
        for (stream, version) in newest {
            let instance = self.show(saga, &stream.id()).await?;
            // What came after the last page shows on none.
            let is_last = is_tail && query.quiet_since.is_none();
            let is_newest = instance.version == version || is_last;
            if is_newest && !(query.is_open && instance.has_ended) {
                items.push(instance);
            }
        }
        let next = match is_tail {
            false => Some(cursor(slice, &next)),
            true => (slice + 1 < feed.slices()).then(|| format!("{}:", slice + 1)),
        };
        Ok(SagaPage { items, next })
    }

    /// The transaction `id` of `saga` as it is now.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound) if there is no such saga.
    pub async fn show(&self, saga: &str, id: &StreamId) -> Result<SagaInstance> {
        self.category(saga)?;
        let asked = Trigger::State(id.clone(), AsOf::Now);
        let Reply::State(StateAsOf { version, time, state, .. }) =
            self.runtime.invoke(saga, asked).await?
        else {
            return Err(Error::new(ErrorKind::Unexpected, format!("{saga} tells no state")));
        };
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Told {
            has_ended: bool,
            state: Payload,
        }
        let Told { has_ended, state } = state.decode()?;
        Ok(SagaInstance { id: id.clone(), has_ended, version, time, state })
    }

    /// The records of the transaction `id` of `saga` after `after`, oldest first, up to a page of
    /// them; none at the end.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound) if there is no such saga.
    pub async fn records(
        &self,
        saga: &str,
        id: &StreamId,
        after: Version,
    ) -> Result<Vec<SagaRecord>> {
        let stream = self.stream(saga, id)?;
        let store = &*self.runtime.ports().events;
        let commits = History::after(store, &stream, after, Consistency::Strong).next().await?;
        let mut records = vec![];
        for event in commits.iter().flatten().flat_map(RecordedCommit::events) {
            let (version, time) = (event.version, event.time);
            let record = Record::read(&event)?;
            let (heard, by_hand) = (record.heard(), record.by_hand().cloned());
            let asked = record.asked(&event);
            records.push(SagaRecord { version, time, heard, by_hand, asked });
        }
        Ok(records)
    }

    /// Asks again for everything that the transaction `id` of `saga` has asked for, under the same
    /// ids, so that what has taken effect does not take effect again: for a transaction whose
    /// commands were lost, or refused for a reason that has passed. A timer that was cancelled
    /// stays so, and what was [skipped](Self::skip) is not asked for. Returns how many records were
    /// gone through.
    ///
    /// What was refused, or had nothing to do, is decided once more.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound) if there is no such saga or it knows no such transaction;
    /// those of the queue, after which it may be asked again.
    pub async fn retry(&self, saga: &str, id: &StreamId) -> Result<u64> {
        let stream = self.stream(saga, id)?;
        let skipped = Story::read(self.runtime, saga, &stream).await?.skipped;
        let (mut history, mut records) = (whole(self.runtime, &stream), 0);
        while let Some(commits) = history.next().await? {
            for event in commits.iter().flat_map(RecordedCommit::events) {
                let mut asked = Record::read(&event)?.asked(&event);
                asked.retain(|queued| !skipped.contains(&queued.request.id));
                send(self.runtime.context(), &asked).await?;
                records += 1;
            }
        }
        Ok(records)
    }

    fn stream(&self, saga: &str, id: &StreamId) -> Result<StreamName> {
        Ok(StreamName::new(&self.category(saga)?, id))
    }

    /// The category of the records of `saga`.
    fn category(&self, saga: &str) -> Result<String> {
        let function = self.runtime.app().descriptor(saga);
        let is_saga = function.is_some_and(|function| function.kind == Kind::Saga);
        let missing = || Error::new(ErrorKind::NotFound, format!("no saga {saga}"));
        is_saga.then(|| own_category(saga)).ok_or_else(missing)
    }
}

/// All that is recorded in `stream`.
fn whole<'a>(runtime: &'a Runtime, stream: &'a StreamName) -> History<'a> {
    History::after(&*runtime.ports().events, stream, Version::EMPTY, Consistency::Strong)
}
