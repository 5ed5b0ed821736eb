//! What operators may ask and do, where it is served.

use serde_json::{Map, Value, json};

use crate::openapi::operations::{
    HOST, json_content, object, ok, operation, own_parameter, parameters, references, responses,
};
use crate::operations::{dead_letters, privacy};

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
        (dead_letters::PATH.to_owned(), letters()),
        (dead_letters::ONE.to_owned(), json!({ "get": about_letter("show", "Shows") })),
        (dead_letters::RETRY.to_owned(), json!({ "post": about_letter("retry", "Tries again") })),
        (dead_letters::DISCARD.to_owned(), discard()),
    ])
}

/// Something that operators do, and what it takes.
pub(crate) fn operating(
    id: &str,
    summary: &str,
    parameters: impl IntoIterator<Item = Value>,
) -> Value {
    let mut operation = operation(OPERATIONS, HOST, id);
    operation["summary"] = summary.into();
    operation["parameters"] = parameters.into_iter().collect();
    operation
}

/// A parameter of one path alone, which is part of the path.
pub(crate) fn in_path(name: &str, description: &str) -> Value {
    let schema = json!({ "type": "string" });
    json!({ "in": "path", "name": name, "description": description, "required": true,
        "schema": schema })
}

/// `operation`, with what it answers.
pub(crate) fn answered(
    mut operation: Value,
    description: &str,
    schema: &Value,
    errors: &[&str],
) -> Value {
    let errors: Vec<_> = errors.iter().copied().chain(["500", "503"]).collect();
    let answer = ok(description, json_content(schema), &[]);
    operation["responses"] = responses(Some(answer), &errors);
    operation
}

/// A dead letter, as far as a reader of the description needs to know.
fn letter() -> Value {
    let text = |description: &str| json!({ "type": "string", "description": description });
    let properties = json!({
        "id": text("Identifies the letter."),
        "function": text("The projection, saga or category that could not do it."),
        "stream": text("The stream that waits, or that the command is for."),
        "undone": { "type": "object", "description": "The event or command." },
        "status": { "enum": ["waiting", "resolved", "discarded"] },
        "kind": text("The kind of the last error."),
        "error": text("The last error."),
        "attempts": { "type": "integer" },
        "history": { "type": "array", "items": { "type": "object" } },
    });
    object(&properties, &["id", "function", "stream", "undone", "status", "kind", "error"])
}

/// The path at which dead letters are listed, and a page of them tried again.
fn letters() -> Value {
    let text = json!({ "type": "string" });
    let function = own_parameter("function", "Those of this function alone.", &text);
    let stream = own_parameter("stream", "Those of this stream alone.", &text);
    let flag = |name: &str, text: &str| own_parameter(name, text, &json!({ "type": "boolean" }));
    let with = |flag: Value| {
        let own = [function.clone(), stream.clone(), flag];
        references(&["order", "limit", "cursor"]).chain(own).collect::<Value>()
    };
    let next = json!({ "type": "string", "description": "The cursor of the next page." });

    let mut list = operation(OPERATIONS, HOST, "dead-letters");
    list["summary"] = "Lists what waits for an operator, the oldest first".into();
    list["parameters"] = with(flag("closed", "Those that wait no more."));
    let page = json!({ "items": { "type": "array", "items": letter() }, "next": next });
    let listed = ok("The letters.", json_content(&object(&page, &["items"])), &[]);
    list["responses"] = responses(Some(listed), &["400", "500", "503"]);

    let mut retry = operation(OPERATIONS, HOST, "dead-letters.retry-all");
    retry["summary"] = "Tries a page of letters again, the oldest first".into();
    retry["description"] = "One of function, stream and all=true says which.".into();
    retry["parameters"] = with(flag("all", "All that wait."));
    let retried = json!({
        "resolved": { "type": "integer" },
        "waiting": { "type": "array", "items": letter() },
        "next": next,
    });
    let retried =
        ok("What came of it.", json_content(&object(&retried, &["resolved", "waiting"])), &[]);
    retry["responses"] = responses(Some(retried), &["400", "404", "500", "503"]);
    json!({ "get": list, "post": retry })
}

/// Something done about one letter, which is then shown.
fn about_letter(verb: &str, summary: &str) -> Value {
    let mut about = operation(OPERATIONS, HOST, &format!("dead-letters.{verb}"));
    about["summary"] = format!("{summary} a dead letter").into();
    about["parameters"] = parameters(&["id"]);
    let shown = ok("The letter as it is then.", json_content(&letter()), &[]);
    about["responses"] = responses(Some(shown), &["400", "404", "500", "503"]);
    about
}

/// The path at which what one letter is about is given up.
fn discard() -> Value {
    let text = |description: &str| json!({ "type": "string", "description": description });
    let asked = json!({
        "reason": text("Why. It is kept."),
        "by": text("Who gives it up."),
        "event": text("The event that was seen in the letter: if it is about another, nothing is \
            done."),
    });
    let mut discard = about_letter("discard", "Gives up what is undone in");
    let asked = json_content(&object(&asked, &["reason"]));
    discard["requestBody"] = json!({ "required": true, "content": asked });
    let errors = ["400", "404", "408", "409", "413", "415", "500", "503"];
    let shown = discard["responses"]["200"].take();
    discard["responses"] = responses(Some(shown), &errors);
    json!({ "post": discard })
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
    let mut show = operation(OPERATIONS, HOST, "forgotten");
    show["summary"] = "Shows who was forgotten, newest first".into();
    show["parameters"] = parameters(&["limit", "cursor"]);
    let shown = ok("The receipts.", json_content(&object(&page, &["items"])), &[]);
    show["responses"] = responses(Some(shown), &["400", "500", "503"]);
    let mut forget = operation(OPERATIONS, HOST, "forget");
    forget["summary"] = "Forgets a subject of personal data, for good".into();
    let asked = object(&asked, &["subject", "by", "reason"]);
    forget["requestBody"] = json!({ "required": true, "content": json_content(&asked) });
    let receipt = ok("The first receipt.", json_content(&receipt), &[]);
    forget["responses"] = responses(Some(receipt), &["400", "408", "413", "415", "500", "503"]);
    json!({ "get": show, "post": forget })
}
