use std::process::ExitCode;

use emulators::{Cosmos, Missing};
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

/// What is not there that these tests need, told where everybody sees it.
pub fn missing() -> Option<Missing> {
    let missing = Cosmos::find().err()?;
    eprintln!("{}: {missing}", if emulators::is_required() { "failed" } else { "ignored" });
    Some(missing)
}

/// Runs `cases`, each in a runtime of its own; without what they need, and unless that is a
/// failure here, they are ignored.
pub fn run(cases: &[Case]) -> ExitCode {
    let is_ignored = missing().is_some() && !emulators::is_required();
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
