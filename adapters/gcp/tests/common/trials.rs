use std::process::ExitCode;

use conformance::{AsyncCase, run_async_cases};
use emulators::{GoogleEmulator, Missing};

/// What of `needed` is not installed, told where everybody sees it.
pub fn missing(needed: &[GoogleEmulator]) -> Option<Missing> {
    let missing = needed.iter().find_map(|emulator| emulator.find().err())?;
    eprintln!("{}: {missing}", if emulators::is_required() { "failed" } else { "ignored" });
    Some(missing)
}

/// Runs `cases`, each in a runtime of its own; without what they need, and unless that is a
/// failure here, they are ignored.
pub fn run(needed: &[GoogleEmulator], cases: &[AsyncCase]) -> ExitCode {
    run_async_cases(cases, missing(needed).is_some() && !emulators::is_required())
}
