use std::process::ExitCode;

use conformance::{AsyncCase, run_async_cases};
use emulators::{Cosmos, Missing};

/// The variable that has these tests run. It takes minutes to build the emulator, and most of an
/// hour to run the whole suite on it.
const WANTED: &str = "COSMOS_EMULATOR";

/// Whether there is an emulator to run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Emulator {
    Ready,
    /// Nobody asked for it.
    Unwanted,
    /// It cannot be built.
    Missing,
}

/// Looks for the emulator, and tells everybody if there is none.
pub fn emulator() -> Emulator {
    if std::env::var_os(WANTED).is_none() {
        eprintln!("ignored: {WANTED}=1 builds Microsoft's emulator, and has these tests run on it");
        return Emulator::Unwanted;
    }
    match Cosmos::find() {
        Ok(_) => Emulator::Ready,
        Err(missing) => {
            eprintln!("{}: {missing}", if emulators::is_required() { "failed" } else { "ignored" });
            Emulator::Missing
        }
    }
}

/// Runs `cases`, each in a runtime of its own; without what they need, and unless that is a
/// failure here, they are ignored.
pub fn run(cases: &[AsyncCase]) -> ExitCode {
    let is_ignored = match emulator() {
        Emulator::Ready => false,
        Emulator::Unwanted => true,
        Emulator::Missing => !emulators::is_required(),
    };
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
