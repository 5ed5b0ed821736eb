//! Requests of several entries of which a service carries out some, and says so.

use aws_sdk_dynamodb::config::http::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use super::wire::{Answer, read, response, rewrite};

/// The entries that a request went without.
#[derive(Debug)]
pub struct Left {
    operation: String,
    /// The table, of a request that names one.
    table: Option<String>,
    /// Each with its place in the request.
    entries: Vec<(usize, Value)>,
}

impl Left {
    /// Takes some entries out of `request`, and never all: a service that has capacity for none of
    /// them refuses the request ("BatchGetItem").
    pub fn of(
        operation: &str,
        request: &mut HttpRequest,
        random: &mut fastrand::Rng,
    ) -> Option<Self> {
        let mut body: Value = serde_json::from_slice(request.body().bytes()?).ok()?;
        let (table, all) = match operation {
            "BatchGetItem" => {
                let (table, keys) = body["RequestItems"].as_object_mut()?.iter_mut().next()?;
                (Some(table.clone()), keys["Keys"].as_array_mut()?)
            }
            "PutEvents" | "SendMessageBatch" => (None, body["Entries"].as_array_mut()?),
            _ => return None,
        };
        let (stays, mut entries) = (random.usize(..all.len()), vec![]);
        let mut place = 0;
        all.retain(|entry| {
            let leaves = place != stays && random.bool();
            if leaves {
                entries.push((place, entry.clone()));
            }
            place += 1;
            !leaves
        });
        if entries.is_empty() {
            return None;
        }
        rewrite(request, &body);
        Some(Self { operation: operation.to_owned(), table, entries })
    }
}

/// `answer`, which says that `left` was not carried out.
pub async fn without(left: Left, answer: HttpResponse) -> Answer {
    let (status, mut body) = read(answer).await;
    if status != 200 {
        return Ok(response(status, body.to_string()));
    }
    let Left { operation, table, entries } = left;
    match (operation.as_str(), table) {
        ("BatchGetItem", Some(table)) => {
            let keys: Vec<_> = entries.into_iter().map(|(_, key)| key).collect();
            body["UnprocessedKeys"] = json!({ table: { "Keys": keys, "ConsistentRead": true } });
        }
        ("PutEvents", _) => {
            let failed = body["FailedEntryCount"].as_u64().unwrap() + entries.len() as u64;
            body["FailedEntryCount"] = json!(failed);
            let outcomes = body["Entries"].as_array_mut().unwrap();
            for (place, _) in entries {
                let failed = json!({ "ErrorCode": "InternalFailure", "ErrorMessage": "again" });
                outcomes.insert(place, failed);
            }
        }
        _ => {
            let failed = body["Failed"].as_array_mut().unwrap();
            failed.extend(entries.into_iter().map(|(_, entry)| {
                json!({ "Id": entry["Id"], "Code": "ServiceUnavailable", "SenderFault": false })
            }));
        }
    }
    Ok(response(200, body.to_string()))
}
