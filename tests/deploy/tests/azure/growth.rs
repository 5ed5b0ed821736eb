use std::collections::BTreeMap;

use deploy::{Resource, Resources, Tools};
use skyfold::{Descriptor, Kind};

use crate::{ANSWERS, copy_of, made};

pub(crate) fn projection(tools: &Tools) {
    let mut manifest = order::app().manifest();
    let listed = manifest.of(Kind::Projection).next().cloned().unwrap();
    let (name, collection) = ("returns.2".to_owned(), Some("returns.2".to_owned()));
    manifest.functions.push(Descriptor { name, collection, ..listed });
    let grown = copy_of("grown", &manifest).with("is_public", "true");
    let grown = grown.apply_with(tools, ANSWERS).unwrap();
    let (before, after) = (by_address(made(tools)), by_address(&grown));
    let added = after.keys().filter(|address| !before.contains_key(*address));
    let added: Vec<_> = added.copied().collect();
    assert_eq!(added, ["azurerm_eventgrid_event_subscription.heard[\"returns.2\"]"]);
    for (address, resource) in before {
        let (mut old, mut new) = (resource.values.clone(), after[address].values.clone());
        if resource.kind == "azurerm_function_app_flex_consumption" {
            // The copies are in different folders.
            old["zip_deploy_file"].take();
            new["zip_deploy_file"].take();
            let settings = new["app_settings"].as_object_mut().unwrap();
            let is_off = settings.remove("AzureWebJobs.returns__2.Disabled").is_some();
            assert_eq!(is_off, resource.index != "consumers", "{address}");
        }
        assert_eq!(new, old, "{address}");
    }
}

fn by_address(made: &Resources) -> BTreeMap<&str, &Resource> {
    made.0.iter().map(|resource| (resource.address.as_str(), resource)).collect()
}
