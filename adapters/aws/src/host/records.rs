use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Deserialize;
use serde_json::Value;
use skyfold::host;
use skyfold::ports::Unreadable;
use skyfold::{CloudEvent, EventId, RecordedCommit, Result, Runtime, Version};

use super::reply::come_again;
use crate::events::{SNAPSHOT, found};
use crate::item::{Item, PARTITION, SORT};

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

/// What a record tells of.
enum Told {
    Commit(Box<RecordedCommit>),
    Unreadable(Unreadable),
    /// Not even the key of an item: what the stream tells is not what the relay needs.
    Foreign,
    /// Nothing that was appended: a snapshot is no news.
    Nothing,
}

impl Record {
    fn told(&self) -> Told {
        if self.event_name != "INSERT" {
            return Told::Nothing;
        }
        let text = |(name, value): (&String, &Value)| {
            let text = value["S"].as_str()?;
            Some((name.clone(), AttributeValue::S(text.to_owned())))
        };
        let item: Item = self.dynamodb.new_image.iter().filter_map(text).collect();
        if !item.contains_key(PARTITION) {
            return Told::Foreign;
        }
        match item.get(SORT).and_then(|sort| sort.as_s().ok()) {
            None => Told::Foreign,
            Some(sort) if sort == SNAPSHOT => Told::Nothing,
            Some(_) => match found(&item) {
                Ok(commit) => Told::Commit(Box::new(commit)),
                Err(item) => Told::Unreadable(item),
            },
        }
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

/// Announces what `records` bring, and by reference what cannot be read: the stream of the table
/// would bring it again, and nothing after it, until it is too old. The answer names the first that
/// must come again: Lambda goes on from there ("Reporting batch item failures with Lambda and
/// DynamoDB").
pub(crate) async fn relay(
    runtime: &Runtime,
    name: &str,
    records: &[Record],
    transactions: Transactions,
) -> Result<Value> {
    let (mut commits, mut unreadable, mut sequences) = (vec![], vec![], vec![]);
    let mut again = None;
    for record in records {
        let sequence = &record.dynamodb.sequence_number;
        match record.told() {
            Told::Commit(commit) => {
                sequences.extend(commit.events().map(|event| (event.id(), sequence)));
                commits.push(*commit);
            }
            Told::Unreadable(item) => {
                sequences.extend(item.event.iter().map(|event| (event.clone(), sequence)));
                unreadable.push(item);
            }
            Told::Nothing => {}
            Told::Foreign => {
                tracing::error!(sequence, "the relay waits at what names no item of the table");
                again = Some(sequence);
                break;
            }
        }
    }
    let mut failed = match transactions {
        Transactions::Announced => announce_beginnings(runtime, &commits).await,
        Transactions::Untold => vec![],
    };
    let unannounced = host::relay(runtime, name, commits, &unreadable).await?;
    failed.extend(unannounced.into_iter().map(|failed| failed.event));
    let has_failed = |id: &EventId| failed.contains(id);
    let first = sequences.iter().find(|(id, _)| has_failed(id));
    again = first.map(|(_, sequence)| *sequence).or(again);
    Ok(come_again(again.cloned().as_slice()))
}
