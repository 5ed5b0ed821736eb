use std::collections::BTreeSet;

use deploy::Tools;
use serde_json::{Value, json};
use skyfold_azure::containers;

use crate::made;

pub(crate) fn same(tools: &Tools) {
    let wanted = [
        ("events", containers::events("events")),
        ("documents", containers::documents("documents")),
        ("keys", containers::keys("keys")),
    ];
    for (name, wanted) in wanted {
        let address = format!("azurerm_cosmosdb_sql_container.this[\"{name}\"]");
        let made = &made(tools).at(&address).values;
        let key = &wanted["partitionKey"];
        assert_eq!(made["name"], wanted["id"]);
        assert_eq!(made["partition_key_paths"], key["paths"], "{name}");
        assert_eq!(made["partition_key_kind"], key["kind"], "{name}");
        assert_eq!(made["partition_key_version"], key["version"], "{name}");
        // What Terraform does not say stays as it is: it never expires.
        let ttl = wanted.get("defaultTtl").cloned().unwrap_or(json!(null));
        assert_eq!(made["default_ttl"], ttl, "{name}");
        let (policy, asked) = (&made["indexing_policy"][0], &wanted["indexingPolicy"]);
        assert_eq!(policy["indexing_mode"], asked["indexingMode"], "{name}");
        for (block, paths) in
            [("included_path", "includedPaths"), ("excluded_path", "excludedPaths")]
        {
            assert_eq!(of(&policy[block]), of(&asked[paths]), "{name}: {block}");
        }
    }
    let leases = &made(tools).at("azurerm_cosmosdb_sql_container.this[\"leases\"]").values;
    assert_eq!(leases["partition_key_paths"], json!(["/id"]));
    assert_eq!(leases["default_ttl"], -1, "what locks it expires");
}

fn of(paths: &Value) -> BTreeSet<&str> {
    let paths = paths.as_array().into_iter().flatten();
    paths.filter_map(|path| path["path"].as_str()).collect()
}
