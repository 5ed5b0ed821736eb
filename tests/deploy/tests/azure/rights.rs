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
        ("app = \"consumers\", role = \"Storage Queue Data Message Sender\"", DELIVERS),
    ];
    for (nth, (from, to)) in spoiled.into_iter().enumerate() {
        let copy = copy(&format!("right-{nth}")).with("is_public", "true");
        copy.spoil("iam.tf", from, to);
        assert!(check(&copy.apply_with(tools, ANSWERS).unwrap()).is_err(), "not noticed: {to}");
    }
}

const ALL_MESSAGES: &str = "scope                = azurerm_storage_account.messages.id";
const DELIVERS: &str = "app = \"consumers\", role = \"Storage Queue Data Contributor\"";

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
    messages(made)
}

/// What each app may do with messages: which of Azure's own roles it has, on what.
const MESSAGES: [(&str, &str, &str); 8] = [
    ("commands", TAKES, "/queues/commands"),
    ("commands", LOOKS, "/queues/commands"),
    ("commands", SENDS, "/queues/commands"),
    ("commands", TAKES, "/queues/commands-poison"),
    ("commands", LOOKS, "/queues/commands-poison"),
    ("commands", SENDS, "/queues/commands-poison"),
    ("consumers", SENDS, "/queues/commands"),
    ("relay", "EventGrid Data Sender", "/topics/t"),
];

const TAKES: &str = "Storage Queue Data Message Processor";
const LOOKS: &str = "Storage Queue Data Reader";
const SENDS: &str = "Storage Queue Data Message Sender";

/// What of the rights to anything but Cosmos DB is not as it should be.
fn messages(made: &Resources) -> Result<(), String> {
    let who: BTreeMap<_, _> = made
        .of_name("azurerm_user_assigned_identity", "app")
        .map(|made| (made.values["principal_id"].as_str().unwrap(), made.index.as_str()))
        .collect();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut has = BTreeSet::new();
    for right in made.0.iter().filter(|made| made.kind == "azurerm_role_assignment") {
        let (role, scope) = (&right.values["role_definition_name"], text(&right.values["scope"]));
        match right.name.as_str() {
            // Its own storage, and what the topic could not deliver.
            "host" if role == "Storage Blob Data Owner" && scope.ends_with("/account") => {}
            "dead" if role == "Storage Blob Data Contributor" && scope.ends_with("/c") => {}
            "messages" | "announces" => {
                let who = who.get(&*text(&right.values["principal_id"])).copied();
                let (_, on) = scope.rsplit_once("/queueServices/default").unwrap_or_else(|| {
                    scope.split_once("/Microsoft.EventGrid").unwrap_or(("", &scope))
                });
                has.insert((who.unwrap_or("nobody").to_owned(), text(role), on.to_owned()));
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
