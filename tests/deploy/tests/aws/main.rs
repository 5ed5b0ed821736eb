//! What `deploy/aws` makes: as the app's manifest and the adapter's layout ask, with no more rights
//! than each function needs, and refused where it is spoiled.

#![allow(clippy::unwrap_used, reason = "tests may")]

mod growth;
mod layout;
mod mistakes;
mod parts;
mod rights;

use std::process::ExitCode;
use std::sync::OnceLock;

use deploy::{Case, Copy, Resources, Tools};
use skyfold::Manifest;

fn main() -> ExitCode {
    deploy::run(&[
        Case { name: "it_is_laid_out_and_valid", run: it_is_valid },
        Case { name: "a_mistake_is_refused", run: mistakes::refused },
        Case { name: "a_variable_that_cannot_be_is_refused", run: mistakes::variables },
        Case { name: "the_tables_are_as_the_adapter_lays_them_out", run: layout::same },
        Case { name: "each_function_has_the_rights_of_its_kind_alone", run: rights::least },
        Case { name: "a_right_too_many_is_noticed", run: rights::noticed },
        Case { name: "every_function_is_deployed_as_its_trigger_asks", run: parts::functions },
        Case { name: "every_function_and_queue_has_its_alarms", run: parts::alarms },
        Case { name: "callers_bring_a_token_unless_it_is_public", run: parts::tokens },
        Case { name: "a_new_projection_adds_its_own_parts_alone", run: growth::projection },
    ])
}

fn it_is_valid(tools: &Tools) {
    let copy = copy("valid");
    copy.format(tools).unwrap();
    copy.validate(tools).unwrap();
}

/// A copy whose variables are set.
fn copy(case: &str) -> Copy {
    copy_of(case, &order::app().manifest())
}

/// The same for the app of `manifest`.
fn copy_of(case: &str, manifest: &Manifest) -> Copy {
    let copy = Copy::of("aws", env!("CARGO_TARGET_TMPDIR"), case);
    let manifest = copy.write("manifest.json", &serde_json::to_string(manifest).unwrap());
    let package = copy.write("app.zip", "a program");
    copy.with("manifest", &manifest).with("package", &package)
}

/// What is made for the order app.
fn made(tools: &Tools) -> &'static Resources {
    static MADE: OnceLock<Resources> = OnceLock::new();
    MADE.get_or_init(|| copy("made").with("is_public", "true").apply(tools).unwrap())
}
