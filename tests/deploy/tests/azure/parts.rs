use deploy::Tools;
use serde_json::{Value, json};
use skyfold::Kind;
use skyfold::host::plain_name;

use crate::{ANSWERS, APPS, app, copy, made};

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
    for by in APPS {
        let made = app(made(tools), by);
        assert_eq!(made["runtime_name"], "custom");
        let storage = made["app_settings"].get("AzureWebJobsStorage").unwrap();
        assert_eq!(storage, "", "{by}: the provider would make it a connection by a key");
        assert_eq!(made["https_only"], true);
        for (function, at) in &all {
            let setting = format!("AzureWebJobs.{}.Disabled", plain_name(function));
            let is_off = made["app_settings"].get(&setting).is_some();
            assert_eq!(is_off, *at != by, "{function} in {by}");
        }
    }
}

pub(crate) fn heard(tools: &Tools) {
    let manifest = order::app().manifest();
    let kind = "azurerm_eventgrid_event_subscription";
    let consumers = manifest.functions.iter().filter(|function| !function.hears.is_empty());
    let (mut count, mut alone) = (0, 0);
    for function in consumers {
        let address = format!("{kind}.heard[\"{}\"]", function.name);
        let made = &made(tools).at(&address).values;
        let hears: Vec<_> = function.hears.iter().map(|heard| format!("{heard}-")).collect();
        let (subject, advanced) = (&made["subject_filter"], &made["advanced_filter"]);
        if let [heard] = &hears[..] {
            assert_eq!(subject[0]["subject_begins_with"], *heard, "{}", function.name);
            assert_eq!(subject[0]["case_sensitive"], true, "{}", function.name);
            assert_eq!(*advanced, json!([]), "{}", function.name);
            alone += 1;
        } else {
            let filter = &advanced[0]["string_begins_with"][0];
            let expected = json!({ "key": "partitionkey", "values": hears });
            assert_eq!(*filter, expected, "{}", function.name);
            assert_eq!(*subject, json!([]), "{}", function.name);
        }
        let id = made["azure_function_endpoint"][0]["function_id"].as_str().unwrap();
        assert!(id.ends_with(&format!("/functions/{}", plain_name(&function.name))), "{id}");
        assert_eq!(made["event_delivery_schema"], "CloudEventSchemaV1_0");
        let kept = &made["storage_blob_dead_letter_destination"][0];
        assert_eq!(kept["storage_blob_container_name"], "dead-letters");
        assert_eq!(made["dead_letter_identity"][0]["type"], "SystemAssigned");
        let again = &made["retry_policy"][0];
        assert_eq!(again["max_delivery_attempts"], 30);
        assert_eq!(again["event_time_to_live"], 24 * 60, "a day in minutes");
        count += 1;
    }
    assert_eq!(made(tools).of_name(kind, "heard").count(), count, "and nobody else hears");
    assert!(alone > 0 && alone < count, "both forms are tried");
}

pub(crate) fn tokens(tools: &Tools) {
    let tenant = "44444444-2222-3333-4444-555555555555";
    let entra = format!("{{tenant=\"{tenant}\",client=\"c\",audiences=[\"api://order\"]}}");
    let closed = copy("closed").with("entra", &entra).apply_with(tools, ANSWERS).unwrap();
    for name in APPS {
        let settings = |values: &Value| values["auth_settings_v2"][0].clone();
        assert_eq!(settings(app(made(tools), name)), Value::Null, "{name} is public");
        let settings = settings(app(&closed, name));
        if ["asked", "commands"].contains(&name) {
            assert_eq!(settings["require_authentication"], true, "{name}");
            assert_eq!(settings["unauthenticated_action"], "Return401", "{name}");
            let excluded = &settings["excluded_paths"];
            assert_eq!(*excluded, json!(["/admin/host/status"]), "{name}: it has a key");
        } else {
            // Their functions have no route from outside but Event Grid's, with a key.
            assert_eq!(settings, Value::Null, "{name}");
        }
    }
}

pub(crate) fn throughput(tools: &Tools) {
    let scaled = copy("scaled").with("is_public", "true").with("throughput", THROUGHPUT);
    let scaled = scaled.apply_with(tools, ANSWERS).unwrap();
    for (account, units) in [("data", 4000), ("keys", 1000)] {
        let account = format!("this[\"{account}\"]");
        let [kind, database] = ["azurerm_cosmosdb_account", "azurerm_cosmosdb_sql_database"]
            .map(|kind| format!("{kind}.{account}"));
        let by_request = &made(tools).at(&kind).values["capabilities"];
        assert_eq!(*by_request, json!([{ "name": "EnableServerless" }]));
        assert_eq!(made(tools).at(&database).values["autoscale_settings"], json!([]));
        assert_eq!(scaled.at(&kind).values["capabilities"], json!([]));
        let settings = &scaled.at(&database).values["autoscale_settings"];
        assert_eq!(*settings, json!([{ "max_throughput": units }]));
    }
}

const THROUGHPUT: &str = "{ data = 4000, keys = 1000 }";

/// What tells of a part that has gone wrong, and by which words of the log or which metric.
const TOLD: [(&str, &str); 5] = [
    ("letters", "AppTraces | where Message contains 'set aside'"),
    ("errors", "AppRequests | where toint(ResultCode) >= 500"),
    ("relay", "OperationName in ('relay')"),
    ("behind", "AppTraces | where Message contains 'announced again'"),
    ("waited", "AppTraces | where Message contains 'waited too long'"),
];
const MEASURED: [(&str, &str, &str); 6] = [
    ("queued", "QueueMessageCount", "/queueServices/default"),
    ("undelivered", "DeadLetteredCount", "/topics/t"),
    ("dropped", "DroppedEventCount", "/topics/t"),
    ("unannounced", "PublishFailCount", "/topics/t"),
    ("slow", "ServerSideLatencyGateway", "/databaseAccounts/data"),
    ("refused", "TotalRequests", "/databaseAccounts/data"),
];

pub(crate) fn alerts(tools: &Tools) {
    let group = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Insights/actionGroups/a";
    let told = copy("told").with("is_public", "true");
    let told = told.with("action_groups", &format!("[\"{group}\"]"));
    let made = told.apply_with(tools, ANSWERS).unwrap();
    for (name, says) in TOLD {
        let kind = "azurerm_monitor_scheduled_query_rules_alert_v2.told";
        let alert = &made.at(&format!("{kind}[\"{name}\"]")).values;
        let query = alert["criteria"][0]["query"].as_str().unwrap();
        assert!(query.contains(says), "{name}: {query}");
        assert_eq!(alert["action"][0]["action_groups"], json!([group]), "{name}");
    }
    for (name, metric, scope) in MEASURED {
        let kind = "azurerm_monitor_metric_alert.measured";
        let alert = &made.at(&format!("{kind}[\"{name}\"]")).values;
        let criteria = &alert["criteria"][0];
        assert_eq!(criteria["metric_name"], metric, "{name}");
        assert_eq!(criteria["operator"], "GreaterThan", "{name}");
        let scopes = alert["scopes"][0].as_str().unwrap();
        assert!(scopes.ends_with(scope), "{name}: {scopes}");
        assert_eq!(alert["action"][0]["action_group_id"], group, "{name}");
    }
    // The log is whole, and is the one that the alerts read.
    for by in APPS {
        let site = &app(&made, by)["site_config"][0];
        let insights = &made.at("azurerm_application_insights.this").values;
        assert_eq!(site["application_insights_connection_string"], insights["connection_string"]);
    }
}
