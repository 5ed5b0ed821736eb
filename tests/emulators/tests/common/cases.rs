use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use emulators::Missing;
use libtest_mimic::{Arguments, Trial};

/// A case, given what all of them share. It panics if it fails.
pub(crate) type Case<T> = fn(&T);

/// Runs `cases`, one after the other, on what `new` makes once of the emulators that were `found`.
/// Where one is missing, and unless that is a failure here, they are ignored.
pub(crate) fn run<F, T>(
    cases: &[(&'static str, Case<T>)],
    found: Result<F, Missing>,
    new: fn(&F) -> T,
) -> ExitCode
where
    F: Clone + Send + 'static,
    T: Send + Sync + 'static,
{
    let found = found.map_err(|missing| missing.to_string());
    if let Err(missing) = &found {
        eprintln!("ignored: {missing}");
    }
    let is_ignored = found.is_err() && !emulators::is_required();
    let shared: Arc<OnceLock<T>> = Arc::default();
    let case = |(name, case): &(&'static str, Case<T>)| {
        let (case, found, shared) = (*case, found.clone(), shared.clone());
        let run = move || {
            let found = found?;
            case(shared.get_or_init(|| new(&found)));
            Ok(())
        };
        Trial::test(*name, run).with_ignored_flag(is_ignored)
    };
    // They share what they record, and some close the bus, or lose the doorbells, of all.
    let arguments = Arguments { test_threads: Some(1), ..Arguments::from_args() };
    let conclusion = libtest_mimic::run(&arguments, cases.iter().map(case).collect());
    // What is shared ends here, with its processes.
    drop(Arc::into_inner(shared));
    conclusion.exit_code()
}
