use serde_json::{Value, json};

/// Names what of a batch must come again ("Handling errors for an SQS event source in Lambda",
/// "Reporting batch item failures with Lambda and DynamoDB").
pub(crate) fn come_again(ids: &[String]) -> Value {
    let failures: Vec<_> = ids.iter().map(|id| json!({ "itemIdentifier": id })).collect();
    json!({ "batchItemFailures": failures })
}
