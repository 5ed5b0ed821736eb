//! What may depend on what, and where things are.

use std::collections::BTreeSet;
use std::fs;

use tidy::{dependencies, root, sources};

/// What a cloud is called, as a word of a domain's source would be.
const CLOUD_WORDS: [&str; 24] = [
    "aws",
    "azure",
    "gcp",
    "google",
    "amazon",
    "microsoft",
    "lambda",
    "dynamodb",
    "dynamo",
    "sqs",
    "sns",
    "eventbridge",
    "cosmos",
    "cosmosdb",
    "eventgrid",
    "firestore",
    "pubsub",
    "cloudrun",
    "cloudtasks",
    "kinesis",
    "s3",
    "skyfold_memory",
    "skyfold_aws",
    "skyfold_http",
];

#[test]
fn the_top_level_is_as_the_design_fixes_it() {
    let allowed: BTreeSet<_> = [
        ".ci",
        ".git",
        ".gitignore",
        ".cargo",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "Cargo.lock",
        "Cargo.toml",
        "GUARANTEES.md",
        "LICENSE",
        "README.md",
        "adapters",
        "apps",
        "clippy.toml",
        "core",
        "deploy",
        "docs",
        "rustfmt.toml",
        "target",
        "tests",
        "mutants.out",
        "mutants.out.old",
    ]
    .into();
    for entry in fs::read_dir(root()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(allowed.contains(name.as_str()), "{name} has no place at the top level");
    }
}

#[test]
fn core_knows_no_runtime_no_http_client_and_no_cloud() {
    let packages = dependencies("skyfold");
    assert!(packages.iter().any(|package| package == "serde"), "cargo names them: {packages:?}");
    for package in packages {
        let is_foreign =
            ["tokio", "async-std", "smol", "hyper", "reqwest", "ureq", "axum", "tonic"]
                .contains(&package.as_str())
                || ["aws-", "azure_", "google-"].iter().any(|cloud| package.starts_with(cloud));
        assert!(!is_foreign, "core depends on {package}");
    }
}

#[test]
fn adapters_depend_on_core_and_the_shared_ones_and_never_on_each_other() {
    let shared = ["skyfold-http", "skyfold-schemas"];
    let adapters = fs::read_dir(root().join("adapters")).unwrap();
    let mut count = 0;
    for adapter in adapters {
        let name = format!("skyfold-{}", adapter.unwrap().file_name().to_string_lossy());
        for package in dependencies(&name) {
            let is_adapter = package.starts_with("skyfold-") && !shared.contains(&&*package);
            assert!(!is_adapter || package == name, "{name} depends on {package}");
        }
        count += 1;
    }
    assert!(count >= 3, "the adapters are there");
}

#[test]
fn the_order_domain_names_no_cloud() {
    let domain = sources("apps/order/src");
    let domain = domain.iter().filter(|source| !source.path.starts_with("apps/order/src/bin"));
    for source in domain {
        for (nth, line) in source.text.lines().enumerate() {
            let line = line.to_lowercase();
            let words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
            let named = words.filter(|word| CLOUD_WORDS.contains(word)).collect::<Vec<_>>();
            assert!(named.is_empty(), "{}:{} names {named:?}", source.path.display(), nth + 1);
        }
    }
}

#[test]
fn no_port_method_has_a_default_body() {
    for source in sources("core/src/ports") {
        let mut in_trait = false;
        for line in source.shipped().lines() {
            in_trait = (in_trait || line.starts_with("pub trait ")) && line != "}";
            let is_body = in_trait && line.starts_with("    }");
            assert!(!is_body, "a method of {} has a body", source.path.display());
            let is_inline = in_trait && line.contains("fn ") && line.ends_with('}');
            assert!(!is_inline, "a method of {} has a body: {line}", source.path.display());
        }
    }
}

#[test]
fn only_core_retries() {
    for folder in ["core/src", "adapters", "apps"] {
        for source in sources(folder) {
            let path = source.path.to_string_lossy().into_owned();
            // A query that waits for its view is no retry: it asks what has not failed.
            let may = ["core/src/layers/retry.rs", "core/src/functions/query.rs"];
            let backs_off = source.shipped().contains("backon");
            assert!(!backs_off || may.contains(&path.as_str()), "{path} retries");
        }
    }
}

#[test]
fn the_order_domain_is_as_short_as_it_promises() {
    let at_most = |path: &str, limit: usize| {
        let found = sources("apps/order/src");
        let found = found.iter().filter(|source| source.path.starts_with(path));
        let mut count = 0;
        for source in found {
            let lines = source.shipped().lines().count();
            assert!(lines <= limit, "{} has {lines} lines, of {limit}", source.path.display());
            count += 1;
        }
        assert!(count > 0, "{path} is missing");
    };
    at_most("apps/order/src/order.rs", 120);
    at_most("apps/order/src/stock.rs", 120);
    at_most("apps/order/src/payment.rs", 120);
    at_most("apps/order/src/fulfilment.rs", 80);
    assert!(!root().join("apps/order/src/fulfilment").exists(), "the saga is one file");
    for source in sources("apps/order/src/projections") {
        if source.text.contains("impl Projection for") {
            at_most(source.path.to_str().unwrap(), 40);
        }
    }
}

#[test]
fn the_data_of_an_event_is_read_in_one_place() {
    // The codec brings an event up to date; a subscription, a fold and the testing kit ask it to.
    let ways = [
        (".upcast(event_type,", &["core/src/codec.rs"][..]),
        ("codec::decode", &["core/src/functions/command.rs", "core/src/testing/decider.rs"]),
        ("codec::read", &["core/src/functions/command.rs", "core/src/subscription.rs"]),
        // The record that a saga keeps is core's own, and holds what was heard undecoded.
        (".data.decode", &["core/src/functions/record.rs"]),
        (".data.get()", &["core/src/codec.rs"]),
    ];
    let core = sources("core/src");
    for (way, may) in ways {
        let mut count = 0;
        for source in core.iter().filter(|source| source.shipped().contains(way)) {
            let path = source.path.to_string_lossy();
            assert!(may.contains(&&*path), "{path} reads an event by {way}: use the codec");
            count += 1;
        }
        assert!(count > 0, "{way} is looked for in vain");
    }
}
