//! One operation for each thing that can be asked of a function.

use serde_json::{Map, Value, json};
use skyfold::{CommandDescriptor, Descriptor};

use crate::openapi::components::Components;
use crate::openapi::shared;
use crate::parameters::Parameters;

/// The tag of what is the host's own.
pub(crate) const HOST: &str = "host";

/// The member of an operation that says what it asks for: `command`, `state`, `view`, `list`,
/// `query` or `host`.
const KIND: &str = "x-skyfold-kind";

/// The paths of the commands of one category, and of its streams' states.
pub(crate) fn commands(function: &Descriptor, components: &mut Components) -> Map<String, Value> {
    let category = &function.name;
    let mut paths = Map::new();
    for command in function.commands.iter().filter(|command| !command.is_internal) {
        let path = format!("/{category}/{{id}}/{}", command.path);
        paths.insert(path, json!({ "post": give(category, command, components) }));
    }
    let mut show = operation(category, "state", &format!("{category}.state"));
    show["summary"] = format!("Shows the state of a stream of {category}").into();
    show["parameters"] = parameters(&["id", "at", "ifNoneMatch"]);
    let shown = ok("The state.", json_content(&shared::state()), &["ETag"]);
    show["responses"] = responses(Some(shown), &["304", "400", "404", "500", "503"]);
    paths.insert(format!("/{category}/{{id}}"), json!({ "get": show }));
    paths
}

fn give(category: &str, command: &CommandDescriptor, components: &mut Components) -> Value {
    let id = format!("{category}.{}", command.name);
    let mut give = operation(category, "command", &id);
    describe(&mut give, &command.name, command.schema.as_ref());
    give["parameters"] =
        parameters(&["id", "idempotencyKey", "ifMatch", "correlation", "traceparent"]);
    if let Some(schema) = &command.schema {
        let reference = components.add(&id, schema).reference();
        give["requestBody"] = json!({ "required": true, "content": json_content(&reference) });
    }
    let receipt = json!({ "$ref": "#/components/schemas/Receipt" });
    let tags = ["ETag", "Idempotency-Key", "X-Correlation-Id"];
    let receipt = ok("The receipt.", json_content(&receipt), &tags);
    let errors = ["400", "403", "404", "408", "409", "412", "413", "415", "422", "500", "503"];
    give["responses"] = responses(Some(receipt), &errors);
    give
}

/// The paths of the views of one projection, and of its lists.
pub(crate) fn views(function: &Descriptor, components: &mut Components) -> Map<String, Value> {
    let name = &function.name;
    let schema = function.answer.as_ref().unwrap_or(&Value::Null);
    let reference = components.add(name, schema).reference();
    let mut show = operation(name, "view", &format!("{name}.view"));
    describe(&mut show, &format!("Shows one {name}"), Some(schema));
    show["parameters"] = parameters(&["key", "after", "wait", "ifNoneMatch"]);
    let view = ok("The view.", answer_content(&reference), &["ETag"]);
    show["responses"] = responses(Some(view), &["202", "304", "400", "404", "500", "503"]);
    let mut paths = Map::new();
    paths.insert(format!("/{name}/{{key}}"), json!({ "get": show }));
    if !function.lists.is_empty() {
        paths.insert(format!("/{name}"), json!({ "get": list(function, &reference) }));
    }
    paths
}

fn list(function: &Descriptor, view: &Value) -> Value {
    let (name, lists) = (&function.name, &function.lists);
    let mut list = operation(name, "list", &format!("{name}.list"));
    list["summary"] = format!("Shows a page of a list of {name}").into();
    let mut which = parameters(&["under", "order", "limit", "cursor", "after", "wait"]);
    let known = json!({
        "in": "query",
        "name": "list",
        "description": "Which list.",
        "required": lists.len() > 1,
        "schema": { "type": "string", "enum": lists },
    });
    if let Some(which) = which.as_array_mut() {
        which.insert(0, known);
    }
    list["parameters"] = which;
    let next = json!({ "description": "The cursor of the next page.", "type": "string" });
    let page = json!({
        "type": "object",
        "required": ["items"],
        "properties": { "items": { "type": "array", "items": view }, "next": next },
    });
    let page = ok("The page.", answer_content(&page), &[]);
    list["responses"] = responses(Some(page), &["202", "400", "404", "500", "503"]);
    list
}

