use deploy::{ADDED, Resource, Tools, grown};
use serde_json::Value;

use crate::{ANSWERS, copy_of, made};

pub(crate) fn projection(tools: &Tools) {
    let manifest = order::app().manifest();
    let again = copy_of("again", &manifest).with("is_public", "true");
    let again = again.apply_with(tools, ANSWERS).unwrap();
    let after = copy_of("grown", &grown(manifest)).with("is_public", "true");
    let after = after.apply_with(tools, ANSWERS).unwrap();
    let added = after.beside(made(tools), |resource, old, new| {
        leave_out_what_is_made_up(resource, again.at(&resource.address), [old, new]);
        if resource.kind == "azurerm_function_app_flex_consumption" {
            let settings = new["app_settings"].as_object_mut().unwrap();
            let is_off = settings.remove("AzureWebJobs.returns__2.Disabled").is_some();
            assert_eq!(is_off, resource.index != "consumers", "{}", resource.address);
        }
    });
    let added: Vec<_> = added.iter().map(|r| (r.kind.as_str(), r.index.as_str())).collect();
    assert_eq!(added, [("azurerm_eventgrid_event_subscription", ADDED)]);
}

/// Takes out of `values` what is another each time that the same is made, such as the key of an
/// account, or the folder of the copy.
fn leave_out_what_is_made_up(resource: &Resource, again: &Resource, values: [&mut Value; 2]) {
    let fields = resource.values.as_object().unwrap();
    let made_up = fields.iter().filter(|(name, value)| again.values[name.as_str()] != **value);
    let made_up: Vec<_> = made_up.map(|(name, _)| name.as_str()).collect();
    assert!(!made_up.contains(&"app_settings"), "{}", resource.address);
    for values in values {
        for name in &made_up {
            values[*name].take();
        }
    }
}
