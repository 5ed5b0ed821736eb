use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Deserialize;
use serde_json::Value;
use skyfold::host;
use skyfold::{CloudEvent, EventId, RecordedCommit, Result, Runtime, Version};

use super::reply::come_again;
use crate::events::{SNAPSHOT, to_commit};
use crate::item::{Item, SORT};

/// Whether it is announced that a transaction of a saga has begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transactions {
    Announced,
    Untold,
}

/// A change in the table of events, as its stream tells it.
#[derive(Debug, Deserialize)]
pub(crate) struct Record {
    #[serde(rename = "eventName")]
    event_name: String,
    dynamodb: Change,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Change {
    sequence_number: String,
    #[serde(default)]
    new_image: HashMap<String, Value>,
}

impl Record {
    /// The commit that was appended, if one was: a snapshot is no news.
    fn commit(&self) -> Result<Option<RecordedCommit>> {
        if self.event_name != "INSERT" {
            return Ok(None);
        }
        let text = |(name, value): (&String, &Value)| {
            let text = value["S"].as_str()?;
            Some((name.clone(), AttributeValue::S(text.to_owned())))
        };
        let item: Item = self.dynamodb.new_image.iter().filter_map(text).collect();
        let sort = item.get(SORT).and_then(|sort| sort.as_s().ok());
        let is_snapshot = sort.is_some_and(|sort| sort == SNAPSHOT);
        if is_snapshot { Ok(None) } else { to_commit(&item).map(Some) }
    }
}

/// Announces which transactions of sagas have begun by `commits`, and nothing of what they heard.
/// Returns what could not be announced.
async fn announce_beginnings(runtime: &Runtime, commits: &[RecordedCommit]) -> Vec<EventId> {
    let app = runtime.app().name();
    let begin = commits
        .iter()
        .filter(|commit| commit.first == Version::EMPTY.next() && commit.stream.saga().is_some());
    let firsts = begin.filter_map(|commit| commit.events().next());
    let news: Vec<_> = firsts.map(|first| CloudEvent::new(app, &first).by_reference()).collect();
    if news.is_empty() {
        return vec![];
    }
    let outcomes = runtime.ports().publisher.publish(&news).await;
    let failed = news.into_iter().zip(outcomes).filter(|(_, outcome)| outcome.is_err());
    failed.map(|(event, _)| event.id).collect()
}

/// Announces what `records` bring. The answer names the first that must come again: Lambda goes on
/// from there ("Reporting batch item failures with Lambda and DynamoDB").
pub(crate) async fn relay(
    runtime: &Runtime,
    name: &str,
    records: &[Record],
    transactions: Transactions,
) -> Result<Value> {
    let (mut commits, mut sequences, mut again) = (vec![], vec![], None);
    for record in records {
        let sequence = &record.dynamodb.sequence_number;
        match record.commit() {
            Ok(Some(commit)) => {
                sequences.extend(commit.events().map(|event| (event.id(), sequence)));
                commits.push(commit);
            }
            Ok(None) => {}
            Err(error) => {
                tracing::error!(sequence, %error, "the relay waits at what it cannot read");
                again = Some(sequence);
                break;
            }
        }
    }
    if !commits.is_empty() {
        let mut failed = match transactions {
            Transactions::Announced => announce_beginnings(runtime, &commits).await,
            Transactions::Untold => vec![],
        };
        failed.extend(host::relay(runtime, name, commits).await?);
        let has_failed = |id: &EventId| failed.contains(id);
        let first = sequences.iter().find(|(id, _)| has_failed(id));
        again = first.map(|(_, sequence)| *sequence).or(again);
    }
    Ok(come_again(again.cloned().as_slice()))
}