/// The path of one query, which takes its parameters as text or as JSON.
pub(crate) fn query(function: &Descriptor, components: &mut Components) -> Map<String, Value> {
    let name = &function.name;
    let schema = function.params.as_ref().unwrap_or(&Value::Null);
    let names = components.add(&format!("{name}.params"), schema);
    let answer = function.answer.as_ref().unwrap_or(&Value::Null);
    let answer = components.add(&format!("{name}.answer"), answer).reference();
    let answer = ok("The answer.", answer_content(&answer), &[]);
    let ask = |verb: &str| {
        let mut ask = operation(name, "query", &format!("{name}.{verb}"));
        describe(&mut ask, &format!("Answers {name}"), function.params.as_ref());
        ask
    };

    let mut by_text = ask("get");
    let mut all = parameters(&["after", "wait"]);
    for parameter in Parameters::of(schema).all.iter().rev() {
        let description = parameter.schema["description"].as_str();
        let described = json!({
            "in": "query",
            "name": parameter.name,
            "description": description.unwrap_or_default(),
            "required": parameter.is_required,
            "schema": names.rewritten(&parameter.schema),
        });
        if let Some(all) = all.as_array_mut() {
            all.insert(0, described);
        }
    }
    by_text["parameters"] = all;
    by_text["responses"] =
        responses(Some(answer.clone()), &["202", "400", "403", "404", "500", "503"]);

    let mut by_json = ask("post");
    by_json["parameters"] = parameters(&["after", "wait"]);
    by_json["requestBody"] = json!({ "content": json_content(&names.reference()) });
    let errors = ["202", "400", "403", "404", "408", "413", "415", "500", "503"];
    by_json["responses"] = responses(Some(answer), &errors);
    let path = json!({ "get": by_text, "post": by_json });
    Map::from_iter([(format!("/{name}"), path)])
}

/// The paths that are the host's own.
pub(crate) fn host() -> Map<String, Value> {
    let mut health = operation(HOST, "host", "health");
    health["summary"] = "Compares the views with the head of the store".into();
    let reference = json!({ "$ref": "#/components/schemas/Health" });
    let healthy = ok("Every consumer has kept up.", json_content(&reference), &[]);
    health["responses"] = responses(Some(healthy), &[]);
    let mut content = json_content(&reference);
    content["application/problem+json"] =
        json!({ "schema": { "$ref": "#/components/schemas/Problem" } });
    let unhealthy = "A consumer is behind, or the store cannot be asked.";
    health["responses"]["503"] = json!({ "description": unhealthy, "content": content });
    Map::from_iter([("/health".to_owned(), json!({ "get": health }))])
}

pub(crate) fn operation(tag: &str, kind: &str, id: &str) -> Value {
    json!({ "tags": [tag], "operationId": id, KIND: kind })
}

/// Takes over what the domain says of a type: its first line is the summary, and what follows the
/// description.
fn describe(operation: &mut Value, summary: &str, schema: Option<&Value>) {
    let text = schema.and_then(|schema| schema["description"].as_str()).unwrap_or(summary);
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    operation["summary"] = first.into();
    if !rest.trim().is_empty() {
        operation["description"] = rest.trim().into();
    }
}

pub(crate) fn parameters(names: &[&str]) -> Value {
    references(names).collect()
}

/// A parameter of one path alone.
pub(crate) fn own_parameter(name: &str, description: &str, schema: &Value) -> Value {
    json!({ "in": "query", "name": name, "description": description, "schema": schema })
}

/// The parameters `names`, as every path may refer to them.
pub(crate) fn references(names: &[&str]) -> impl Iterator<Item = Value> {
    names.iter().map(|name| json!({ "$ref": format!("#/components/parameters/{name}") }))
}

/// An object of these properties.
pub(crate) fn object(properties: &Value, required: &[&str]) -> Value {
    json!({ "type": "object", "properties": properties, "required": required })
}

pub(crate) fn json_content(schema: &Value) -> Value {
    json!({ "application/json": { "schema": schema } })
}

/// What may also come as server-sent events, where the caller waits.
fn answer_content(schema: &Value) -> Value {
    let mut content = json_content(schema);
    content["text/event-stream"] = json!({ "schema": { "type": "string" } });
    content
}

pub(crate) fn ok(description: &str, content: Value, headers: &[&str]) -> Value {
    let mut response = json!({ "description": description, "content": content });
    for name in headers {
        let component = match *name {
            "ETag" => "etag",
            "Idempotency-Key" => "idempotencyKey",
            _ => "correlation",
        };
        response["headers"][*name] = json!({ "$ref": format!("#/components/headers/{component}") });
    }
    response
}

/// What is answered if all goes well, and the `others` that are told of once for all.
pub(crate) fn responses(ok: Option<Value>, others: &[&str]) -> Value {
    let mut responses = Map::from_iter(ok.map(|ok| ("200".to_owned(), ok)));
    for status in others {
        let response = match *status {
            "304" => json!({ "description": "The caller has it already." }),
            status => json!({ "$ref": format!("#/components/responses/{status}") }),
        };
        responses.insert((*status).to_owned(), response);
    }
    responses.into()
}
