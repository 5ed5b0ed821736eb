//! What `deploy/azure` makes: as the app's manifest and the adapter's containers ask, with no more
//! rights than each function app needs, and refused where it is spoiled.

#![allow(clippy::unwrap_used, reason = "tests may")]

mod bindings;
mod careless;
mod containers;
mod growth;
mod mistakes;
mod parts;
mod published;
mod rights;

use std::process::ExitCode;
use std::sync::OnceLock;

use deploy::{Case, Copy, Need, Resources, Tools};
use serde_json::Value;
use skyfold::Manifest;

/// What Azure would make up. The provider looks at the form of ids.
const ANSWERS: &str = include_str!("answers.hcl");

/// The function apps.
const APPS: [&str; 4] = ["asked", "commands", "consumers", "relay"];

fn main() -> ExitCode {
    let terraform = |name, run| Case { name, needs: Need::Terraform, run };
    let checkov = |name, run| Case { name, needs: Need::Checkov, run };
    deploy::run(&[
        terraform("it_is_laid_out_and_valid", it_is_valid),
        terraform("a_mistake_is_refused", mistakes::refused),
        terraform("a_variable_that_cannot_be_is_refused", mistakes::variables),
        terraform("the_containers_are_as_the_adapter_lays_them_out", containers::same),
        terraform("each_function_app_has_the_rights_of_its_kinds_alone", rights::least),
        terraform("a_right_too_many_is_noticed", rights::noticed),
        terraform("every_function_runs_in_one_app_and_is_off_in_the_others", parts::functions),
        terraform("every_consumer_hears_its_categories", parts::heard),
        terraform("callers_bring_a_token_unless_it_is_public", parts::tokens),
        terraform("what_the_bindings_of_the_package_name_is_there", bindings::set),
        terraform("what_the_bindings_of_the_package_miss_is_noticed", bindings::missed),
        terraform("every_function_app_is_given_the_package", published::everywhere),
        terraform("a_package_that_is_refused_for_good_is_told", published::refused),
        terraform("accounts_are_paid_by_request_or_scale_by_themselves", parts::throughput),
        terraform("queues_dead_letters_and_the_relay_have_their_alerts", parts::alerts),
        terraform("a_new_projection_adds_its_own_parts_alone", growth::projection),
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
    let copy = Copy::of("azure", "azurerm", env!("CARGO_TARGET_TMPDIR"), case);
    let manifest = copy.write("manifest.json", &serde_json::to_string(manifest).unwrap());
    let package = copy.write("app.zip", "a program");
    // Whatever the machine has, nothing is asked of Azure.
    copy.with_program("az", "")
        .with("manifest", &manifest)
        .with("package", &package)
        .with("subscription", "11111111-2222-3333-4444-555555555555")
        .with("region", "westeurope")
}

/// What is made for the order app.
fn made(tools: &Tools) -> &'static Resources {
    static MADE: OnceLock<Resources> = OnceLock::new();
    MADE.get_or_init(|| copy("made").with("is_public", "true").apply_with(tools, ANSWERS).unwrap())
}

/// The function app `name` of what is `made`.
fn app<'a>(made: &'a Resources, name: &str) -> &'a Value {
    &made.at(&format!("azurerm_function_app_flex_consumption.this[\"{name}\"]")).values
}
