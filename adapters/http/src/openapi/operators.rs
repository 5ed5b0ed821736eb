//! What operators may ask and do, where it is served.

use serde_json::{Map, Value, json};

use crate::openapi::operations::{HOST, ok, operation, responses};

/// The tag of what is for operators.
pub(crate) const OPERATIONS: &str = "operations";

/// The paths of operators.
pub(crate) fn paths() -> Map<String, Value> {
    let mut metrics = operation(OPERATIONS, HOST, "metrics");
    metrics["summary"] = "Shows the numbers of the app to a Prometheus server".into();
    let text = json!({ "application/openmetrics-text": { "schema": { "type": "string" } } });
    metrics["responses"] = responses(Some(ok("The numbers.", text, &[])), &["500", "503"]);
    Map::from_iter([("/metrics".to_owned(), json!({ "get": metrics }))])
}
