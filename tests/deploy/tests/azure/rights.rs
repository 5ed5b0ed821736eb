use std::collections::{BTreeMap, BTreeSet};

use deploy::{Resources, Tools};
use serde_json::Value;

use crate::{ANSWERS, copy, made};

/// What each app may do, where: the table of the README in the words of `iam.tf`.
const RIGHTS: [(&str, &[(&str, &str)]); 4] = [
    ("asked", &[("events", "reads"), ("documents", "reads"), ("keys", "reads")]),
    ("commands", &[("events", "appends"), ("documents", "writes"), ("keys", "makes")]),
    ("consumers", &[("events", "appends"), ("documents", "writes"), ("keys", "makes")]),
    (
        "relay",
        &[("events", "reads"), ("documents", "writes"), ("keys", "reads"), ("leases", "writes")],
    ),
];

pub(crate) fn least(tools: &Tools) {
    check(made(tools)).unwrap();
}

pub(crate) fn noticed(tools: &Tools) {
    let spoiled = [
        ("app[\"relay\"].principal_id", "app[\"asked\"].principal_id"),
        ("scope                = azurerm_storage_container.dead.id", ALL_MESSAGES),
        ("asked     = { events = \"reads\"", "asked     = { events = \"appends\""),
        (
            "appends = concat(local.reads, [",
            "appends = concat(local.reads, [\"${local.items}/delete\", ",
        ),
        // As Azure's own role to take messages has it, and as that to do anything with a queue.
        ("      \"${local.queues}/messages/write\",\n", ""),
        (LOOKS_ALONE, "actions = [\"${local.queues}/read\", \"${local.queues}/delete\"]"),
        ("azurerm_role_definition.takes.role_definition_resource_id", "\"another\""),
        ("\"Storage Queue Data Message Sender\"", "\"Storage Queue Data Contributor\""),
    ];
    for (nth, (from, to)) in spoiled.into_iter().enumerate() {
        let copy = copy(&format!("right-{nth}")).with("is_public", "true");
        copy.spoil("iam.tf", from, to);
        assert!(check(&copy.apply_with(tools, ANSWERS).unwrap()).is_err(), "not noticed: {to}");
    }
}

const ALL_MESSAGES: &str = "scope                = azurerm_storage_account.messages.id";
const LOOKS_ALONE: &str = "actions = [\"${local.queues}/read\"]";

/// What of the rights of `made` is not as it should be.
fn check(made: &Resources) -> Result<(), String> {
    let destroys = |role: &str| role == "writes";
    for definition in made.of_name("azurerm_cosmosdb_sql_role_definition", "this") {
        let (_, role) = definition.index.split_once('-').unwrap();
        let actions = definition.values["permissions"][0]["data_actions"].to_string();
        if actions.contains("/delete") != destroys(role) || actions.contains('*') {
            return Err(format!("{}: {actions}", definition.index));
        }
        if ["locates", "reads"].contains(&role) && actions.contains("/create") {
            return Err(format!("{} creates", definition.index));
        }
    }
    for right in made.of_name("azurerm_cosmosdb_sql_role_assignment", "this") {
        let app = right.index.split('-').next().unwrap_or_default();
        let identity = made.at(&format!("azurerm_user_assigned_identity.app[\"{app}\"]"));
        if right.values["principal_id"] != identity.values["principal_id"] {
            return Err(format!("{} is of somebody else", right.index));
        }
    }
    let assigned = made.of_name("azurerm_cosmosdb_sql_role_assignment", "this");
    let assigned: BTreeMap<_, _> =
        assigned.map(|made| (made.index.clone(), made.values["scope"].to_string())).collect();
    let mut wanted = BTreeSet::new();
    for (app, rights) in RIGHTS {
        wanted.extend(["data", "keys"].map(|account| format!("{app}-in-{account}")));
        for (container, role) in rights {
            let index = format!("{app}-{role}-{container}");
            let scope = assigned.get(&index).ok_or(format!("{index} is missing"))?;
            if !scope.ends_with(&format!("/dbs/order/colls/{container}\"")) {
                return Err(format!("{index} is for {scope}"));
            }
            wanted.insert(index);
        }
    }
    if assigned.into_keys().collect::<BTreeSet<_>>() != wanted {
        return Err("there are other rights to data than those of the table".into());
    }
    takes(made)?;
    messages(made)
}

