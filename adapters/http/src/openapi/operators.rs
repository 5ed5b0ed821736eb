//! What operators may ask and do, where it is served.

use serde_json::{Map, Value, json};

use crate::openapi::operations::{HOST, ok, operation, parameters, responses};
use crate::operations::privacy;

/// The tag of what is for operators.
pub(crate) const OPERATIONS: &str = "operations";

/// The paths of operators.
pub(crate) fn paths() -> Map<String, Value> {
    let mut metrics = operation(OPERATIONS, HOST, "metrics");
    metrics["summary"] = "Shows the numbers of the app to a Prometheus server".into();
    let text = json!({ "application/openmetrics-text": { "schema": { "type": "string" } } });
    metrics["responses"] = responses(Some(ok("The numbers.", text, &[])), &["500", "503"]);
    Map::from_iter([
        ("/metrics".to_owned(), json!({ "get": metrics })),
        (privacy::PATH.to_owned(), forgotten()),
    ])
}

fn object(properties: &Value, required: &[&str]) -> Value {
    json!({ "type": "object", "properties": properties, "required": required })
}

/// The path at which subjects of personal data are forgotten.
fn forgotten() -> Value {
    let text = |description: &str| json!({ "type": "string", "description": description });
    let asked = json!({
        "subject": text("Whom the data concern."),
        "by": text("Who asks for it."),
        "reason": text("Why. It is kept, so it must not hold personal data."),
    });
    let mut told = asked.clone();
    told["time"] = json!({ "type": "string", "format": "date-time" });
    let receipt = object(&told, &["subject", "by", "reason", "time"]);
    let mut page = json!({ "items": { "type": "array", "items": receipt.clone() } });
    page["next"] = text("The cursor of the next page.");
    let json = |schema: &Value| json!({ "application/json": { "schema": schema } });

    let mut show = operation(OPERATIONS, HOST, "forgotten");
    show["summary"] = "Shows who was forgotten, newest first".into();
    show["parameters"] = parameters(&["limit", "cursor"]);
    let shown = ok("The receipts.", json(&object(&page, &["items"])), &[]);
    show["responses"] = responses(Some(shown), &["400", "500", "503"]);
    let mut forget = operation(OPERATIONS, HOST, "forget");
    forget["summary"] = "Forgets a subject of personal data, for good".into();
    let asked = object(&asked, &["subject", "by", "reason"]);
    forget["requestBody"] = json!({ "required": true, "content": json(&asked) });
    let receipt = ok("The first receipt.", json(&receipt), &[]);
    forget["responses"] = responses(Some(receipt), &["400", "408", "413", "415", "500", "503"]);
    json!({ "get": show, "post": forget })
}
