use std::collections::BTreeMap;

use serde_json::Value;
use skyfold::{Descriptor, Kind, Manifest};

use crate::{Resource, Resources};

/// The projection that [`grown`] adds.
pub const ADDED: &str = "returns.2";

/// `manifest` with one more projection, which hears what its first one hears.
///
/// # Panics
///
/// If it has none.
///
/// ```
/// let manifest = order::app().manifest();
/// assert!(deploy::grown(manifest).function(deploy::ADDED).is_some());
/// ```
pub fn grown(mut manifest: Manifest) -> Manifest {
    let listed = manifest.of(Kind::Projection).next().cloned().expect("there is a projection");
    let added = Descriptor { name: ADDED.into(), collection: Some(ADDED.into()), ..listed };
    manifest.functions.push(added);
    manifest
}

impl Resources {
    /// What there is beside all that there was `before`, which is as it was, but for what `follow`
    /// takes out of the values before and now.
    ///
    /// # Panics
    ///
    /// If anything is gone, or is another than it was.
    pub fn beside(
        &self,
        before: &Self,
        follow: impl Fn(&Resource, &mut Value, &mut Value),
    ) -> Vec<&Resource> {
        let (before, after) = (before.by_address(), self.by_address());
        for (address, resource) in &before {
            let now = after.get(address).unwrap_or_else(|| panic!("{address} is gone"));
            let (mut old, mut new) = (resource.values.clone(), now.values.clone());
            follow(resource, &mut old, &mut new);
            assert_eq!(new, old, "{address}");
        }
        let added = after.into_iter().filter(|(address, _)| !before.contains_key(address));
        added.map(|(_, resource)| resource).collect()
    }

    fn by_address(&self) -> BTreeMap<&str, &Resource> {
        self.0.iter().map(|resource| (resource.address.as_str(), resource)).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use serde_json::json;

    use super::*;

    fn made(resources: &[(&str, Value)]) -> Resources {
        let made = resources.iter().map(|(address, values)| Resource {
            address: (*address).to_owned(),
            kind: "queue".to_owned(),
            name: (*address).to_owned(),
            index: String::new(),
            values: values.clone(),
        });
        Resources(made.collect())
    }

    #[test]
    fn what_is_added_is_told_and_what_is_gone_or_another_is_no_growth() {
        let before = made(&[("a", json!({ "days": 1, "file": "x" }))]);
        let after = made(&[("a", json!({ "days": 1, "file": "y" })), ("b", json!({}))]);
        let follow = |_: &Resource, old: &mut Value, new: &mut Value| {
            old["file"].take();
            new["file"].take();
        };
        let added = after.beside(&before, follow);
        assert_eq!(added.iter().map(|added| &added.address).collect::<Vec<_>>(), ["b"]);
        for wrong in [made(&[("b", json!({}))]), made(&[("a", json!({ "days": 2 }))])] {
            let tried = catch_unwind(AssertUnwindSafe(|| wrong.beside(&before, follow).len()));
            assert!(tried.is_err(), "{wrong:?}");
        }
    }
}
