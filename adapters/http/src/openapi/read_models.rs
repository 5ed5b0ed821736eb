//! What operators do with read models.

use serde_json::{Map, Value, json};

use crate::openapi::operations::{json_content, object};
use crate::openapi::operators::{answered, in_path, operating};
use crate::operations::read_models::PATH;

/// The paths of read models.
pub(crate) fn paths() -> Map<String, Value> {
    let below = |path: &str| format!("{PATH}{path}");
    Map::from_iter([
        (below(""), json!({ "get": revisions() })),
        (below("/replay"), json!({ "post": replay() })),
        (below("/rehearse"), json!({ "post": rehearse() })),
        (below("/switch"), json!({ "post": switch() })),
        (below("/verify"), json!({ "post": verify() })),
        (below("/drop"), json!({ "post": remove() })),
    ])
}

fn revisions() -> Value {
    let state = json!({
        "revision": count(),
        "collection": { "type": "string" },
        "isActive": { "type": "boolean", "description": "Whether it answers." },
        "built": { "enum": ["replayed", "in-part", "live"] },
    });
    let state = object(&state, &["revision", "collection", "isActive", "built"]);
    let items = json!({ "type": "array", "items": state });
    let page = object(&json!({ "items": items }), &["items"]);
    let show = about("revisions", "Shows the revisions of a read model");
    answered(show, "Those that the app lists, the least first.", &page, &["400", "404"])
}

fn replay() -> Value {
    let summary = "Builds views from past events for a few seconds; once more, it goes on";
    let progress = json!({
        "slicesDone": count(), "slices": count(), "events": count(), "fraction": number(),
    });
    let progress = object(&progress, &["slicesDone", "slices", "events", "fraction"]);
    let paused = object(
        &json!({ "progress": progress, "restSeconds": number() }),
        &["progress", "restSeconds"],
    );
    let ended = json!({
        "revision": count(), "events": count(), "unhandled": count(), "examples": unhandled(),
    });
    let ended = object(&ended, &["revision", "events", "unhandled", "examples"]);
    let step = json!({ "oneOf": [
        object(&json!({ "paused": paused }), &["paused"]),
        object(&json!({ "ended": ended }), &["ended"]),
    ] });
    let replay = asked_for(about("replay", summary), &scope());
    answered(replay, "What came of it: paused is to be asked for again.", &step, ERRORS)
}

fn rehearse() -> Value {
    let summary = "Tells what a replay would change, within the time of one request";
    let rehearsed = json!({
        "revision": count(), "events": count(), "new": count(),
        "examples": { "type": "array", "items": { "type": "string" } },
        "unhandled": unhandled(),
    });
    let required = ["revision", "events", "new", "examples", "unhandled"];
    let rehearse = asked_for(about("rehearse", summary), &scope());
    answered(rehearse, "What would come of it.", &object(&rehearsed, &required), ERRORS)
}

fn switch() -> Value {
    let revision = json!({ "revision": count() });
    let switch = about("switch", "Lets a revision answer, or the newest that the app lists");
    let switch = asked_for(switch, &object(&revision, &[]));
    answered(switch, "The revision that answers now.", &object(&revision, &["revision"]), ERRORS)
}

fn verify() -> Value {
    let asked = json!({
        "revision": count(),
        "rate": { "type": "integer", "minimum": 1, "description": "Events a second." },
        "onDrift": { "enum": ["report", "repair"], "default": "report" },
    });
    let drift = json!({
        "key": { "type": "string" },
        "kind": { "enum": ["missing", "extra", "different", "unreadable", "listing"] },
        "differences": { "type": "array", "items": { "type": "object" } },
        "isRepaired": { "type": "boolean" },
    });
    let drift = object(&drift, &["key", "kind", "differences", "isRepaired"]);
    let verified = json!({
        "revision": count(), "events": count(), "views": count(), "drifted": count(),
        "repaired": count(), "behind": count(), "changing": count(),
        "drifts": { "type": "array", "items": drift },
        "unhandled": unhandled(),
    });
    let required = ["revision", "events", "views", "drifted", "repaired", "drifts", "unhandled"];
    let verify = about("verify", "Compares views with a fresh fold of the log, in about a minute");
    let verify = asked_for(verify, &object(&asked, &[]));
    answered(verify, "What came of it.", &object(&verified, &required), ERRORS)
}

fn remove() -> Value {
    let drop = about("drop", "Removes the views of a revision that the app lists no more");
    let drop = asked_for(drop, &object(&json!({ "revision": count() }), &["revision"]));
    let removed = object(&json!({ "removed": count() }), &["removed"]);
    answered(drop, "How many documents were removed.", &removed, ERRORS)
}

/// What may be wrong with what is asked for.
const ERRORS: &[&str] = &["400", "404", "408", "409", "413", "415"];

/// Which events a replay is about.
fn scope() -> Value {
    let properties = json!({
        "revision": count(),
        "categories": { "type": "array", "items": { "type": "string" } },
        "since": { "type": ["string", "null"], "format": "date-time" },
        "version": count(),
        "rate": { "type": "integer", "minimum": 1, "description": "Events a second." },
        "start": { "enum": ["resume", "anew"], "default": "resume" },
    });
    object(&properties, &[])
}

fn unhandled() -> Value {
    let text = json!({ "type": "string" });
    let item = object(&json!({ "event": text, "why": text }), &["event", "why"]);
    json!({ "type": "array", "items": item })
}

fn count() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

fn number() -> Value {
    json!({ "type": "number", "minimum": 0 })
}

fn about(verb: &str, summary: &str) -> Value {
    operating(&format!("read-models.{verb}"), summary, [in_path("name", "The read model.")])
}

fn asked_for(mut operation: Value, body: &Value) -> Value {
    operation["requestBody"] = json!({ "required": true, "content": json_content(body) });
    operation
}
