use std::collections::BTreeSet;

use deploy::Tools;
use serde_json::{Value, json};
use skyfold::Kind;

use crate::{copy, made};

pub(crate) fn functions(tools: &Tools) {
    let (made, manifest) = (made(tools), order::app().manifest());
    for function in &manifest.functions {
        let name = &function.name;
        let lambda = &made.at(&format!("aws_lambda_function.this[\"{name}\"]")).values;
        assert_eq!(lambda["environment"][0]["variables"]["SKYFOLD_FUNCTION"], *name);
        assert_eq!(lambda["architectures"], json!(["arm64"]));
        assert_eq!(lambda["runtime"], "provided.al2023");
        assert_eq!(lambda["tracing_config"][0]["mode"], "Active");
        let log = &made.at(&format!("aws_cloudwatch_log_group.function[\"{name}\"]")).values;
        assert_eq!(log["retention_in_days"], 30);
        if function.hears.is_empty() {
            continue;
        }
        let rule = &made.at(&format!("aws_cloudwatch_event_rule.heard[\"{name}\"]")).values;
        let pattern: Value = serde_json::from_str(rule["event_pattern"].as_str().unwrap()).unwrap();
        let heard =
            function.hears.iter().map(|category| json!({ "prefix": format!("{category}-") }));
        let heard: Vec<_> = heard.collect();
        assert_eq!(pattern, json!({ "source": ["order"], "detail": { "subject": heard } }));
        made.at(&format!("aws_sqs_queue.dead[\"{name}\"]"));
        let mapping = made.at(&format!("aws_lambda_event_source_mapping.queue[\"{name}\"]"));
        assert_eq!(mapping.values["function_response_types"], json!(["ReportBatchItemFailures"]));
    }
    let relay = &made.at("aws_lambda_event_source_mapping.relay[\"relay\"]").values;
    assert_eq!(relay["function_response_types"], json!(["ReportBatchItemFailures"]));
    assert_eq!(relay["bisect_batch_on_function_error"], true);
    let commands = manifest.of(Kind::Command).flat_map(|command| {
        let name = &command.name;
        [format!("POST /{name}/{{id}}/{{command}}"), format!("GET /{name}/{{id}}")]
    });
    let queries = manifest.of(Kind::Query);
    let queries = queries.flat_map(|q| [format!("GET /{}", q.name), format!("POST /{}", q.name)]);
    let wanted: BTreeSet<_> = commands.chain(queries).chain(["$default".to_owned()]).collect();
    let routes = made.of_name("aws_apigatewayv2_route", "function");
    let routes: BTreeSet<_> = routes.map(|route| route.index.clone()).collect();
    assert_eq!(routes, wanted);
}

pub(crate) fn alarms(tools: &Tools) {
    let (made, manifest) = (made(tools), order::app().manifest());
    let alarms = |name| made.of_name("aws_cloudwatch_metric_alarm", name);
    let host = ["api", "commands", "sweep"].map(str::to_owned);
    let functions = manifest.functions.iter().map(|function| function.name.clone()).chain(host);
    let functions: BTreeSet<_> = functions.collect();
    for name in ["errors", "throttles"] {
        let told: BTreeSet<_> = alarms(name).map(|alarm| alarm.index.clone()).collect();
        assert_eq!(told, functions, "{name}");
    }
    let queues = made.of_name("aws_sqs_queue", "dead").count();
    assert_eq!(alarms("dead").count(), queues);
    assert_eq!(alarms("relay_behind").count(), 1);
    let consumers = manifest.functions.iter().filter(|function| !function.hears.is_empty());
    assert_eq!(alarms("consumer_behind").count(), consumers.clone().count());
    // Those that set aside, and the function that runs commands from the queue.
    assert_eq!(alarms("letters").count(), consumers.count() + 1);
}

pub(crate) fn tokens(tools: &Tools) {
    let open = made(tools).of_name("aws_apigatewayv2_route", "function");
    assert!(open.into_iter().all(|route| route.values["authorization_type"] == "NONE"));
    let jwt = r#"{ issuer = "https://example.com", audience = ["order"] }"#;
    let closed = copy("jwt").with("jwt", jwt).apply(tools).unwrap();
    let authorizer = &closed.at("aws_apigatewayv2_authorizer.jwt[0]").values["id"];
    let routes: Vec<_> = closed.of_name("aws_apigatewayv2_route", "function").collect();
    assert!(!routes.is_empty());
    for route in routes {
        assert_eq!(route.values["authorization_type"], "JWT", "{}", route.address);
        assert_eq!(route.values["authorizer_id"], *authorizer, "{}", route.address);
    }
}
