use std::collections::{BTreeMap, BTreeSet};

use deploy::{Resource, Resources, Tools};
use serde_json::{Value, json};
use skyfold::Kind;

use crate::{copy, made};

/// What there is for each saga if workflows are asked for: the kinds and names of it.
const OWN: [(&str, &str); 3] = [
    ("google_eventarc_trigger", "begun"),
    ("google_monitoring_alert_policy", "unseen"),
    ("google_workflows_workflow", "saga"),
];

/// What there is for all of them: who starts them and who looks.
const SHARED: [&str; 4] = [
    "google_project_iam_member.begins[\"roles/eventarc.eventReceiver\"]",
    "google_project_iam_member.begins[\"roles/workflows.invoker\"]",
    "google_service_account.deliverer[\"begun\"]",
    "google_service_account.deliverer[\"watch\"]",
];

/// What a step may do ("Workflows: syntax overview"), and what it may say beside.
const ACTIONS: [(&str, &[&str]); 5] = [
    ("assign", &["next"]),
    ("call", &["args", "next", "result"]),
    ("return", &[]),
    ("switch", &["next"]),
    ("try", &["except", "retry"]),
];

fn by_address(made: &Resources) -> BTreeMap<&str, &Resource> {
    made.0.iter().map(|resource| (resource.address.as_str(), resource)).collect()
}

fn sagas() -> Vec<String> {
    order::app().manifest().of(Kind::Saga).map(|saga| saga.name.clone()).collect()
}

fn asked(tools: &Tools) -> Resources {
    let asked = copy("workflows").with("is_public", "true").with("workflows", "true");
    asked.apply_apart(tools).unwrap()
}

pub(crate) fn added(tools: &Tools) {
    let asked = asked(tools);
    let (without, with) = (by_address(made(tools)), by_address(&asked));
    let own = |saga: &String| {
        let lets_in = "google_cloud_run_v2_service_iam_member.delivers";
        let lets_in = format!("{lets_in}[\"{saga}/watch\"]");
        OWN.map(|(kind, name)| format!("{kind}.{name}[\"{saga}\"]")).into_iter().chain([lets_in])
    };
    let shared = SHARED.map(str::to_owned);
    let wanted: BTreeSet<_> = sagas().iter().flat_map(own).chain(shared).collect();
    let is_new = |address: &&&str| !without.contains_key(**address);
    let found: BTreeSet<_> = with.keys().filter(is_new).map(ToString::to_string).collect();
    assert_eq!(found, wanted);
    assert!(without.keys().all(|address| with.contains_key(address)), "nothing is gone");
}

pub(crate) fn watch(tools: &Tools) {
    let made = asked(tools);
    for name in sagas() {
        let at = |kind: &str, of: &str| &made.at(&format!("{kind}.{of}[\"{name}\"]")).values;
        let workflow = at("google_workflows_workflow", "saga");
        let source: Value =
            serde_json::from_str(workflow["source_contents"].as_str().unwrap()).unwrap();
        let complaints = complaints(&source);
        assert!(complaints.is_empty(), "{complaints:?}: {source:#}");
        let service = at("google_cloud_run_v2_service", "delivered");
        let args = &source["main"]["steps"][1]["look"]["try"]["args"];
        assert_eq!(args["url"], format!("{}/deliveries/watch", service["uri"].as_str().unwrap()));
        let audience = format!("https://order-{name}.order.internal");
        assert_eq!(args["auth"], json!({ "type": "OIDC", "audience": audience }));
        assert_eq!(args["body"], json!({ "transaction": "${transaction}" }));

        let account =
            |who: &str| &made.at(&format!("google_service_account.deliverer[\"{who}\"]")).values;
        assert_eq!(workflow["service_account"], account("watch")["id"]);
        let variables = service["template"][0]["containers"][0]["env"].as_array().unwrap();
        let callers = variables.iter().find(|v| v["name"] == "SKYFOLD_CALLERS").unwrap();
        let callers = callers["value"].as_str().unwrap();
        assert!(callers.ends_with(account("watch")["email"].as_str().unwrap()), "{callers}");

        let trigger = at("google_eventarc_trigger", "begun");
        let criteria = trigger["matching_criteria"].as_array().unwrap();
        let document = &criteria.iter().find(|c| c["attribute"] == "document").unwrap()["value"];
        let first = "00000000000000000001";
        assert_eq!(document, &json!(format!("streams/saga.{name}-*/commits/{first}")));
        assert_eq!(trigger["destination"][0]["workflow"], workflow["id"]);
        assert_eq!(trigger["service_account"], account("begun")["email"]);
    }
}

