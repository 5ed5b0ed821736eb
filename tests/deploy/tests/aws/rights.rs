use std::collections::BTreeMap;

use deploy::{Resources, Tools};
use serde_json::Value;
use skyfold::{Kind, Manifest};

use crate::{copy, made};

/// What a function may do: an action, on what, and if it is part of a table, with which keys.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Right {
    pub(crate) action: String,
    pub(crate) on: String,
    pub(crate) keys: Vec<String>,
}

pub(crate) const EVENTS: &str = "aws_dynamodb_table.events";
pub(crate) const DOCUMENTS: &str = "aws_dynamodb_table.documents";
pub(crate) const LISTS: &str = "aws_dynamodb_table.documents/index/list-*";
pub(crate) const KEYS: &str = "aws_dynamodb_table.keys";
pub(crate) const FEED: &str = "aws_dynamodb_table.events/index/feed";
pub(crate) const QUEUE: &str = "aws_sqs_queue.heard[\"commands\"]";
const MASTER: &str = "aws_kms_key.keys";
pub(crate) const BUS: &str = "aws_cloudwatch_event_bus.events";

/// What changes something: whatever is not known to read.
fn writes(action: &str) -> bool {
    let reads = ["Get", "BatchGet", "Query", "Scan", "Describe", "List", "Receive", "Decrypt"];
    let operation = action.split_once(':').map_or(action, |(_, operation)| operation);
    !reads.iter().any(|read| operation.starts_with(read))
}

pub(crate) fn least(tools: &Tools) {
    let complaints = complaints(made(tools), &order::app().manifest());
    assert!(complaints.is_empty(), "{complaints:#?}");
}

/// How the rights are spoiled, and what is said to that: by whom, why, which action, on what.
type TooMany = (&'static str, &'static str, [&'static str; 4]);

const TOO_MANY: [TooMany; 6] = [
    (
        "[\"dynamodb:GetItem\", \"dynamodb:Query\"]\n          Resource  = [aws_dynamodb_table.ev",
        "[\"dynamodb:*\"]\n          Resource  = [aws_dynamodb_table.ev",
        ["stock-level", "may do anything", "dynamodb:*", EVENTS],
    ),
    (
        "[\"dynamodb:BatchGetItem\", \"dynamodb:GetItem\", \"dynamodb:Query\"]",
        "[\"dynamodb:BatchGetItem\", \"dynamodb:PutItem\", \"dynamodb:Query\"]",
        ["show-order", "must not write this", "dynamodb:PutItem", DOCUMENTS],
    ),
    (
        "[\"dynamodb:UpdateItem\"]",
        "[\"dynamodb:PutItem\", \"dynamodb:UpdateItem\"]",
        ["order", "must not write this", "dynamodb:PutItem", KEYS],
    ),
    (
        "Resource = [aws_cloudwatch_event_bus.events.arn]",
        "Resource = [\"*\"]",
        ["relay", "may do it to everything", "events:PutEvents", "*"],
    ),
    (
        "writes_stream = [\"${key}-*\"]",
        "writes_stream = [\"*\"]",
        ["payment", "may reach all of a table", "dynamodb:PutItem", EVENTS],
    ),
    (
        "reads_streams = [\"${key}-*\"]",
        "reads_streams = [\"${key}-*\"], writes_documents = [\"*\"]",
        ["stock", "may reach all of a table", "dynamodb:PutItem", DOCUMENTS],
    ),
];

pub(crate) fn noticed(tools: &Tools) {
    let copy = copy("rights").with("is_public", "true");
    for (from, to, _) in TOO_MANY {
        copy.spoil("iam.tf", from, to);
    }
    let complaints = complaints(&copy.apply(tools).unwrap(), &order::app().manifest());
    for (_, to, [name, why, action, on]) in TOO_MANY {
        let expected = format!("{name} {why}: {action} on {on}, ");
        let is_told = complaints.iter().any(|complaint| complaint.starts_with(&expected));
        assert!(is_told, "{to}: {complaints:#?}");
    }
}

/// What is wrong with the rights of the functions of the app of `manifest`.
fn complaints(made: &Resources, manifest: &Manifest) -> Vec<String> {
    let mut complaints = vec![];
    let policies: Vec<_> = made.of_name("aws_iam_role_policy", "function").collect();
    assert_eq!(policies.len(), manifest.functions.len() + 3, "each function has its own policy");
    for policy in policies {
        let name = policy.index.as_str();
        for right in rights_of(made, &policy.values) {
            let kind = manifest.function(name).map(|function| function.kind);
            if let Some(why) = wrong(manifest, name, kind, &right) {
                let Right { action, on, keys } = right;
                complaints.push(format!("{name} {why}: {action} on {on}, {keys:?}"));
            }
        }
    }
    complaints
}

/// The rights that a policy grants.
pub(crate) fn rights_of(made: &Resources, policy: &Value) -> Vec<Right> {
    let names = names(made);
    let policy: Value = serde_json::from_str(policy["policy"].as_str().unwrap()).unwrap();
    let list = |value: &Value| -> Vec<String> {
        value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
    };
    let mut rights = vec![];
    for statement in policy["Statement"].as_array().unwrap() {
        assert_eq!(statement["Effect"], "Allow");
        let keys = &statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"];
        let keys = if keys.is_null() { vec![] } else { list(keys) };
        for resource in list(&statement["Resource"]) {
            let on = named(&names, &resource);
            for action in list(&statement["Action"]) {
                rights.push(Right { action, on: on.clone(), keys: keys.clone() });
            }
        }
    }
    rights
}

/// The resources by their ARNs.
fn names(made: &Resources) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    for resource in &made.0 {
        for (attribute, suffix) in [("arn", ""), ("stream_arn", "/stream")] {
            if let Some(arn) = resource.values[attribute].as_str() {
                names.insert(arn.to_owned(), format!("{}{suffix}", resource.address));
            }
        }
    }
    names
}

/// The address of what `resource` names, with what follows its ARN.
fn named(names: &BTreeMap<String, String>, resource: &str) -> String {
    let whole = names.iter().filter(|(arn, _)| resource.starts_with(arn.as_str()));
    let longest = whole.max_by_key(|(arn, _)| arn.len());
    longest.map_or(resource.to_owned(), |(arn, name)| resource.replacen(arn.as_str(), name, 1))
}

/// Why the function `name` must not have `right`.
fn wrong(
    manifest: &Manifest,
    name: &str,
    kind: Option<Kind>,
    right: &Right,
) -> Option<&'static str> {
    let Right { action, on, keys } = right;
    let may_name_nothing = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"];
    if action.contains('*') {
        return Some("may do anything");
    }
    if may_name_nothing.contains(&action.as_str()) {
        return None;
    }
    if on == "*" {
        let lists = action == "dynamodb:ListStreams" && kind == Some(Kind::Relay);
        return (!lists).then_some("may do it to everything");
    }
    if on.starts_with("aws_cloudwatch_log_group.") {
        let own = format!("aws_cloudwatch_log_group.function[\"{name}\"]:*");
        return (*on != own).then_some("writes the log of another");
    }
    let is_plain = [EVENTS, DOCUMENTS, LISTS].contains(&on.as_str());
    if is_plain
        && action != "dynamodb:Scan"
        && keys.iter().all(|key| key.trim_matches('*').is_empty())
    {
        return Some("may reach all of a table");
    }
    if writes(action) {
        return wrong_write(manifest, name, kind, right);
    }
    match (on.as_str(), kind) {
        (KEYS | MASTER, Some(Kind::Relay)) => Some("opens personal data"),
        (EVENTS, Some(Kind::Query)) => Some("reads streams"),
        (DOCUMENTS | LISTS, Some(Kind::Command)) => Some("reads views"),
        (DOCUMENTS | LISTS, Some(Kind::Saga)) if keys.iter().any(|key| is_view(manifest, key)) => {
            Some("reads views")
        }
        _ => None,
    }
}

