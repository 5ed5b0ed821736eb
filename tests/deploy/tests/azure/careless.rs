use deploy::{Careless, Tools, assert_explained, assert_noticed};

use crate::copy;

pub(crate) fn explained(checkov: &Tools) {
    copy("explained").scan(checkov).unwrap();
    assert_explained("azure");
}

/// What is said of the storage of messages alone.
const CLOSED: &str = "  shared_access_key_enabled       = false\n";
const OPEN: &str = "  shared_access_key_enabled       = true\n";

const CARELESS: [Careless; 3] = [
    ("bus.tf", CLOSED, OPEN, "CKV2_AZURE_40"),
    (
        "apps.tf",
        "min_tls_version                 = \"TLS1_2\"",
        "min_tls_version                 = \"TLS1_0\"",
        "CKV_AZURE_44",
    ),
    (
        "databases.tf",
        "access_key_metadata_writes_enabled = false",
        "access_key_metadata_writes_enabled = true",
        "CKV_AZURE_132",
    ),
];

pub(crate) fn noticed(checkov: &Tools) {
    assert_noticed(&copy("careless"), &CARELESS, checkov);
}