/// A workflow that is spoiled, and what is said to it.
pub(crate) fn spoiled(tools: &Tools) {
    let made = asked(tools);
    let saga = made.of_name("google_workflows_workflow", "saga").next().unwrap();
    let source = saga.values["source_contents"].as_str().unwrap();
    for (from, to, expected) in [
        ("\"next\":\"look\"", "\"next\":\"lok\"", "wait goes on to lok, which is no step"),
        ("\"next\":\"ended\"", "\"next\":\"look\"", "ended is never reached"),
        ("\"sys.sleep\"", "\"sys.snooze\"", "wait calls sys.snooze"),
        ("\"result\":", "\"results\":", "look says results"),
        ("${seen.body.version}", "${seem.body.version}", "seem is assigned nowhere"),
        ("${transaction}", "$transaction", "$transaction is no expression"),
    ] {
        assert!(source.contains(from), "{from}: {source}");
        let complaints = complaints(&serde_json::from_str(&source.replace(from, to)).unwrap());
        assert!(complaints.iter().any(|complaint| complaint == expected), "{to}: {complaints:?}");
    }
}

/// What is wrong with a workflow, as far as its text tells.
fn complaints(source: &Value) -> Vec<String> {
    let mut complaints = vec![];
    let steps: Vec<_> = source["main"]["steps"].as_array().unwrap().iter().collect();
    let steps: Vec<(&String, &Value)> =
        steps.iter().flat_map(|step| step.as_object().unwrap()).collect();
    let place = |name: &str| steps.iter().position(|(step, _)| *step == name);
    for (nth, (name, step)) in steps.iter().enumerate() {
        complaints.extend(says(name, step));
        complaints.extend(says(name, &step["try"]).into_iter().filter(|_| step["try"].is_object()));
        for next in leads(step) {
            if place(&next).is_none() {
                complaints.push(format!("{name} goes on to {next}, which is no step"));
            }
        }
        if !is_reached(&steps, nth) {
            complaints.push(format!("{name} is never reached"));
        }
    }
    let known: Vec<&str> = known(source);
    for text in texts(source) {
        let inner = text.strip_prefix("${").and_then(|text| text.strip_suffix('}'));
        match inner {
            None if text.starts_with('$') => complaints.push(format!("{text} is no expression")),
            None => {}
            Some(inner) => {
                // A function of the library brings a bracket: its argument is what is looked up.
                let inner = inner.split_once('(').map_or(inner, |(_, argument)| argument);
                let variable = inner.split(['.', ',', ')']).next().unwrap_or_default();
                if !known.contains(&variable) {
                    complaints.push(format!("{variable} is assigned nowhere"));
                }
            }
        }
    }
    complaints
}

/// What is wrong with what one step says.
fn says(name: &str, step: &Value) -> Vec<String> {
    let keys: Vec<_> = step.as_object().into_iter().flatten().map(|(key, _)| key).collect();
    let actions = ACTIONS.iter().filter(|(action, _)| keys.iter().any(|key| key == action));
    let [(action, beside)] = actions.collect::<Vec<_>>()[..] else {
        return vec![format!("{name} does not do one thing")];
    };
    let others = keys.iter().filter(|key| **key != action && !beside.contains(&key.as_str()));
    let mut complaints: Vec<_> = others.map(|key| format!("{name} says {key}")).collect();
    let called = step["call"].as_str().unwrap_or("http.post");
    if !["http.post", "sys.sleep"].contains(&called) {
        complaints.push(format!("{name} calls {called}"));
    }
    complaints
}

/// Where a step says that it goes on.
fn leads(step: &Value) -> Vec<String> {
    let branches = step["switch"].as_array().into_iter().flatten();
    let named = branches.map(|branch| &branch["next"]).chain([&step["next"]]);
    named.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Whether the step `sought` follows from the first.
fn is_reached(steps: &[(&String, &Value)], sought: usize) -> bool {
    let (mut seen, mut left) = (BTreeSet::new(), vec![0]);
    while let Some(nth) = left.pop() {
        let Some((_, step)) = steps.get(nth).filter(|_| seen.insert(nth)) else { continue };
        let leads = leads(step);
        left.extend(leads.iter().filter_map(|next| steps.iter().position(|(s, _)| *s == next)));
        if step["return"].is_null() && step["next"].is_null() {
            left.push(nth + 1);
        }
    }
    seen.contains(&sought)
}

/// The variables of a workflow, and the library's retries.
fn known(source: &Value) -> Vec<&str> {
    let main = &source["main"];
    let mut known = vec!["http"];
    known.extend(main["params"].as_array().into_iter().flatten().filter_map(Value::as_str));
    for step in main["steps"].as_array().into_iter().flatten() {
        for step in step.as_object().into_iter().flatten().map(|(_, step)| step) {
            known.extend(step["try"]["result"].as_str());
            let assigned = step["assign"].as_array().into_iter().flatten();
            let assigned = assigned.filter_map(Value::as_object).flatten();
            known.extend(assigned.map(|(name, _)| name.as_str()));
        }
    }
    known
}

/// All texts in `value`.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(values) => values.iter().flat_map(texts).collect(),
        Value::Object(values) => values.values().flat_map(texts).collect(),
        _ => vec![],
    }
}
