use serde_json::{Value, json};
use skyfold::{Error, ErrorKind, Reply};

/// Names what of a batch must come again ("Handling errors for an SQS event source in Lambda",
/// "Reporting batch item failures with Lambda and DynamoDB").
pub(crate) fn come_again(ids: &[&str]) -> Value {
    let failures: Vec<_> = ids.iter().map(|id| json!({ "itemIdentifier": id })).collect();
    json!({ "batchItemFailures": failures })
}

/// A reply that a function of this kind never gives.
pub(crate) fn unfit(function: &str, reply: &Reply) -> Error {
    Error::new(ErrorKind::Unexpected, format!("{function} answers a delivery by {reply:?}"))
}
