use deploy::{ADDED, Tools, grown};

use crate::copy_of;

pub(crate) fn projection(tools: &Tools) {
    let manifest = order::app().manifest();
    let before = copy_of("small", &manifest).with("is_public", "true").apply(tools).unwrap();
    let after = copy_of("grown", &grown(manifest)).with("is_public", "true").apply(tools).unwrap();
    let added = after.beside(&before, |resource, old, new| {
        // An alert names what it looks at.
        if resource.kind == "google_monitoring_alert_policy" {
            old["conditions"].take();
            new["conditions"].take();
        }
    });
    assert!(added.iter().all(|r| r.index.split('/').next() == Some(ADDED)), "{added:#?}");
    for kind in ["google_cloud_run_v2_service", "google_service_account", "google_pubsub_topic"] {
        assert_eq!(added.iter().filter(|resource| resource.kind == kind).count(), 1, "{kind}");
    }
    let subscriptions = added.iter().filter(|r| r.kind == "google_pubsub_subscription");
    assert_eq!(subscriptions.count(), 2, "its own, and that of what it cannot handle");
}
