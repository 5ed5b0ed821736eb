use std::collections::BTreeMap;

use deploy::{Resource, Resources, Tools};
use skyfold::{Descriptor, Kind};

use crate::copy_of;

pub(crate) fn projection(tools: &Tools) {
    let mut manifest = order::app().manifest();
    let before = copy_of("small", &manifest).with("is_public", "true").apply(tools).unwrap();
    let listed = manifest.of(Kind::Projection).next().cloned().unwrap();
    let (name, collection) = ("returns.2".to_owned(), Some("returns.2".to_owned()));
    manifest.functions.push(Descriptor { name, collection, ..listed });
    let after = copy_of("grown", &manifest).with("is_public", "true").apply(tools).unwrap();
    let (before, after) = (by_address(&before), by_address(&after));
    let added = after.iter().filter(|(address, _)| !before.contains_key(*address));
    let added: Vec<_> = added.map(|(_, resource)| *resource).collect();
    assert!(added.iter().all(|r| r.index.split('/').next() == Some("returns.2")), "{added:#?}");
    for kind in ["google_cloud_run_v2_service", "google_service_account", "google_pubsub_topic"] {
        assert_eq!(added.iter().filter(|resource| resource.kind == kind).count(), 1, "{kind}");
    }
    let subscriptions = added.iter().filter(|r| r.kind == "google_pubsub_subscription");
    assert_eq!(subscriptions.count(), 2, "its own, and that of what it cannot handle");
    for (address, resource) in before {
        let (mut old, mut new) = (resource.values.clone(), after[address].values.clone());
        // An alert names what it looks at.
        if resource.kind == "google_monitoring_alert_policy" {
            old["conditions"].take();
            new["conditions"].take();
        }
        assert_eq!(new, old, "{address}");
    }
}

fn by_address(made: &Resources) -> BTreeMap<&str, &Resource> {
    made.0.iter().map(|resource| (resource.address.as_str(), resource)).collect()
}
