//! What earlier releases recorded is read by this one.

#![allow(clippy::unwrap_used, reason = "what is missing in a test fails it")]

use skyfold_schemas::{Folder, check};

fn folder() -> Folder {
    Folder::new(concat!(env!("CARGO_MANIFEST_DIR"), "/schemas"))
}

#[test]
fn events_and_states_have_the_form_that_is_locked() {
    let report = check(&order::app(), &folder()).unwrap();
    assert!(report.is_clean(), "\n{report}");
    assert_eq!(report.notes, Vec::<String>::new(), "every state has a history");
}
