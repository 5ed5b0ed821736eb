use std::collections::{BTreeMap, BTreeSet};

use deploy::{Resource, Resources, Tools};
use serde_json::{Value, json};
use skyfold::Kind;

use crate::{copy, made};

/// What there is for each saga if state machines are asked for: the kinds and names of it.
const OWN: [(&str, &str); 8] = [
    ("aws_cloudwatch_event_rule", "begun"),
    ("aws_cloudwatch_event_target", "begun"),
    ("aws_cloudwatch_metric_alarm", "unseen"),
    ("aws_iam_role", "begun"),
    ("aws_iam_role", "machine"),
    ("aws_iam_role_policy", "begun"),
    ("aws_iam_role_policy", "machine"),
    ("aws_sfn_state_machine", "saga"),
];

fn json_of(resource: &Resource, name: &str) -> Value {
    serde_json::from_str(resource.values[name].as_str().unwrap()).unwrap()
}

fn by_address(made: &Resources) -> BTreeMap<&str, &Resource> {
    made.0.iter().map(|resource| (resource.address.as_str(), resource)).collect()
}

pub(crate) fn added(tools: &Tools) {
    let asked = copy("machines").with("is_public", "true").with("state_machines", "true");
    let asked = asked.apply(tools).unwrap();
    let (without, with) = (by_address(made(tools)), by_address(&asked));
    let sagas: Vec<_> =
        order::app().manifest().of(Kind::Saga).map(|saga| saga.name.clone()).collect();
    let own = |saga: &String| OWN.map(|(kind, name)| format!("{kind}.{name}[\"{saga}\"]"));
    let wanted: BTreeSet<_> = sagas.iter().flat_map(own).collect();
    let is_new = |address: &&&str| !without.contains_key(**address);
    let found: BTreeSet<_> = with.keys().filter(is_new).map(ToString::to_string).collect();
    assert_eq!(found, wanted);
    for (address, resource) in without {
        let (mut old, mut new) = (resource.values.clone(), with[address].values.clone());
        // The copies are in different folders.
        old["filename"].take();
        new["filename"].take();
        if address == "aws_lambda_function.this[\"relay\"]" {
            let told = new["environment"][0]["variables"].as_object_mut().unwrap();
            assert_eq!(told.remove("SKYFOLD_STATE_MACHINES"), Some(json!("true")));
        }
        assert_eq!(new, old, "{address}");
    }
}

pub(crate) fn watch(tools: &Tools) {
    let made = copy("watch").with("is_public", "true").with("state_machines", "true");
    let made = made.apply_apart(tools).unwrap();
    for saga in order::app().manifest().of(Kind::Saga) {
        let name = &saga.name;
        let at = |kind: &str, of: &str| made.at(&format!("{kind}.{of}[\"{name}\"]"));
        let machine = at("aws_sfn_state_machine", "saga");
        let alias = &at("aws_lambda_alias", "live").values["arn"];
        let definition = json_of(machine, "definition");
        assert!(is_whole(&definition), "{definition:#}");
        assert_eq!(definition["States"]["Look"]["Parameters"]["FunctionName"], *alias);

        let pattern = json_of(at("aws_cloudwatch_event_rule", "begun"), "event_pattern");
        let subject = json!([{ "prefix": format!("saga.{name}-") }]);
        assert_eq!(pattern, json!({ "source": ["order"], "detail": { "subject": subject } }));
        let target = &at("aws_cloudwatch_event_target", "begun").values;
        assert_eq!(target["arn"], machine.values["arn"]);
        assert_eq!(target["role_arn"], at("aws_iam_role", "begun").values["arn"]);
        assert_eq!(machine.values["role_arn"], at("aws_iam_role", "machine").values["arn"]);

        let rights = |of: &str| {
            let policy = json_of(at("aws_iam_role_policy", of), "policy");
            let statements = policy["Statement"].as_array().unwrap().clone();
            let right = |says: &Value| (says["Action"].clone(), says["Resource"].clone());
            statements.iter().map(right).collect::<Vec<_>>()
        };
        let start = (json!(["states:StartExecution"]), json!([machine.values["arn"]]));
        assert_eq!(rights("begun"), [start]);
        let [look, trace] = <[_; 2]>::try_from(rights("machine")).unwrap();
        assert_eq!(look, (json!(["lambda:InvokeFunction"]), json!([alias])));
        let traces = trace.0.as_array().unwrap();
        assert!(traces.iter().all(|action| action.as_str().unwrap().starts_with("xray:")));
    }
}

/// Whether a state machine begins at a state, reaches all others, and can end from each of them.
fn is_whole(definition: &Value) -> bool {
    let states = definition["States"].as_object().unwrap();
    let next = |state: &Value| -> Vec<String> {
        let branches = [&state["Choices"], &state["Catch"]];
        let branches = branches.into_iter().filter_map(Value::as_array).flatten();
        let named =
            branches.map(|branch| &branch["Next"]).chain([&state["Next"], &state["Default"]]);
        named.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let reached = |from: &str| {
        let (mut seen, mut left) = (BTreeSet::new(), vec![from.to_owned()]);
        while let Some(name) = left.pop() {
            if seen.insert(name.clone()) {
                left.extend(next(&states[&name]));
            }
        }
        seen
    };
    let ends = |name: &String| ["Succeed", "Fail"].iter().any(|end| states[name]["Type"] == *end);
    let all: BTreeSet<_> = states.keys().cloned().collect();
    reached(definition["StartAt"].as_str().unwrap()) == all
        && all.iter().all(|name| reached(name).iter().any(ends))
        && all.iter().all(|name| ends(name) == next(&states[name]).is_empty())
}
