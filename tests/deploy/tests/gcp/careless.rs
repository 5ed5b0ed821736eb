use deploy::{Careless, Tools, assert_explained, assert_noticed};

use crate::copy;

pub(crate) fn explained(checkov: &Tools) {
    copy("explained").scan(checkov).unwrap();
    assert_explained("gcp");
}

const REASON: &str = "#checkov:skip=CKV_GCP_83:Personal data are sealed before they reach the \
                      topic; the service encrypts the rest with keys of its own.\n\n  \
                      for_each = local.pushed";

const CARELESS: [Careless; 1] = [("bus.tf", REASON, "for_each = local.pushed", "CKV_GCP_83")];

pub(crate) fn noticed(checkov: &Tools) {
    assert_noticed(&copy("careless"), &CARELESS, checkov);
}
