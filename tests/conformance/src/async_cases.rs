use std::process::ExitCode;

use futures::future::BoxFuture;
use libtest_mimic::{Arguments, Trial};

/// An asynchronous case by its name.
pub type AsyncCase = (&'static str, fn() -> BoxFuture<'static, ()>);

/// The functions named, each as a [`AsyncCase`] of its own name.
#[macro_export]
macro_rules! async_cases {
    ($($(#[$attribute:meta])* $group:ident :: $name:ident),* $(,)?) => {
        [$((
            stringify!($name),
            (|| Box::pin($group::$name())) as fn() -> futures::future::BoxFuture<'static, ()>,
        )),*]
    };
}

/// Runs `cases`, each in a runtime of its own, or ignores them all: the `main` of a test whose
/// cases need what is not everywhere.
pub fn run_async_cases(cases: &[AsyncCase], is_ignored: bool) -> ExitCode {
    let trial = |(name, case): &AsyncCase| {
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
