use deploy::Tools;
use serde_json::{Value, json};
use skyfold::Kind;

use crate::{ANSWERS, copy, made};

const APPS: [&str; 4] = ["asked", "commands", "consumers", "relay"];

pub(crate) fn functions(tools: &Tools) {
    let manifest = order::app().manifest();
    let listed = manifest.functions.iter().map(|function| {
        let app = match function.kind {
            Kind::Command => "commands",
            Kind::Projection | Kind::Saga => "consumers",
            Kind::Relay => "relay",
            Kind::Query => "asked",
        };
        (function.name.as_str(), app)
    });
    let host = [("api", "asked"), ("commands", "commands"), ("poison", "commands")];
    let all: Vec<_> = listed.chain(host).chain([("sweep", "relay")]).collect();
    for app in APPS {
        let address = format!("azurerm_function_app_flex_consumption.this[\"{app}\"]");
        let made = &made(tools).at(&address).values;
        assert_eq!(made["runtime_name"], "custom");
        assert_eq!(made["https_only"], true);
        for (function, at) in &all {
            let setting = format!("AzureWebJobs.{}.Disabled", name(function));
            let is_off = made["app_settings"].get(&setting).is_some();
            assert_eq!(is_off, *at != app, "{function} in {app}");
        }
    }
}

pub(crate) fn heard(tools: &Tools) {
    let manifest = order::app().manifest();
    let kind = "azurerm_eventgrid_event_subscription";
    let consumers = manifest.functions.iter().filter(|function| !function.hears.is_empty());
    let mut count = 0;
    for function in consumers {
        let address = format!("{kind}.heard[\"{}\"]", function.name);
        let made = &made(tools).at(&address).values;
        let hears: Vec<_> = function.hears.iter().map(|heard| format!("{heard}-")).collect();
        let filter = &made["advanced_filter"][0]["string_begins_with"][0];
        assert_eq!(*filter, json!({ "key": "subject", "values": hears }), "{}", function.name);
        let id = made["azure_function_endpoint"][0]["function_id"].as_str().unwrap();
        assert!(id.ends_with(&format!("/functions/{}", name(&function.name))), "{id}");
        assert_eq!(made["event_delivery_schema"], "CloudEventSchemaV1_0");
        let kept = &made["storage_blob_dead_letter_destination"][0];
        assert_eq!(kept["storage_blob_container_name"], "dead-letters");
        count += 1;
    }
    assert_eq!(made(tools).of_name(kind, "heard").count(), count, "and nobody else hears");
}

pub(crate) fn tokens(tools: &Tools) {
    let tenant = "44444444-2222-3333-4444-555555555555";
    let entra = format!("{{tenant=\"{tenant}\",client=\"c\",audiences=[\"api://order\"]}}");
    let closed = copy("closed").with("entra", &entra).apply_with(tools, ANSWERS).unwrap();
    for app in APPS {
        let address = format!("azurerm_function_app_flex_consumption.this[\"{app}\"]");
        let settings = |values: &Value| values["auth_settings_v2"][0].clone();
        assert_eq!(settings(&made(tools).at(&address).values), Value::Null, "{app} is public");
        let settings = settings(&closed.at(&address).values);
        if ["asked", "commands"].contains(&app) {
            assert_eq!(settings["require_authentication"], true, "{app}");
            assert_eq!(settings["unauthenticated_action"], "Return401", "{app}");
        }
    }
}

/// What the function `name` of the app is named on Azure.
fn name(name: &str) -> String {
    name.replace('.', "__").replace('-', "_")
}
