//! What `deploy/aws` makes: as the app's manifest and the adapter's layout ask, with no more rights
//! than each function needs, and refused where it is spoiled.

#![allow(clippy::unwrap_used, reason = "tests may")]

mod careless;
mod enough;
mod growth;
mod layout;
mod machines;
mod mistakes;
mod parts;
mod rights;

use std::process::ExitCode;
use std::sync::OnceLock;

use deploy::{Case, Copy, Need, Resources, Tools};
use skyfold::Manifest;

fn main() -> ExitCode {
    let terraform = |name, run| Case { name, needs: Need::Terraform, run };
    let checkov = |name, run| Case { name, needs: Need::Checkov, run };
    deploy::run(&[
        terraform("it_is_laid_out_and_valid", it_is_valid),
        terraform("a_mistake_is_refused", mistakes::refused),
        terraform("a_variable_that_cannot_be_is_refused", mistakes::variables),
        terraform("the_tables_are_as_the_adapter_lays_them_out", layout::same),
        terraform("each_function_has_the_rights_of_its_kind_alone", rights::least),
        terraform("a_right_too_many_is_noticed", rights::noticed),
        terraform("each_function_has_the_rights_that_it_needs", enough::rights),
        terraform("a_right_that_is_withheld_is_missed", enough::missed),
        terraform("every_function_is_deployed_as_its_trigger_asks", parts::functions),
        terraform("every_function_and_queue_has_its_alarms", parts::alarms),
        terraform("callers_bring_a_token_unless_it_is_public", parts::tokens),
        terraform("a_new_projection_adds_its_own_parts_alone", growth::projection),
        terraform("state_machines_are_added_where_asked_for_and_nothing_else", machines::added),
        terraform("a_state_machine_watches_each_saga_and_may_do_no_more", machines::watch),
        checkov("nothing_careless_is_unexplained", careless::explained),
        checkov("what_is_careless_is_noticed", careless::noticed),
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
    let copy = Copy::of("aws", "aws", env!("CARGO_TARGET_TMPDIR"), case);
    let manifest = copy.write("manifest.json", &serde_json::to_string(manifest).unwrap());
    let package = copy.write("app.zip", "a program");
    copy.with("manifest", &manifest).with("package", &package)
}

/// What is made for the order app.
fn made(tools: &Tools) -> &'static Resources {
    static MADE: OnceLock<Resources> = OnceLock::new();
    MADE.get_or_init(|| copy("made").with("is_public", "true").apply(tools).unwrap())
}
