//! What Azure Functions reads of an app ("Azure Functions custom handlers").

use serde_json::{Value, json};
use skyfold::host::plain_names;
use skyfold::{Descriptor, Error, ErrorKind, Kind, Manifest, Result};

/// How often a command is taken from the queue before it is set aside: for a day, since the host
/// counts whatever has failed, and most of that time mends. What it does not, the app gives up.
const DEQUEUES_MAX: u32 = 24 * 60 * 60 / HIDDEN_SECONDS;

/// How long a command that has failed is hidden before it is taken again.
const HIDDEN_SECONDS: u32 = 30;

/// How many commits the change feed brings at once, at most.
const COMMITS_MAX: u32 = 100;

/// When the sweep begins: every five minutes ("Timer trigger", "NCRONTAB expressions").
const SCHEDULE: &str = "0 */5 * * * *";

/// The one name that a folder of a function may not have: the host tells itself by it
/// (`FunctionNameValidationRegex` of the host's source).
const HOST: &str = "host";

/// What no route may begin with, be it the whole of a segment or not: the host's own routes do
/// (`ScriptHost.ValidateHttpFunction` of its source).
const ROUTES: [&str; 2] = ["admin", "runtime"];

/// The files beside the program `entry`, by their names. The name of a function is that of its
/// folder, and a part of the name of the setting that switches it off, which may have letters,
/// digits, `_` and `.` alone on Linux ("How to disable functions in Azure Functions").
///
/// # Errors
///
/// [`Invalid`](ErrorKind::Invalid) if two functions would have the same name there, or one of the
/// app that of one of the host's own, or if the host would refuse its route.
pub(super) fn files(manifest: &Manifest, entry: &str) -> Result<Vec<(String, String)>> {
    let mut files = vec![("host.json".to_owned(), text(&host(entry)))];
    let own = [
        ("api", api()),
        ("commands", trigger(queue("%SKYFOLD_QUEUE%"))),
        ("poison", trigger(queue("%SKYFOLD_QUEUE%-poison"))),
        (
            "sweep",
            trigger(json!({ "type": "timerTrigger", "name": "timer", "schedule": SCHEDULE })),
        ),
    ];
    let reserved: Vec<_> = own.iter().map(|(name, _)| *name).chain([HOST]).collect();
    let names = plain_names(manifest, &reserved)?;
    manifest.functions.iter().try_for_each(check_route)?;
    let functions = manifest.functions.iter().map(|f| (f.name.as_str(), function(f)));
    files.extend(
        own.into_iter()
            .chain(functions)
            .map(|(name, json)| (format!("{}/function.json", names[name]), text(&json))),
    );
    Ok(files)
}

/// Whether the host takes the route of `function`, which begins with its name.
fn check_route(function: &Descriptor) -> Result<()> {
    let what = match function.kind {
        Kind::Command => "category",
        Kind::Query => "query",
        Kind::Projection | Kind::Saga | Kind::Relay => return Ok(()),
    };
    let name = &function.name;
    let Some(route) = ROUTES.into_iter().find(|route| name.starts_with(*route)) else {
        return Ok(());
    };
    Err(Error::new(
        ErrorKind::Invalid,
        format!(
            "the {what} {name} has a route that begins with {route}, which Azure Functions keeps \
             to itself: rename it, or run the app in Container Apps"
        ),
    ))
}

/// What the host is told of all functions ("host.json reference for Azure Functions").
fn host(entry: &str) -> Value {
    json!({
        "version": "2.0",
        "customHandler": {
            "description": { "defaultExecutablePath": entry },
            "enableForwardingHttpRequest": true,
        },
        "extensionBundle": {
            "id": "Microsoft.Azure.Functions.ExtensionBundle",
            "version": "[4.*, 5.0.0)",
        },
        "logging": logging(),
        "extensions": {
            "http": { "routePrefix": "" },
            "queues": {
                "maxDequeueCount": DEQUEUES_MAX,
                "messageEncoding": "base64",
                "visibilityTimeout": format!("00:00:{HIDDEN_SECONDS:02}"),
            },
        },
    })
}

