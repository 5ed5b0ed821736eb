use std::process::ExitCode;

use emulators::Cosmos;
use futures::future::BoxFuture;
use libtest_mimic::{Arguments, Trial};

/// A case by its name.
pub type Case = (&'static str, fn() -> BoxFuture<'static, ()>);

/// The functions named, each as a [`Case`] of its own name.
#[macro_export]
macro_rules! cases {
    ($($(#[$attribute:meta])* $group:ident :: $name:ident),* $(,)?) => {
        [$((
            stringify!($name),
            (|| Box::pin($group::$name())) as fn() -> futures::future::BoxFuture<'static, ()>,
        )),*]
    };
}

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
pub fn run(cases: &[Case]) -> ExitCode {
    let is_ignored = match emulator() {
        Emulator::Ready => false,
        Emulator::Unwanted => true,
        Emulator::Missing => !emulators::is_required(),
    };
    let trial = |(name, case): &Case| {
        let case = *case;
        let run = move || {
            let mut runtime = tokio::runtime::Builder::new_multi_thread();
            runtime.worker_threads(2).enable_all().build()?.block_on(case());
            Ok(())
        };
        Trial::test(*name, run).with_ignored_flag(is_ignored)
    };
    libtest_mimic::run(&Arguments::from_args(), cases.iter().map(trial).collect()).exit_code()
}
