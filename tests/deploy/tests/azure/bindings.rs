use std::collections::BTreeSet;
use std::iter;

use deploy::{Resources, Tools};
use serde_json::{Map, Value};
use skyfold_cli::Form;

use crate::{ANSWERS, APPS, app, copy, made};

/// What a trigger connects by, beside who it is: the setting that says where, after the prefix
/// ("Azure Functions developer guide", "Connections").
const PLACES: [(&str, &str); 2] =
    [("queueTrigger", "queueServiceUri"), ("cosmosDBTrigger", "accountEndpoint")];

pub(crate) fn set(tools: &Tools) {
    check(made(tools)).unwrap();
}

/// What is spoiled, in which file, and what is said to that.
const SPOILED: [(&str, &str, &str, &str); 5] = [
    (
        "bus.tf",
        "  name               = each.key\n",
        "  name               = replace(each.key, \"poison\", \"other\")\n",
        "commands: there is no queue commands-poison",
    ),
    (
        "apps.tf",
        "SKYFOLD_LEASES =",
        "SKYFOLD_LEASE  =",
        "relay: SKYFOLD_LEASES is not set in asked",
    ),
    (
        "apps.tf",
        "    SKYFOLD_QUEUE_CONNECTION__queueServiceUri ",
        "    SKYFOLD_QUEUE_CONNECTION__queueServiceUrl ",
        "commands: SKYFOLD_QUEUE_CONNECTION__queueServiceUri is not set in asked",
    ),
    (
        "apps.tf",
        "    local.connections,\n",
        "    { for name, at in local.connections : name => at if each.key != \"relay\" },\n",
        "commands: SKYFOLD_QUEUE_CONNECTION__queueServiceUri is not set in relay",
    ),
    (
        "apps.tf",
        "SKYFOLD_EVENTS          = azurerm_cosmosdb_sql_container.this[\"events\"].name",
        "SKYFOLD_EVENTS          = \"commits\"",
        "relay: there is no container commits",
    ),
];

pub(crate) fn missed(tools: &Tools) {
    for (nth, (file, from, to, expected)) in SPOILED.into_iter().enumerate() {
        let copy = copy(&format!("binding-{nth}")).with("is_public", "true");
        copy.spoil(file, from, to);
        let said = check(&copy.apply_with(tools, ANSWERS).unwrap()).unwrap_err();
        assert_eq!(said, expected, "{to}");
    }
}

/// What a function of the package names that a function app does not have. Those in which it is
/// switched off look for it as well.
fn check(made: &Resources) -> Result<(), String> {
    let manifest = order::app().manifest();
    let files = Form::AzureFunctions { entry: "order-azure" }.files(&manifest).unwrap();
    let mut count = 0;
    for (path, text) in &files {
        let Some(name) = path.strip_suffix("/function.json") else { continue };
        let off = format!("AzureWebJobs.{name}.Disabled");
        let runs = APPS.into_iter().filter(|app| settings(made, app).get(&off).is_none());
        assert_eq!(runs.count(), 1, "{name} runs in one app");
        let function: Value = serde_json::from_str(text).unwrap();
        for binding in function["bindings"].as_array().unwrap() {
            for app in APPS {
                resolve(made, app, binding).map_err(|missing| format!("{name}: {missing}"))?;
            }
        }
        count += 1;
    }
    assert_eq!(count, manifest.functions.len() + 4, "each function has a file");
    Ok(())
}

fn settings<'a>(made: &'a Resources, name: &str) -> &'a Map<String, Value> {
    app(made, name)["app_settings"].as_object().unwrap()
}

/// What `binding` names that the function app `app` does not have.
fn resolve(made: &Resources, app: &str, binding: &Value) -> Result<(), String> {
    let settings = settings(made, app);
    let set = |name: &str| {
        let value = settings.get(name).and_then(Value::as_str).filter(|value| !value.is_empty());
        value.ok_or(format!("{name} is not set in {app}"))
    };
    for value in binding.as_object().unwrap().values().filter_map(Value::as_str) {
        // Every other part is between two signs.
        for name in value.split('%').skip(1).step_by(2) {
            set(name)?;
        }
    }
    let read = |field: &str| -> Result<Option<String>, String> {
        let Some(text) = binding[field].as_str() else { return Ok(None) };
        let parts = text.split('%').enumerate().map(|(nth, part)| match nth % 2 {
            0 => Ok(part),
            _ => set(part),
        });
        parts.collect::<Result<String, _>>().map(Some)
    };
    if let Some(prefix) = binding["connection"].as_str() {
        let kind = binding["type"].as_str().unwrap();
        let (_, place) = PLACES.into_iter().find(|(of, _)| *of == kind).unwrap();
        for what in ["credential", "clientId", place] {
            set(&format!("{prefix}__{what}"))?;
        }
    }
    if let Some(queue) = read("queueName")? {
        // What comes too often the host puts into the one beside it, unless it is such a one.
        let beside = (!queue.ends_with("-poison")).then(|| format!("{queue}-poison"));
        for queue in iter::once(queue).chain(beside) {
            there_is(made, "queue", ("azurerm_storage_queue", "name"), &queue)?;
        }
    }
    for field in ["containerName", "leaseContainerName"] {
        if let Some(container) = read(field)? {
            let kind = ("azurerm_cosmosdb_sql_container", "name");
            there_is(made, "container", kind, &container)?;
        }
    }
    if let Some(database) = read("databaseName")? {
        there_is(made, "database", ("azurerm_cosmosdb_sql_database", "name"), &database)?;
    }
    Ok(())
}

fn there_is(
    made: &Resources,
    what: &str,
    (kind, field): (&str, &str),
    name: &str,
) -> Result<(), String> {
    let names: BTreeSet<_> =
        made.of_name(kind, "this").filter_map(|resource| resource.values[field].as_str()).collect();
    names.contains(name).then_some(()).ok_or(format!("there is no {what} {name}"))
}
