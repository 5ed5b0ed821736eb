//! What the operations of every app have in common.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use serde_json::{Map, Value, json};
use skyfold::limits::{ID_CHARS_MAX, PAGE_ITEMS_MAX};

use crate::list::PAGE_ITEMS;
use crate::openapi::components::Components;
use crate::options::Options;
use crate::problem_types::{ALL, ProblemType};

/// Adds what hosts of this project answer.
pub(crate) fn add_schemas(components: &mut Components) {
    components.add("Receipt", &receipt());
    components.add("Problem", &problem());
    components.add("Health", &health());
}

fn receipt() -> Value {
    json!({
        "description": "What came of a command: the same however often it is sent.",
        "type": "object",
        "required": ["stream", "version", "events", "replayed"],
        "properties": {
            "stream": { "description": "The stream.", "type": "string" },
            "version": version("Its version after the command."),
            "events": {
                "description": "The events that were recorded, oldest first. Give the last one to \
                    a reader as `after`.",
                "type": "array",
                "items": { "type": "string", "examples": ["order-42@3"] },
            },
            "replayed": {
                "description": "Whether the command had taken effect before.",
                "type": "boolean",
            },
        },
    })
}

fn problem() -> Value {
    json!({
        "description": "Why a request was not fulfilled (RFC 9457).",
        "type": "object",
        "required": ["type", "title", "status", "detail", "instance", "correlation"],
        "properties": {
            "type": {
                "description": "The type, and where it is explained.",
                "type": "string",
                "format": "uri-reference",
                "enum": ALL.map(ProblemType::reference),
            },
            "title": { "description": "The type, in words.", "type": "string" },
            "status": { "description": "The status of the response.", "type": "integer" },
            "detail": { "description": "What happened this time.", "type": "string" },
            "instance": {
                "description": "This occurrence, by the id of the request.",
                "type": "string",
                "format": "uri",
            },
            "correlation": {
                "description": "The business transaction, as the log names it.",
                "type": "string",
            },
        },
    })
}

fn health() -> Value {
    let lag = json!({
        "type": "object",
        "required": ["consumer", "behind", "seconds"],
        "properties": {
            "consumer": { "type": "string" },
            "behind": { "type": "integer", "minimum": 0 },
            "seconds": { "type": "integer", "minimum": 0 },
        },
    });
    let letters = json!({
        "description": "What waits for an operator.",
        "type": "object",
        "required": ["total", "isMore", "oldestSeconds", "functions"],
        "properties": {
            "total": { "type": "integer", "minimum": 0 },
            "isMore": { "description": "Whether more wait than counted.", "type": "boolean" },
            "oldestSeconds": { "type": "integer", "minimum": 0 },
            "functions": { "type": "object", "additionalProperties": { "type": "integer" } },
        },
    });
    json!({
        "description": "How far views and sagas are behind the head of the store.",
        "type": "object",
        "required": ["healthy", "head", "commits", "consumers", "deadLetters"],
        "properties": {
            "healthy": { "type": "boolean" },
            "head": { "type": ["string", "null"] },
            "commits": { "type": "integer", "minimum": 0 },
            "consumers": { "type": "array", "items": lag },
            "deadLetters": letters,
            "unbuilt": {
                "description": "Revisions of read models that were listed late and never built.",
                "type": "array",
                "items": { "type": "object" },
            },
        },
    })
}

/// The state of a stream, whose form is the domain's own affair.
pub(crate) fn state() -> Value {
    json!({
        "type": "object",
        "required": ["stream", "version", "time", "state"],
        "properties": {
            "stream": { "type": "string" },
            "version": version("The version that the state reflects."),
            "time": { "type": ["string", "null"], "format": "date-time" },
            "state": {},
        },
    })
}

fn version(description: &str) -> Value {
    json!({ "description": description, "type": "integer", "minimum": 0 })
}

