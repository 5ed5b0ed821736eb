use std::process::ExitCode;

use conformance::{AsyncCase, run_async_cases};
use emulators::{Cosmos, Missing};

/// What is missing to run on the emulator, told to everybody. It is built the first time, which
/// takes minutes.
pub fn missing() -> Option<Missing> {
    let missing = Cosmos::find().err()?;
    eprintln!("{}: {missing}", if emulators::is_required() { "failed" } else { "ignored" });
    Some(missing)
}

/// Runs `cases`, each in a runtime of its own; without what they need, and unless that is a
/// failure here, they are ignored.
pub fn run(cases: &[AsyncCase]) -> ExitCode {
    let is_ignored = missing().is_some() && !emulators::is_required();
    run_async_cases(cases, is_ignored)
}

/// The same with cases that need something else as well, which may be `missing`.
pub fn run_with(cases: &[AsyncCase], missing: Option<Missing>) -> ExitCode {
    match missing {
        None => run(cases),
        Some(missing) => {
            eprintln!("{}: {missing}", if emulators::is_required() { "failed" } else { "ignored" });
            run_async_cases(cases, !emulators::is_required())
        }
    }
}