/// What each app may do with messages: which role it has, on what.
const MESSAGES: [(&str, &str, &str); 4] = [
    ("commands", TAKES, "/queues/commands"),
    ("commands", TAKES, "/queues/commands-poison"),
    ("consumers", "Storage Queue Data Message Sender", "/queues/commands"),
    ("relay", "EventGrid Data Sender", "/topics/t"),
];

/// The role that `iam.tf` defines, what it may do with a queue, and what with its messages
/// ("Permissions for Queue service operations"): Get Queue Metadata; Get Messages and Delete
/// Message, Peek Messages, Put Message and Update Message. Clear Messages is not among them.
const TAKES: &str = "takes";
const QUEUE_ACTIONS: [&str; 1] = ["Microsoft.Storage/storageAccounts/queueServices/queues/read"];
const MESSAGE_ACTIONS: [&str; 3] = [
    "Microsoft.Storage/storageAccounts/queueServices/queues/messages/process/action",
    "Microsoft.Storage/storageAccounts/queueServices/queues/messages/read",
    "Microsoft.Storage/storageAccounts/queueServices/queues/messages/write",
];

/// What of the role that takes messages is not as it should be.
fn takes(made: &Resources) -> Result<(), String> {
    let role = &made.at("azurerm_role_definition.takes").values;
    let listed = |name: &str| -> BTreeSet<&str> {
        let all = role["permissions"].as_array().into_iter().flatten();
        let all = all.filter_map(|permission| permission[name].as_array()).flatten();
        all.filter_map(Value::as_str).collect()
    };
    if listed("actions") != BTreeSet::from(QUEUE_ACTIONS)
        || listed("data_actions") != BTreeSet::from(MESSAGE_ACTIONS)
    {
        return Err(format!("whoever takes messages may: {}", role["permissions"]));
    }
    let group = &made.at("azurerm_resource_group.this").values["id"];
    match role["assignable_scopes"].as_array().map(Vec::as_slice) {
        Some([scope]) if scope == group => Ok(()),
        _ => Err(format!("the role can be given on {}", role["assignable_scopes"])),
    }
}

/// What of the rights to anything but Cosmos DB is not as it should be.
fn messages(made: &Resources) -> Result<(), String> {
    let who: BTreeMap<_, _> = made
        .of_name("azurerm_user_assigned_identity", "app")
        .map(|made| (made.values["principal_id"].as_str().unwrap(), made.index.as_str()))
        .collect();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let defined = &made.at("azurerm_role_definition.takes").values["role_definition_resource_id"];
    let mut has = BTreeSet::new();
    for right in made.0.iter().filter(|made| made.kind == "azurerm_role_assignment") {
        let (role, scope) = (&right.values["role_definition_name"], text(&right.values["scope"]));
        match right.name.as_str() {
            // Its own storage, and what the topic could not deliver.
            "host" if role == "Storage Blob Data Owner" && scope.ends_with("/account") => {}
            "dead" if role == "Storage Blob Data Contributor" && scope.ends_with("/c") => {}
            "takes" | "sends" | "announces" => {
                let is_own = right.values["role_definition_id"] == *defined;
                let role = if is_own { TAKES.to_owned() } else { text(role) };
                let who = who.get(&*text(&right.values["principal_id"])).copied();
                let (_, on) = scope.rsplit_once("/queueServices/default").unwrap_or_else(|| {
                    scope.split_once("/Microsoft.EventGrid").unwrap_or(("", &scope))
                });
                has.insert((who.unwrap_or("nobody").to_owned(), role, on.to_owned()));
            }
            _ => return Err(format!("{} is {role} on {scope}", right.address)),
        }
    }
    let wanted = MESSAGES.map(|(who, role, on)| (who.to_owned(), role.to_owned(), on.to_owned()));
    let wanted = BTreeSet::from(wanted);
    match has.symmetric_difference(&wanted).next() {
        Some(other) => Err(format!("{other:?} is too much, or missing")),
        None => Ok(()),
    }
}
