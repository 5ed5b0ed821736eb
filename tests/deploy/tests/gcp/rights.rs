use std::collections::{BTreeMap, BTreeSet};

use deploy::{Resources, Tools};
use skyfold::{Kind, Manifest};

use crate::{copy, made};

/// What an account may do: what is granted, and on what.
type Right = (&'static str, String);

/// What each kind of function may do, as the README's table says.
fn wanted(kind: &str) -> Vec<Right> {
    let right = |what, on: &str| (what, on.to_owned());
    let (data, keys) = match kind {
        "command" => ("append", "make"),
        "query" | "api" => ("read", "read"),
        "projection" | "saga" | "commands" => ("keep", "make"),
        "sweep" => ("keep", "read"),
        "relay" => return vec![right("publish", "events")],
        other => panic!("{other} is no kind of function"),
    };
    let mut rights = vec![right(data, "data"), right(keys, "keys")];
    match kind {
        "saga" | "commands" => {
            rights.push(right("publish", "commands"));
            rights.push(right("enqueue", "commands"));
            rights.push(right("act as", "queue"));
        }
        "sweep" => rights.push(right("publish", "events")),
        _ => {}
    }
    rights
}

fn kinds(manifest: &Manifest) -> BTreeMap<String, &'static str> {
    let kind = |kind| match kind {
        Kind::Command => "command",
        Kind::Query => "query",
        Kind::Projection => "projection",
        Kind::Saga => "saga",
        Kind::Relay => "relay",
    };
    let own =
        manifest.functions.iter().map(|function| (function.name.clone(), kind(function.kind)));
    let host = ["api", "commands", "sweep"].map(|name| (name.to_owned(), name));
    own.chain(host).collect()
}

/// The grants of every kind that there are: their type and name, what they grant, and on what.
const GRANTS: [(&str, &str, &str, &str); 6] = [
    ("google_project_iam_member", "data", "", "data"),
    ("google_project_iam_member", "keys", "", "keys"),
    ("google_pubsub_topic_iam_member", "announces", "publish", "events"),
    ("google_pubsub_topic_iam_member", "sends", "publish", "commands"),
    ("google_cloud_tasks_queue_iam_member", "sends", "enqueue", "commands"),
    ("google_service_account_iam_member", "sends", "act as", "queue"),
];

/// What is granted to each function.
fn granted(made: &Resources) -> BTreeMap<String, BTreeSet<(String, String)>> {
    let accounts = made.of_name("google_service_account", "function");
    let accounts: BTreeMap<_, _> = accounts
        .map(|account| {
            (account.values["member"].as_str().unwrap().to_owned(), account.index.clone())
        })
        .collect();
    let roles = made.of_name("google_project_iam_custom_role", "database");
    let roles: BTreeMap<_, _> = roles
        .map(|role| (role.values["id"].as_str().unwrap().to_owned(), role.index.clone()))
        .collect();
    let mut granted: BTreeMap<String, BTreeSet<_>> = BTreeMap::new();
    for (kind, name, what, on) in GRANTS {
        for grant in made.of_name(kind, name) {
            let text = |name: &str| grant.values[name].as_str().unwrap_or_default().to_owned();
            let what = match what {
                "" => roles.get(&text("role")).cloned().unwrap_or_else(|| text("role")),
                what => what.to_owned(),
            };
            if kind == "google_project_iam_member" {
                let condition = grant.values["condition"][0]["expression"].as_str().unwrap();
                let database = if on == "data" { "order" } else { "order-keys" };
                let expected = format!("resource.name == \"projects/p/databases/{database}\"");
                assert_eq!(condition, expected, "{}", grant.address);
            }
            let who = accounts.get(&text("member")).cloned().unwrap_or_else(|| text("member"));
            granted.entry(who).or_default().insert((what, on.to_owned()));
        }
    }
    granted
}

/// What is wrong with the rights of the functions of the order app.
fn complaints(made: &Resources) -> Vec<String> {
    let granted = granted(made);
    let kinds = kinds(&order::app().manifest());
    let mut complaints = vec![];
    for (name, kind) in &kinds {
        let has = granted.get(name).cloned().unwrap_or_default();
        let wanted: BTreeSet<_> =
            wanted(kind).into_iter().map(|(what, on)| (what.to_owned(), on)).collect();
        complaints.extend(has.difference(&wanted).map(|right| format!("{name} may {right:?}")));
        complaints.extend(wanted.difference(&has).map(|right| format!("{name} lacks {right:?}")));
    }
    for who in granted.keys().filter(|who| !kinds.contains_key(*who)) {
        complaints.push(format!("{who} is nobody who is known"));
    }
    // Who reads does not write, and nobody but an operator destroys a key.
    for role in made.of_name("google_project_iam_custom_role", "database") {
        let permissions = role.values["permissions"].as_array().unwrap();
        let may =
            |what: &str| permissions.iter().any(|p| *p == format!("datastore.entities.{what}"));
        let wanted = match role.index.as_str() {
            "read" => [false, false, false],
            "make" => [true, false, false],
            "append" => [true, true, false],
            _ => [true, true, true],
        };
        let has = ["create", "update", "delete"].map(may);
        if has != wanted {
            complaints.push(format!("the role {} may do {has:?}", role.index));
        }
    }
    complaints
}

