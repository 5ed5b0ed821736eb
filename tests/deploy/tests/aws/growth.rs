use std::collections::BTreeMap;

use deploy::{Resource, Resources, Tools};
use skyfold::{Descriptor, Kind};

use crate::{copy_of, made};

pub(crate) fn projection(tools: &Tools) {
    let mut manifest = order::app().manifest();
    let listed = manifest.of(Kind::Projection).next().cloned().unwrap();
    let (name, collection) = ("returns.2".to_owned(), Some("returns.2".to_owned()));
    manifest.functions.push(Descriptor { name, collection, ..listed });
    let grown = copy_of("grown", &manifest).with("is_public", "true").apply(tools).unwrap();
    let (before, after) = (by_address(made(tools)), by_address(&grown));
    let added = after.iter().filter(|(address, _)| !before.contains_key(*address));
    let added: Vec<_> = added.map(|(_, resource)| *resource).collect();
    assert!(added.iter().all(|resource| resource.index == "returns.2"), "{added:#?}");
    for kind in ["aws_cloudwatch_event_rule", "aws_lambda_function", "aws_iam_role"] {
        assert_eq!(added.iter().filter(|resource| resource.kind == kind).count(), 1, "{kind}");
    }
    let queues = added.iter().filter(|resource| resource.kind == "aws_sqs_queue");
    assert_eq!(queues.count(), 2, "its own, and that of what it cannot handle");
    for (address, resource) in before {
        let (mut old, mut new) = (resource.values.clone(), after[address].values.clone());
        // Who answers questions, and who looks for what is missing, may read the new views.
        let kind = manifest.function(&resource.index).map(|function| function.kind);
        let reads = kind == Some(Kind::Query) || ["api", "sweep"].contains(&&*resource.index);
        if resource.kind == "aws_iam_role_policy" && reads {
            old["policy"].take();
            new["policy"].take();
        }
        // The copies are in different folders.
        old["filename"].take();
        new["filename"].take();
        assert_eq!(new, old, "{address}");
    }
}

fn by_address(made: &Resources) -> BTreeMap<&str, &Resource> {
    made.0.iter().map(|resource| (resource.address.as_str(), resource)).collect()
}
