use std::collections::{BTreeMap, BTreeSet};

use deploy::{Resources, Tools};

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

fn messages(made: &Resources) -> Result<(), String> {
    for right in made.of_name("azurerm_role_assignment", "messages") {
        let role = right.values["role_definition_name"].as_str().unwrap_or_default();
        let least = match right.index.rsplit_once('-').map_or("", |(_, does)| does) {
            "takes" => "Storage Queue Data Message Processor",
            "looks" => "Storage Queue Data Reader",
            _ if right.index.ends_with("looks-aside") => "Storage Queue Data Reader",
            _ => "Storage Queue Data Message Sender",
        };
        if role != least {
            return Err(format!("{} is {role}", right.index));
        }
    }
    Ok(())
}
