//! The order app on an emulated AWS, without containers: its program as the project packs it, as
//! functions of Lambda behind an HTTP API.

#![allow(clippy::unwrap_used, reason = "these are tests")]

#[path = "../common/mod.rs"]
mod common;
mod gate;
mod installation;
mod invoices;
mod killed;
mod machines;
mod making;
#[path = "../common/package.rs"]
mod package;
mod poison;
mod starts;

use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use deploy::{Need, Tools};
use emulators::Ministack;
use libtest_mimic::{Arguments, Failed, Trial};

use crate::installation::Installation;
use crate::package::Package;

/// The app as it is packed, once.
fn package() -> &'static Package {
    static PACKAGE: OnceLock<Package> = OnceLock::new();
    PACKAGE.get_or_init(|| Package::of("aws"))
}

/// A case, given what all of them share.
type Case = fn(&Installation) -> Result<(), Failed>;

/// Those that need the whole of it.
const CASES: [(&str, Case); 6] = [
    (
        "a_function_killed_between_append_and_announcement_loses_nothing",
        killed::a_function_killed_between_append_and_announcement_loses_nothing,
    ),
    ("invoices_read_back_through_the_query_function_equal_those_in_memory", invoices::same),
    ("a_poison_event_becomes_a_dead_letter_and_is_redriven", poison::redriven),
    ("a_command_to_a_function_itself_is_answered_with_its_receipt", poison::direct),
    ("an_execution_ends_when_its_transaction_does_whoever_is_killed", machines::ends),
    ("an_execution_without_a_transaction_fails_and_says_so", machines::fails),
];

fn main() -> ExitCode {
    let found = Ministack::find().map_err(|missing| missing.to_string());
    let found = found.and_then(|program| Ok((program, Tools::find(Need::Terraform)?)));
    if let Err(missing) = &found {
        eprintln!("ignored: {missing}");
    }
    let is_ignored = found.is_err() && !emulators::is_required();
    let shared: Arc<OnceLock<Installation>> = Arc::default();
    let case = |(name, case): &(&'static str, Case)| {
        let (case, found, shared) = (*case, found.clone(), shared.clone());
        let run = move || {
            let (ministack, tools) = found?;
            case(shared.get_or_init(|| Installation::new(&ministack, &tools)))
        };
        Trial::test(*name, run).with_ignored_flag(is_ignored)
    };
    let mut trials: Vec<_> = CASES.iter().map(case).collect();
    // They need the program alone, but that takes its time to build.
    let start = |name, case: fn() -> Result<(), Failed>| {
        Trial::test(name, case).with_ignored_flag(is_ignored)
    };
    trials.extend([
        start("a_function_asks_for_work_soon_after_its_start", starts::soon),
        start("a_function_that_cannot_run_says_what_is_missing", starts::says_what_is_missing),
    ]);
    let mut arguments = Arguments::from_args();
    // With more, `poison::direct` may call a function just when `killed` has it killed.
    arguments.test_threads = arguments.test_threads.or(Some(2));
    let conclusion = libtest_mimic::run(&arguments, trials);
    // What is shared ends here, with its processes.
    drop(Arc::into_inner(shared));
    conclusion.exit_code()
}
