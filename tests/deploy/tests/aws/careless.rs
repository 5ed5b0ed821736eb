use deploy::{Careless, Tools, assert_explained, assert_noticed};

use crate::copy;

pub(crate) fn explained(checkov: &Tools) {
    copy("explained").scan(checkov).unwrap();
    assert_explained("aws");
}

const CARELESS: [Careless; 2] = [
    // Of the queues of what could not be handled.
    (
        "bus.tf",
        "  sqs_managed_sse_enabled   = true",
        "  sqs_managed_sse_enabled   = false",
        "CKV_AWS_27",
    ),
    ("tables.tf", "enable_key_rotation     = true", "enable_key_rotation     = false", "CKV_AWS_7"),
];

pub(crate) fn noticed(checkov: &Tools) {
    assert_noticed(&copy("careless"), &CARELESS, checkov);
}