/// What is kept of the log: what the program says, which the host calls `Host.Function.Console`,
/// and how each call ended. Alerts read both, so that none of it may be left out where there is
/// much ("host.json reference for Azure Functions", "Configure monitoring for Azure Functions").
fn logging() -> Value {
    json!({
        "logLevel": {
            "default": "Warning",
            "Host.Function.Console": "Information",
            "Host.Results": "Information",
        },
        "applicationInsights": {
            "samplingSettings": { "isEnabled": true, "excludedTypes": "Exception;Request;Trace" },
        },
    })
}

/// The function that is `function` of the app.
///
/// What is posted from outside is forwarded only where a command or a query is asked: any other
/// `POST` could pass for what a trigger brings.
fn function(function: &Descriptor) -> Value {
    let name = &function.name;
    match function.kind {
        Kind::Command => http(&["post"], &format!("{name}/{{id}}/{{command}}")),
        Kind::Query => http(&["post"], name),
        Kind::Projection | Kind::Saga => {
            trigger(json!({ "type": "eventGridTrigger", "name": "event" }))
        }
        Kind::Relay => {
            let mut function = trigger(changes());
            // Without this what has failed is passed over: the trigger takes a policy of the
            // function ("Azure Functions error handling and retries", "Retries"), of which -1 says
            // without an end. What it passes over all the same the sweep announces.
            function["retry"] = json!({
                "strategy": "exponentialBackoff",
                "maxRetryCount": -1,
                "minimumInterval": "00:00:01",
                "maximumInterval": "00:05:00",
            });
            function
        }
    }
}

/// All that is asked for and not given.
fn api() -> Value {
    http(&["get", "head", "options"], "{*path}")
}

/// A function of HTTP. Whoever reaches it is answered, as everywhere.
fn http(methods: &[&str], route: &str) -> Value {
    json!({ "bindings": [
        {
            "type": "httpTrigger",
            "direction": "in",
            "name": "request",
            "authLevel": "anonymous",
            "methods": methods,
            "route": route,
        },
        { "type": "http", "direction": "out", "name": "response" },
    ] })
}

/// The change feed of the container of events ("Azure Cosmos DB trigger").
fn changes() -> Value {
    json!({
        "type": "cosmosDBTrigger",
        "name": "documents",
        "connection": "SKYFOLD_COSMOS_CONNECTION",
        "databaseName": "%SKYFOLD_DATABASE%",
        "containerName": "%SKYFOLD_EVENTS%",
        "leaseContainerName": "%SKYFOLD_LEASES%",
        "createLeaseContainerIfNotExists": false,
        "startFromBeginning": true,
        "maxItemsPerInvocation": COMMITS_MAX,
    })
}

/// A queue ("Azure Queue storage trigger").
fn queue(name: &str) -> Value {
    json!({
        "type": "queueTrigger",
        "name": "message",
        "queueName": name,
        "connection": "SKYFOLD_QUEUE_CONNECTION",
    })
}

/// A function that `binding` calls.
fn trigger(mut binding: Value) -> Value {
    binding["direction"] = "in".into();
    json!({ "bindings": [binding] })
}

