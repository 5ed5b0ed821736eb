//! The document that describes the app, and the page that reads it.

use std::collections::BTreeSet;

use serde_json::Value;
use skyfold::Kind;

use crate::client::Bench;

async fn document(bench: &Bench) -> Value {
    let answer = bench.get("/openapi.json").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
    answer.json()
}

/// Calls `visit` with every object in `value`.
fn objects<'a>(value: &'a Value, visit: &mut impl FnMut(&'a serde_json::Map<String, Value>)) {
    match value {
        Value::Object(members) => {
            visit(members);
            members.values().for_each(|member| objects(member, visit));
        }
        Value::Array(items) => items.iter().for_each(|item| objects(item, visit)),
        _ => {}
    }
}

#[tokio::test]
async fn every_reference_leads_somewhere() {
    let document = document(&Bench::new()).await;
    let mut count = 0;
    objects(&document, &mut |members| {
        let Some(reference) = members.get("$ref").and_then(Value::as_str) else { return };
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
        assert!(!reference.contains("$defs"), "{reference}");
        count += 1;
    });
    assert!(count > 50, "only {count}");
    objects(&document, &mut |members| assert!(!members.contains_key("$defs")));
}

#[tokio::test]
async fn every_command_view_list_and_query_is_described() {
    let bench = Bench::new();
    let document = document(&bench).await;
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["info"]["title"], "bank");
    let paths: BTreeSet<_> = document["paths"].as_object().unwrap().keys().cloned().collect();
    let mut expected = BTreeSet::from(["/health".to_owned()]);
    for function in bench.runtime.manifest().functions {
        let name = &function.name;
        match function.kind {
            Kind::Command => {
                expected.insert(format!("/{name}/{{id}}"));
                let commands = function.commands.iter().filter(|c| !c.is_internal);
                expected.extend(commands.map(|c| format!("/{name}/{{id}}/{}", c.path)));
            }
            Kind::Projection => {
                expected.extend([format!("/{name}"), format!("/{name}/{{key}}")]);
            }
            Kind::Query => {
                expected.insert(format!("/{name}"));
            }
            _ => {}
        }
    }
    assert_eq!(paths, expected);
    assert!(paths.contains("/account/{id}/write-off") && paths.len() == 14, "{paths:?}");
}

#[tokio::test]
async fn operations_have_ids_of_their_own_and_name_what_their_paths_hold() {
    let document = document(&Bench::new()).await;
    let mut ids = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            assert!(ids.insert(operation["operationId"].as_str().unwrap()), "{path} {method}");
            assert!(!operation["summary"].as_str().unwrap().is_empty(), "{path} {method}");
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let named: BTreeSet<_> = parameters
                .map(|parameter| match parameter["$ref"].as_str() {
                    Some(reference) => document.pointer(&reference[1..]).unwrap(),
                    None => parameter,
                })
                .filter(|parameter| parameter["in"] == "path")
                .map(|parameter| format!("{{{}}}", parameter["name"].as_str().unwrap()))
                .collect();
            let held: BTreeSet<_> =
                path.split('/').filter(|s| s.starts_with('{')).map(str::to_owned).collect();
            assert_eq!(named, held, "{path} {method}");
        }
    }
}

#[tokio::test]
async fn a_command_is_described_as_the_domain_describes_it() {
    let document = document(&Bench::new()).await;
    let open = &document["paths"]["/account/{id}/open"]["post"];
    assert_eq!(open["summary"], "Opens an account.");
    assert_eq!(open["description"], "An account is opened once.");
    let body = &open["requestBody"]["content"]["application/json"]["schema"]["$ref"];
    assert_eq!(body, "#/components/schemas/account.Open");
    let schema = &document["components"]["schemas"]["account.Open"];
    assert_eq!(schema["required"], serde_json::json!(["owner"]));
    let close = &document["paths"]["/account/{id}/close"]["post"];
    assert!(close.get("requestBody").is_none(), "{close}");
    let receipt = &open["responses"]["200"]["content"]["application/json"]["schema"];
    assert_eq!(receipt["$ref"], "#/components/schemas/Receipt");
    assert_eq!(document["components"]["schemas"]["Outcome"]["type"], "string", "shared by name");
    assert!(document["components"]["schemas"].get("failing.params.Outcome").is_none());
}

#[tokio::test]
async fn a_query_is_described_by_its_parameters() {
    let document = document(&Bench::new()).await;
    let operation = &document["paths"]["/accounts-of"]["get"];
    let parameters = operation["parameters"].as_array().unwrap();
    let owner = parameters.iter().find(|parameter| parameter["name"] == "owner").unwrap();
    assert_eq!((&owner["required"], &owner["description"]), (&true.into(), &"The owner.".into()));
    let limit = parameters.iter().find(|parameter| parameter["name"] == "limit").unwrap();
    assert_eq!(limit["required"], false);
    let after = serde_json::json!({ "$ref": "#/components/parameters/after" });
    assert!(parameters.contains(&after));
}

#[tokio::test]
async fn the_page_loads_nothing_from_elsewhere() {
    let page = Bench::new().get("/").await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    for part in ["http://", "https://", "src=", "@import", " url("] {
        assert!(!page.body.contains(part), "{part}");
    }
    assert!(page.header("content-security-policy").starts_with("default-src 'none'"));
    assert!(!page.body.contains("innerHTML"), "what the app says is text, not markup");
}
