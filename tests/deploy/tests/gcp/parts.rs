use std::collections::BTreeSet;

use deploy::{Resources, Tools};
use serde_json::{Value, json};
use skyfold::Kind;
use skyfold_gcp::eventarc::{CREATED, PATH};

use crate::{copy, made};

fn variable<'a>(service: &'a Value, name: &str) -> &'a Value {
    let variables = service["template"][0]["containers"][0]["env"].as_array().unwrap();
    let found = variables.iter().find(|variable| variable["name"] == name);
    &found.unwrap_or_else(|| panic!("{name} is not set"))["value"]
}

pub(crate) fn functions(tools: &Tools) {
    let (made, manifest) = (made(tools), order::app().manifest());
    for function in &manifest.functions {
        let name = &function.name;
        let is_asked = matches!(function.kind, Kind::Command | Kind::Query);
        let group = if is_asked { "asked" } else { "delivered" };
        let service = &made.at(&format!("google_cloud_run_v2_service.{group}[\"{name}\"]")).values;
        assert_eq!(variable(service, "SKYFOLD_FUNCTION"), name);
        let account = &made.at(&format!("google_service_account.function[\"{name}\"]")).values;
        assert_eq!(service["template"][0]["service_account"], account["email"], "{name}");
        if function.hears.is_empty() {
            continue;
        }
        let pushed = &made.at(&format!("google_pubsub_subscription.pushed[\"{name}\"]")).values;
        let heard = function.hears.iter().map(|c| format!("attributes.category = \"{c}\""));
        assert_eq!(pushed["filter"], heard.collect::<Vec<_>>().join(" OR "));
        assert_eq!(pushed["enable_message_ordering"], true);
        let uri = service["uri"].as_str().unwrap();
        let push = &pushed["push_config"][0];
        assert_eq!(push["push_endpoint"], format!("{uri}/deliveries/events"));
        let audience = format!("https://order-{name}.order.internal");
        assert_eq!(push["oidc_token"][0]["audience"], audience);
        let dead = &made.at(&format!("google_pubsub_topic.dead[\"{name}\"]")).values["id"];
        assert_eq!(pushed["dead_letter_policy"][0]["dead_letter_topic"], *dead);
        made.at(&format!("google_pubsub_subscription.dead[\"{name}\"]"));
        // The functions give up after 30, and make a dead letter of it.
        assert!(pushed["dead_letter_policy"][0]["max_delivery_attempts"].as_u64() > Some(30));
    }
    relay(made);
    commands(made);
}

fn relay(made: &Resources) {
    let trigger = &made.at("google_eventarc_trigger.recorded[\"relay\"]").values;
    let criteria = trigger["matching_criteria"].as_array().unwrap();
    let value = |name: &str| &criteria.iter().find(|c| c["attribute"] == name).unwrap()["value"];
    assert_eq!((value("type"), value("document")), (&json!(CREATED), &json!(PATH)));
    assert_eq!(value("database"), "order");
    assert_eq!(trigger["event_data_content_type"], "application/protobuf");
    let target = &trigger["destination"][0]["cloud_run_service"][0];
    assert_eq!(target["path"], "/deliveries/commits");
}

fn commands(made: &Resources) {
    let service = &made.at("google_cloud_run_v2_service.delivered[\"commands\"]").values;
    let target = variable(service, "SKYFOLD_TARGET_URL").as_str().unwrap();
    assert!(
        target.starts_with("https://order-commands-") && target.ends_with("/deliveries/commands")
    );
    let audiences = variable(service, "SKYFOLD_AUDIENCES").as_str().unwrap();
    assert!(audiences.split(',').any(|audience| audience == target), "tasks bring it: {audiences}");
    let queue = &made.at("google_service_account.deliverer[\"queue\"]").values["email"];
    assert_eq!(variable(service, "SKYFOLD_TARGET_ACCOUNT"), queue);
    let tasks = &made.at("google_cloud_tasks_queue.commands").values["retry_config"][0];
    assert_eq!(tasks["max_attempts"], -1, "a task that is given up is gone");
    let pushed = &made.at("google_pubsub_subscription.pushed[\"commands\"]").values;
    assert_eq!(pushed["enable_message_ordering"], false);
    let job = &made.at("google_cloud_scheduler_job.sweep").values;
    let sweep = &made.at("google_cloud_run_v2_service.delivered[\"sweep\"]").values;
    let uri = sweep["uri"].as_str().unwrap();
    assert_eq!(job["http_target"][0]["uri"], format!("{uri}/deliveries/sweep"));
    let audience = &job["http_target"][0]["oidc_token"][0]["audience"];
    assert_eq!(audience, "https://order-sweep.order.internal");
}

pub(crate) fn callers(tools: &Tools) {
    let calls = |made: &Resources| -> BTreeSet<(String, String)> {
        let calls = made.of_name("google_cloud_run_v2_service_iam_member", "calls");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        calls.map(|c| (text(&c.values["name"]), text(&c.values["member"]))).collect()
    };
    let manifest = order::app().manifest();
    let asked = manifest.functions.iter().filter(|f| matches!(f.kind, Kind::Command | Kind::Query));
    let asked: Vec<_> = asked.map(|function| function.name.as_str()).chain(["api"]).collect();
    let wanted = |who: &str| -> BTreeSet<_> {
        asked.iter().map(|name| (format!("order-{name}"), who.to_owned())).collect()
    };
    assert_eq!(calls(made(tools)), wanted("allUsers"));
    let closed = copy("closed").with("callers", "[\"group:staff@example.com\"]");
    let closed = closed.apply_apart(tools).unwrap();
    assert_eq!(calls(&closed), wanted("group:staff@example.com"));
}

pub(crate) fn alerts(tools: &Tools) {
    let (made, manifest) = (made(tools), order::app().manifest());
    let filter = |name: &str| {
        let alert = &made.at(&format!("google_monitoring_alert_policy.this[\"{name}\"]")).values;
        let threshold = &alert["conditions"][0]["condition_threshold"][0];
        threshold["filter"].as_str().unwrap().to_owned()
    };
    let names = |filter: String| -> BTreeSet<String> {
        let (_, names) = filter.split_once("full_match(\"").unwrap();
        names.trim_end_matches("\")").split('|').map(str::to_owned).collect()
    };
    let (errors, behind) = (names(filter("errors")), names(filter("behind")));
    for function in &manifest.functions {
        let name = format!("order-{}", function.name);
        assert!(errors.contains(&name), "{name}: {errors:?}");
        assert_eq!(behind.contains(&name), !function.hears.is_empty(), "{name}: {behind:?}");
    }
    assert!(behind.contains("order-commands"));
    assert!(filter("relay").contains("order-relay"));
    assert!(filter("dead").contains("order-.*-dead"));
    // What the functions say of it, in core's words.
    let metric = &made.at("google_logging_metric.letters").values["filter"];
    assert!(metric.as_str().unwrap().contains("set aside as a dead letter"));
}