/// Why the function `name` must not write as `right` says.
fn wrong_write(
    manifest: &Manifest,
    name: &str,
    kind: Option<Kind>,
    Right { action, on, keys }: &Right,
) -> Option<&'static str> {
    let all = |may: &dyn Fn(&str) -> bool| keys.iter().all(|key| may(key));
    let is_set_aside = |key: &str| key == "dead-letters#*";
    let dead = format!("aws_sqs_queue.dead[\"{name}\"]");
    let queue = format!("aws_sqs_queue.heard[\"{name}\"]");
    let may = match (on.as_str(), action.as_str(), kind) {
        (EVENTS, "dynamodb:PutItem", Some(Kind::Command)) => all(&|key| key == format!("{name}-*")),
        (EVENTS, "dynamodb:PutItem", Some(Kind::Saga)) => {
            all(&|key| key == format!("saga.{name}-*"))
        }
        (EVENTS, "dynamodb:PutItem", None) if name == "commands" => {
            let of_command = |key: &str| {
                manifest.of(Kind::Command).any(|command| key == format!("{}-*", command.name))
            };
            all(&of_command)
        }
        (DOCUMENTS, "dynamodb:PutItem" | "dynamodb:DeleteItem", kind) => {
            let own = manifest.function(name).and_then(|function| function.collection.clone());
            let own = own.unwrap_or(format!("saga.{name}"));
            let is_own =
                |key: &str| key == format!("{own}#*") || key == format!("checkpoints.{own}#*");
            let hears = matches!(kind, Some(Kind::Projection | Kind::Saga));
            let host = kind.is_none() && name != "api";
            (hears && all(&|key| is_own(key) || is_set_aside(key)))
                || (host && all(&|key| is_set_aside(key) || key == "sweeps#*"))
        }
        (KEYS, "dynamodb:UpdateItem", kind) => {
            matches!(kind, Some(Kind::Command | Kind::Projection | Kind::Saga))
                || name == "commands"
        }
        (BUS, "events:PutEvents", kind) => kind == Some(Kind::Relay) || name == "sweep",
        (QUEUE, "sqs:SendMessage", kind) => kind == Some(Kind::Saga) || name == "commands",
        (on, "sqs:SendMessage", _) => on == dead,
        (on, "sqs:DeleteMessage", _) => on == queue,
        _ => false,
    };
    (!may).then_some("must not write this")
}

/// Whether documents under `key` are views.
fn is_view(manifest: &Manifest, key: &str) -> bool {
    let collections = manifest.of(Kind::Projection).filter_map(|p| p.collection.as_deref());
    collections.into_iter().any(|collection| key.contains(collection))
}