/// The parameters that several operations take.
pub(crate) fn parameters(options: &Options) -> Value {
    let wait_max = options.wait_max.as_secs_f64();
    let id = json!({
        "type": "string",
        "minLength": 1,
        "maxLength": ID_CHARS_MAX,
        "pattern": "^(?!\\.{1,2}$)[A-Za-z0-9._:~@-]+$",
    });
    let text = || json!({ "type": "string", "minLength": 1, "maxLength": ID_CHARS_MAX });
    json!({
        "id": parameter("path", "id", "The id of the stream within its category.", id),
        "key": parameter("path", "key", "The key of the view.", text()),
        "under": parameter("query", "under", "What the list is of.", text()),
        "order": parameter("query", "order", "Which way to read the list.",
            json!({ "type": "string", "enum": ["asc", "desc"], "default": "asc" })),
        "limit": parameter("query", "limit", "How many views at most.", json!({
            "type": "integer", "minimum": 1, "maximum": PAGE_ITEMS_MAX, "default": PAGE_ITEMS,
        })),
        "cursor": parameter("query", "cursor", "Where to read on: `next` of an earlier page.",
            json!({ "type": "string" })),
        "after": parameter("query", "after", "An event, as a receipt names it, that the answer \
            must reflect.", json!({ "type": "string", "examples": ["order-42@3"] })),
        "wait": parameter("query", "wait", "How many seconds to wait for that, at most.",
            json!({ "type": "number", "minimum": 0, "maximum": wait_max, "default": wait_max })),
        "at": parameter("query", "at", "A version, or a time, instead of now.",
            json!({ "type": "string", "examples": ["3", "2010-12-01T08:26:00Z"] })),
        "idempotencyKey": parameter("header", "Idempotency-Key", "Identifies the command, however \
            often it is sent; best a UUIDv7. Without it, every request is another command.",
            text()),
        "ifMatch": parameter("header", "If-Match", "The version at which the stream must be, as \
            in `\"3\"`.", json!({ "type": "string" })),
        "ifNoneMatch": parameter("header", "If-None-Match", "The entity tag of what is known \
            already.", json!({ "type": "string" })),
        "correlation": parameter("header", "X-Correlation-Id", "The business transaction that \
            this belongs to; the id of the command, unless it is given.", text()),
        "traceparent": parameter("header", "traceparent", "The W3C trace context, which the \
            events carry on.", json!({ "type": "string" })),
    })
}

fn parameter(place: &str, name: &str, description: &str, schema: Value) -> Value {
    let is_required = place == "path" || name == "under";
    json!({
        "in": place,
        "name": name,
        "description": description,
        "required": is_required,
        "schema": schema,
    })
}

/// The headers that several responses have.
pub(crate) fn headers() -> Value {
    let header =
        |description: &str| json!({ "description": description, "schema": { "type": "string" } });
    json!({
        "etag": header("Identifies this state: of a stream, its version."),
        "idempotencyKey": header("The id of the command, also if the caller gave none."),
        "correlation": header("The business transaction."),
        "retryAfter": {
            "description": "In how many seconds to ask again.",
            "schema": { "type": "integer", "minimum": 1 },
        },
    })
}

/// The responses that say no, by status.
pub(crate) fn responses() -> Map<String, Value> {
    let mut by_status: BTreeMap<StatusCode, Vec<&ProblemType>> = BTreeMap::new();
    for problem in ALL {
        by_status.entry(problem.status).or_default().push(problem);
    }
    let described = by_status.into_iter().map(|(status, problems)| {
        let titles: Vec<_> = problems.iter().map(|problem| problem.title).collect();
        let media_type =
            if status.is_success() { "application/json" } else { "application/problem+json" };
        let schema = json!({ "$ref": "#/components/schemas/Problem" });
        let mut response = json!({
            "description": titles.join(", or: "),
            "content": { media_type: { "schema": schema } },
        });
        if [StatusCode::ACCEPTED, StatusCode::SERVICE_UNAVAILABLE].contains(&status) {
            response["headers"] =
                json!({ "Retry-After": { "$ref": "#/components/headers/retryAfter" } });
        }
        (status.as_str().to_owned(), response)
    });
    described.collect()
}