fn text(json: &Value) -> String {
    format!("{json:#}\n")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use skyfold::host::plain_name;

    use super::*;

    /// What is made of an app with these functions.
    fn made(functions: &[(&str, Kind)]) -> Result<Vec<(String, String)>> {
        let functions = functions.iter().map(|(name, kind)| json!({ "name": name, "kind": kind }));
        let functions: Vec<_> = functions.collect();
        let manifest = json!({ "app": "example", "functions": functions });
        files(&serde_json::from_value(manifest).unwrap(), "example-azure")
    }

    /// The files of an app with these functions.
    fn of(functions: &[(&str, Kind)]) -> BTreeMap<String, Value> {
        let files = made(functions).unwrap().into_iter();
        files.map(|(name, text)| (name, serde_json::from_str(&text).unwrap())).collect()
    }

    const ALL: [(&str, Kind); 5] = [
        ("door", Kind::Command),
        ("who-came", Kind::Query),
        ("visitors", Kind::Projection),
        ("visit", Kind::Saga),
        ("relay", Kind::Relay),
    ];

    #[test]
    fn each_function_has_its_trigger() {
        let files = of(&ALL);
        assert_eq!(files.len(), 1 + 4 + ALL.len());
        let file = |name: &str| &files[&format!("{}/function.json", plain_name(name))];
        let trigger = |name: &str| file(name)["bindings"][0].clone();
        for (name, kind) in [
            ("api", "httpTrigger"),
            ("commands", "queueTrigger"),
            ("door", "httpTrigger"),
            ("poison", "queueTrigger"),
            ("relay", "cosmosDBTrigger"),
            ("sweep", "timerTrigger"),
            ("visit", "eventGridTrigger"),
            ("visitors", "eventGridTrigger"),
            ("who-came", "httpTrigger"),
        ] {
            assert_eq!(trigger(name)["type"], kind, "{name}");
            assert_eq!(trigger(name)["direction"], "in", "{name}");
        }
        let retry = &files["relay/function.json"]["retry"];
        assert_eq!(retry["maxRetryCount"], -1, "what has failed is never passed over");
        let program = &files["host.json"]["customHandler"]["description"]["defaultExecutablePath"];
        assert_eq!(program, "example-azure");
        let queues = &files["host.json"]["extensions"]["queues"];
        assert_eq!(queues["visibilityTimeout"], "00:00:30");
        assert_eq!(queues["maxDequeueCount"], 2_880, "a day, by half a minute");
        let logging = &files["host.json"]["logging"];
        assert_eq!(logging["logLevel"]["Host.Function.Console"], "Information", "alerts read it");
    }

    #[test]
    fn a_folder_has_the_plain_name_of_its_function_and_a_route_the_functions_own() {
        let files = of(&[("who-came", Kind::Query), ("visitors.2", Kind::Projection)]);
        assert_eq!(files["who_came/function.json"]["bindings"][0]["route"], "who-came");
        assert!(files.contains_key("visitors__2/function.json"));
    }

    #[test]
    fn a_name_that_is_taken_is_refused() {
        for taken in [&["a--b", "a.b"][..], &["poison"], &["host"]] {
            let functions: Vec<_> = taken.iter().map(|name| (*name, Kind::Query)).collect();
            let error = made(&functions).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid, "{taken:?}");
        }
    }

    #[test]
    fn a_route_that_is_the_hosts_is_refused() {
        for name in ["admin", "administration", "admin.2", "runtime", "runtime-of"] {
            for (kind, what) in [(Kind::Command, "category"), (Kind::Query, "query")] {
                let error = made(&[(name, kind)]).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Invalid, "{name}");
                let said = error.message();
                assert!(said.starts_with(&format!("the {what} {name} has a route")), "{said}");
            }
            made(&[(name, Kind::Projection), ("visit", Kind::Saga)]).unwrap();
        }
        made(&[("adm", Kind::Command), ("the-admin", Kind::Query)]).unwrap();
    }

    #[test]
    fn nothing_posted_from_outside_passes_for_a_trigger() {
        let files = of(&ALL);
        let bindings = files.values().flat_map(|file| file["bindings"].as_array()).flatten();
        let posts = bindings.filter(|binding| {
            binding["methods"].as_array().is_some_and(|methods| methods.contains(&json!("post")))
        });
        let routes: Vec<_> = posts.map(|binding| binding["route"].as_str().unwrap()).collect();
        assert_eq!(routes, ["door/{id}/{command}", "who-came"]);
    }
}
