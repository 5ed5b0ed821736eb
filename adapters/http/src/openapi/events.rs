//! What operators see of recorded events.

use serde_json::{Map, Value, json};

use crate::openapi::operations::{object, own_parameter, references};
use crate::openapi::operators::{answered, in_path, operating};
use crate::operations::events::{ONE, PATH};

/// The paths of recorded events.
pub(crate) fn paths() -> Map<String, Value> {
    Map::from_iter([
        (PATH.to_owned(), json!({ "get": all() })),
        (ONE.to_owned(), json!({ "get": of_stream() })),
    ])
}

fn all() -> Value {
    let text = json!({ "type": "string" });
    let time = json!({ "type": "string", "format": "date-time" });
    let categories = json!({ "type": "array", "items": text });
    let own = [
        own_parameter("category", "Only of streams of these categories.", &categories),
        own_parameter("since", "Only those recorded since then.", &time),
        own_parameter("cursor", "Where to read on: what came since a page.", &text),
    ];
    let all = operating("events", "Shows the events of all streams, slice by slice", own);
    let page = json!({
        "items": { "type": "array", "items": event() },
        "next": { "type": "string", "description": "Where to read on, now or later." },
        "isTail": { "type": "boolean", "description": "Whether there is no more for now." },
    });
    let page = object(&page, &["items", "next", "isTail"]);
    answered(all, "A page, which may be empty although more follow.", &page, &["400"])
}

fn of_stream() -> Value {
    let from = json!({ "type": "integer", "minimum": 1, "default": 1 });
    let stream = in_path("stream", "The stream: order-42.");
    let from = own_parameter("from", "The first version.", &from);
    let own = [stream, from].into_iter().chain(references(&["limit"]));
    let show = operating("events.of", "Shows the events of one stream", own);
    let next = json!({ "type": "integer", "description": "The version to read on from." });
    let items = json!({ "type": "array", "items": event() });
    let page = object(&json!({ "items": items, "next": next }), &["items"]);
    answered(show, "A page; empty if the stream is not as long.", &page, &["400"])
}

/// An event in its envelope (CloudEvents 1.0).
fn event() -> Value {
    let text = |description: &str| json!({ "type": "string", "description": description });
    let properties = json!({
        "specversion": { "const": "1.0" },
        "id": text("The event: order-42@3."),
        "source": text("The app: /order."),
        "type": text("Category and type: order.OrderPlaced."),
        "subject": text("The stream."),
        "dataschema": text("App, type, version: urn:skyfold:order:order.OrderPlaced.1."),
        "time": { "type": "string", "format": "date-time" },
        "causationid": text("The command that it came of."),
        "correlationid": text("The business transaction."),
        "data": { "description": "The event's fields." },
    });
    object(&properties, &["specversion", "id", "source", "type", "subject", "time"])
}
