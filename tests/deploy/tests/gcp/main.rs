//! What `deploy/gcp` makes: as the app's manifest and the adapter's indexes ask, with no more
//! rights than each function needs, and refused where it is spoiled.

#![allow(clippy::unwrap_used, reason = "tests may")]

mod careless;
mod growth;
mod indexes;
mod mistakes;
mod parts;
mod rights;
mod workflows;

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
        terraform("every_field_has_the_index_that_the_adapter_asks_of", indexes::same),
        terraform("each_function_has_the_rights_of_its_kind_alone", rights::least),
        terraform("a_right_too_many_is_noticed", rights::noticed),
        terraform("each_service_lets_in_those_alone_that_deliver_to_it", rights::deliverers),
        terraform("every_function_is_deployed_as_its_trigger_asks", parts::functions),
        terraform("whoever_may_call_is_said_for_each_function_that_is_asked", parts::callers),
        terraform("every_function_and_subscription_is_looked_at_by_an_alert", parts::alerts),
        terraform("a_new_projection_adds_its_own_parts_alone", growth::projection),
        terraform("workflows_are_added_and_nothing_is_gone", workflows::added),
        terraform("a_workflow_is_whole_and_watches_its_own_saga", workflows::watch),
        terraform("a_spoiled_workflow_is_noticed", workflows::spoiled),
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
    let copy = Copy::of("gcp", "google", env!("CARGO_TARGET_TMPDIR"), case);
    let manifest = copy.write("manifest.json", &serde_json::to_string(manifest).unwrap());
    copy.with("manifest", &manifest)
        .with("image", "europe-west3-docker.pkg.dev/p/app/order:1")
        .with("project", "p")
        .with("region", "europe-west3")
}

/// What is made for the order app, each thing with an id of its own.
fn made(tools: &Tools) -> &'static Resources {
    static MADE: OnceLock<Resources> = OnceLock::new();
    MADE.get_or_init(|| copy("made").with("is_public", "true").apply_apart(tools).unwrap())
}
