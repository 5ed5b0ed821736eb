//! What operators ask of the transactions of sagas.

use serde_json::{Map, Value, json};

use crate::openapi::operations::{json_content, object, own_parameter, references};
use crate::openapi::operators::{answered, in_path, operating};
use crate::operations::sagas::PATH;

/// The paths of sagas.
pub(crate) fn paths() -> Map<String, Value> {
    let below = |path: &str| format!("{PATH}/{{id}}{path}");
    Map::from_iter([
        (PATH.to_owned(), json!({ "get": list() })),
        (below(""), json!({ "get": show() })),
        (below("/records"), json!({ "get": records() })),
        (below("/retry"), json!({ "post": retry() })),
        (below("/skip"), json!({ "post": skip() })),
        (below("/send"), json!({ "post": send() })),
    ])
}

fn list() -> Value {
    let time = json!({ "type": "string", "format": "date-time" });
    let own = [
        own_parameter("open", "Only those that have not ended.", &json!({ "type": "boolean" })),
        own_parameter("since", "Only those with a record since then.", &time),
        own_parameter("quiet-since", "Only those with no record since then.", &time),
        own_parameter("cursor", "Where to read on.", &json!({ "type": "string" })),
    ];
    let list = asked_with("sagas", "Lists the transactions of a saga, in no order", &[], own);
    let items = json!({ "type": "array", "items": instance() });
    let page = object(&json!({ "items": items, "next": { "type": "string" } }), &["items"]);
    answered(list, "A page, which may be empty although more follow.", &page, &["400", "404"])
}

fn show() -> Value {
    let show = asked("saga", "Shows one transaction of a saga", &["id"]);
    answered(show, "The transaction.", &instance(), &["400", "404"])
}

fn records() -> Value {
    let beyond = json!({ "type": "integer", "minimum": 0, "default": 0 });
    let records = asked_with(
        "saga.records",
        "Shows what a transaction heard, what an operator did about it, and what it asked for",
        &["id"],
        [own_parameter("beyond", "Those after this version.", &beyond)],
    );
    let items = json!({ "type": "array", "items": { "type": "object" } });
    let page = object(&json!({ "items": items }), &["items"]);
    answered(records, "A page, oldest first; empty at the end.", &page, &["400", "404"])
}

fn retry() -> Value {
    let summary = "Asks again for all that a transaction asked for, under the same ids";
    let retried = object(&json!({ "records": { "type": "integer" } }), &["records"]);
    let retry = asked("saga.retry", summary, &["id"]);
    answered(retry, "How many records were gone through.", &retried, &["400", "404"])
}

fn skip() -> Value {
    let summary = "Has a transaction go on without an event or a command";
    let text = || json!({ "type": "string" });
    let either = json!({ "oneOf": [
        object(&json!({ "event": text() }), &["event"]),
        object(&json!({ "command": text() }), &["command"]),
    ] });
    let body = json!({ "skip": either, "reason": text(), "by": text() });
    intervening(asked("saga.skip", summary, &["id"]), &object(&body, &["skip", "reason"]))
}

fn send() -> Value {
    let summary = "Sends a command on behalf of a transaction; the same number sends it once";
    let (text, count) = (json!({ "type": "string" }), json!({ "type": "integer", "minimum": 0 }));
    let body = json!({
        "number": count,
        "category": text,
        "stream": text,
        "command": {},
        "afterSeconds": count,
        "reason": text,
        "by": text,
    });
    let required = ["category", "stream", "command", "reason"];
    intervening(asked("saga.send", summary, &["id"]), &object(&body, &required))
}

fn intervening(mut operation: Value, body: &Value) -> Value {
    operation["requestBody"] = json!({ "required": true, "content": json_content(body) });
    let text = json!({ "type": "string" });
    let done = json!({
        "record": text,
        "byHand": { "type": "object" },
        "sent": text,
        "isRepeated": { "type": "boolean" },
    });
    let done = object(&done, &["record", "byHand", "isRepeated"]);
    let errors = ["400", "404", "408", "409", "413", "415", "422"];
    answered(operation, "What was recorded of it, now or before.", &done, &errors)
}

fn instance() -> Value {
    let properties = json!({
        "id": { "type": "string" },
        "hasEnded": { "type": "boolean" },
        "version": { "type": "integer", "minimum": 0 },
        "time": { "type": ["string", "null"], "format": "date-time" },
        "state": {},
    });
    object(&properties, &["id", "hasEnded", "version", "time", "state"])
}

/// An operation on a saga, and what else its path names.
fn asked(id: &str, summary: &str, names: &[&str]) -> Value {
    asked_with(id, summary, names, [])
}

/// The same, with parameters of its own.
fn asked_with<const N: usize>(id: &str, summary: &str, names: &[&str], own: [Value; N]) -> Value {
    let saga = in_path("saga", "The saga.");
    operating(id, summary, std::iter::once(saga).chain(references(names)).chain(own))
}