pub(crate) fn least(tools: &Tools) {
    let complaints = complaints(made(tools));
    assert!(complaints.is_empty(), "{complaints:#?}");
}

/// How the rights are spoiled, and what is said to that.
const TOO_MANY: [(&str, &str, &str); 5] = [
    (
        "command = \"append\", query = \"read\"",
        "command = \"append\", query = \"keep\"",
        "show-order may (\"keep\", \"data\")",
    ),
    (
        "command = \"make\", query = \"read\"",
        "command = \"keep\", query = \"read\"",
        "payment may (\"keep\", \"keys\")",
    ),
    (
        "[\"saga\", \"commands\"]",
        "[\"saga\", \"commands\", \"projection\"]",
        "stock-level may (\"enqueue\", \"commands\")",
    ),
    (
        "[\"relay\", \"sweep\"]",
        "[\"relay\", \"sweep\", \"command\"]",
        "order may (\"publish\", \"events\")",
    ),
    (
        "concat(local.readers, [\"datastore.entities.create\"])",
        "[\"datastore.entities.create\", \"datastore.entities.delete\"]",
        "the role make may do [true, false, true]",
    ),
];

pub(crate) fn noticed(tools: &Tools) {
    let copy = copy("rights").with("is_public", "true");
    for (from, to, _) in TOO_MANY {
        copy.spoil("iam.tf", from, to);
    }
    let complaints = complaints(&copy.apply_apart(tools).unwrap());
    for (_, to, expected) in TOO_MANY {
        assert!(complaints.iter().any(|complaint| complaint == expected), "{to}: {complaints:#?}");
    }
}

pub(crate) fn deliverers(tools: &Tools) {
    let made = made(tools);
    let email = |who: &str| {
        let account = made.at(&format!("google_service_account.deliverer[\"{who}\"]"));
        (account.values["email"].clone(), account.values["member"].clone())
    };
    for (name, kind) in kinds(&order::app().manifest()) {
        let who: &[&str] = match kind {
            "relay" => &["eventarc"],
            "commands" => &["push", "queue"],
            "sweep" => &["schedule"],
            "projection" | "saga" => &["push"],
            _ => continue,
        };
        let service = made.at(&format!("google_cloud_run_v2_service.delivered[\"{name}\"]"));
        let variables = service.values["template"][0]["containers"][0]["env"].as_array().unwrap();
        let variable =
            |name: &str| variables.iter().find(|v| v["name"] == name).unwrap()["value"].clone();
        let callers = variable("SKYFOLD_CALLERS");
        let expected: Vec<_> =
            who.iter().map(|who| email(who).0.as_str().unwrap().to_owned()).collect();
        assert_eq!(callers.as_str().unwrap().split(',').collect::<Vec<_>>(), expected, "{name}");
        for who in who {
            let invokes = "google_cloud_run_v2_service_iam_member.delivers";
            let grant = &made.at(&format!("{invokes}[\"{name}/{who}\"]")).values;
            assert_eq!(
                (&grant["role"], &grant["member"]),
                (&"roles/run.invoker".into(), &email(who).1)
            );
        }
        let audiences = variable("SKYFOLD_AUDIENCES").as_str().unwrap().to_owned();
        let own = format!("https://order-{name}.order.internal");
        assert!(audiences.split(',').any(|audience| audience == own), "{name}: {audiences}");
        // Otherwise the signatures of tokens were gone, and others could deliver.
        assert_eq!(service.values["invoker_iam_disabled"], true, "{name}");
        assert_eq!(service.values["ingress"], "INGRESS_TRAFFIC_INTERNAL_ONLY", "{name}");
    }
    let delivers = made.of_name("google_cloud_run_v2_service_iam_member", "delivers").count();
    let count =
        |kind: &str| kinds(&order::app().manifest()).values().filter(|k| **k == kind).count();
    assert_eq!(delivers, count("projection") + count("saga") + count("relay") + 2 + 1);
}
