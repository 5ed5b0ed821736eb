//! What every adapter must do, as one suite that each adapter runs over its own fixture.
//!
//! An adapter supplies a [`Fixture`], and gets one test for each case and bullet of the ports'
//! contracts: about the ports themselves, and about commands, views and sagas that run over them
//! while writes fail, answers are lost and deliveries come twice, late or never.
//!
//! ```
//! use std::time::Duration;
//!
//! use conformance::{Capability, Fixture, Host};
//! use skyfold::{Ports, Result, Runtime, StreamName, Version};
//! use skyfold_memory::{Memory, VirtualClock};
//!
//! struct InMemory;
//!
//! #[async_trait::async_trait]
//! impl Fixture for InMemory {
//!     fn name(&self) -> &'static str {
//!         "memory"
//!     }
//!
//!     fn lacks(&self) -> &[Capability] {
//!         &[]
//!     }
//!
//!     async fn open(&self) -> Result<Box<dyn Host>> {
//!         Ok(Box::new(OneMemory(Memory::new())))
//!     }
//! }
//!
//! struct OneMemory(Memory);
//!
//! #[async_trait::async_trait]
//! impl Host for OneMemory {
//!     fn ports(&self) -> Ports {
//!         self.0.ports()
//!     }
//!
//!     async fn settle(&self, runtime: &Runtime) -> Result<()> {
//!         self.0.settle(runtime).await
//!     }
//!
//!     async fn spoil(&self, stream: &StreamName, first: Version) -> Result<()> {
//!         self.0.spoil(stream, first)
//!     }
//!
//!     async fn pass(&self, duration: Duration) -> Result<()> {
//!         tokio::time::sleep(duration).await;
//!         Ok(())
//!     }
//! }
//!
//! // In a test with `harness = false`, `main` is: conformance::run(InMemory)
//! let trials = conformance::suite(InMemory);
//! assert!(trials.len() > 100);
//! ```

mod async_cases;
mod cases;
mod contract;
pub mod delivery;
pub mod domain;
pub mod faults;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

pub use async_cases::{AsyncCase, run_async_cases};
use async_trait::async_trait;
pub use contract::{CONTRACT, Promise};
use libtest_mimic::{Arguments, Trial};
use skyfold::{Ports, Result, Runtime, StreamName, Version};

use crate::cases::{Case, GROUPS, World};

/// What an adapter supplies in order to be tested.
#[async_trait]
pub trait Fixture: Send + Sync + 'static {
    /// The adapter's name, which begins the name of each trial.
    fn name(&self) -> &'static str;

    /// What the service behind it, or its emulator, cannot show. The cases that need it are
    /// reported as ignored.
    fn lacks(&self) -> &[Capability];

    /// A place of its own, which shares no data with any other.
    async fn open(&self) -> Result<Box<dyn Host>>;
}

/// Ports without data, and what delivers their events and commands.
#[async_trait]
pub trait Host: Send + Sync {
    /// The ports. Whatever is written through them is seen through all of them.
    fn ports(&self) -> Ports;

    /// Delivers to `runtime`, by the adapter's own means, until nothing is left to do now.
    async fn settle(&self, runtime: &Runtime) -> Result<()>;

    /// Spoils the commit of `stream` that begins at `first`, past the ports: from now on nobody can
    /// read it, though it is still kept where it was.
    async fn spoil(&self, stream: &StreamName, first: Version) -> Result<()>;

    /// Lets `duration` pass: for a service of others by waiting, for a virtual clock by moving it.
    async fn pass(&self, duration: Duration) -> Result<()>;
}

/// What an emulator may lack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capability {
    /// Announcements reach the functions that hear them.
    Bus,
    /// Commands that were sent reach their function.
    Queue,
    /// Commands are held back until they are due.
    Delays,
    /// Documents disappear when they expire.
    Expiry,
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bus => "bus",
            Self::Queue => "queue",
            Self::Delays => "delays",
            Self::Expiry => "expiry",
        })
    }
}

/// The environment variable that ends a run with the first case that panics: what matters then is
/// whether one does, as when a mutant is tried.
pub const FAIL_FAST: &str = "CONFORMANCE_FAIL_FAST";

/// The exit code of a run in which a case failed.
const FAILED: i32 = 101;

/// How long one case may take, on the slowest emulator and beside other work: those that crash at
/// every write make ten thousand requests, one after the other.
const CASE_SECONDS_MAX: u64 = 900;

/// The trials of `fixture`: one for each case, of which those that need what it lacks are ignored.
pub fn suite(fixture: impl Fixture) -> Vec<Trial> {
    suite_without(fixture, &[])
}

/// The trials of `fixture` in `groups` alone: for a fixture that differs there alone from another
/// one of the same adapter.
///
/// # Panics
///
/// If there is no such group: its cases would be left out without a word.
pub fn suite_of(fixture: impl Fixture, groups: &[&str]) -> Vec<Trial> {
    check(groups);
    trials(fixture, |group| groups.contains(&group))
}

/// The trials of `fixture` but for those in `groups`: for a fixture on which they take too long.
///
/// # Panics
///
/// If there is no such group.
pub fn suite_without(fixture: impl Fixture, groups: &[&str]) -> Vec<Trial> {
    check(groups);
    trials(fixture, |group| !groups.contains(&group))
}

fn check(groups: &[&str]) {
    for name in groups {
        assert!(GROUPS.iter().any(|(group, _)| group == name), "there is no group {name}");
    }
}

fn trials(fixture: impl Fixture, is_wanted: impl Fn(&str) -> bool) -> Vec<Trial> {
    let fixture: Arc<dyn Fixture> = Arc::new(fixture);
    let mut trials = vec![];
    for (group, cases) in GROUPS.iter().filter(|(group, _)| is_wanted(group)) {
        trials.extend(cases.iter().map(|case| trial(&fixture, group, *case)));
    }
    trials
}

fn trial(fixture: &Arc<dyn Fixture>, group: &str, case: Case) -> Trial {
    let lacking = case.needs.iter().filter(|need| fixture.lacks().contains(need));
    let lacking: Vec<_> = lacking.map(Capability::to_string).collect();
    let name = format!("{}::{group}::{}", fixture.name(), case.name);
    let (fixture, title) = (fixture.clone(), name.clone());
    let run = move || {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let in_time = Duration::from_secs(CASE_SECONDS_MAX);
        let tried = async {
            let world = World::open(fixture).await;
            tokio::time::timeout(in_time, (case.run)(world)).await
        };
        let ended = or_exit(&title, || runtime.block_on(tried));
        ended.map_err(|_| format!("it has not ended in {CASE_SECONDS_MAX} s").into())
    };
    match lacking.is_empty() {
        true => Trial::test(name, run),
        false => Trial::test(name, run)
            .with_kind(format!("lacks {}", lacking.join(", ")))
            .with_ignored_flag(true),
    }
}

/// What `run` comes to. If it panics, and the first failure is to end the run, it does.
fn or_exit<T>(case: &str, run: impl FnOnce() -> T) -> T {
    if std::env::var_os(FAIL_FAST).is_none() {
        return run();
    }
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| {
        eprintln!("{case} failed, and {FAIL_FAST} is set");
        std::process::exit(FAILED)
    })
}

/// Runs the suite over `fixture` as the command line says: the `main` of an adapter's test.
///
/// A run without a filter in which no case passed is a failure: it has shown nothing.
pub fn run(fixture: impl Fixture) -> ExitCode {
    run_all(suite(fixture))
}

/// The same with `trials` of several fixtures.
pub fn run_all(trials: Vec<Trial>) -> ExitCode {
    let arguments = Arguments::from_args();
    let conclusion = libtest_mimic::run(&arguments, trials);
    let shows_nothing = conclusion.num_passed == 0 && conclusion.num_filtered_out == 0;
    match shows_nothing && !arguments.list {
        true => ExitCode::FAILURE,
        false => conclusion.exit_code(),
    }
}

#[cfg(test)]
mod tests {
    use skyfold::{Error, ErrorKind};

    use super::*;

    /// An adapter that lacks two things, and whose service does not answer.
    struct Absent;

    #[async_trait]
    impl Fixture for Absent {
        fn name(&self) -> &'static str {
            "absent"
        }

        fn lacks(&self) -> &[Capability] {
            &[Capability::Delays, Capability::Queue]
        }

        async fn open(&self) -> Result<Box<dyn Host>> {
            Err(Error::new(ErrorKind::Unavailable, "it does not answer"))
        }
    }

    #[test]
    fn what_a_fixture_lacks_is_ignored_and_said_so() {
        let trials = suite(Absent);
        let ignored: Vec<_> = trials.iter().filter(|trial| trial.has_ignored_flag()).collect();
        let of = |kind: &str| ignored.iter().filter(|trial| trial.kind() == kind).count();
        assert!(
            of("lacks delays") >= 2 && of("lacks queue") >= 2 && of("lacks queue, delays") >= 1
        );
        assert!(ignored.iter().all(|trial| trial.kind().starts_with("lacks ")));
        assert!(ignored.len() < 20 && trials.len() > 200);
        assert!(trials.iter().all(|trial| trial.name().starts_with("absent::")));
    }

    #[test]
    fn some_groups_are_part_of_the_suite() {
        let names = |trials: Vec<Trial>| -> Vec<String> {
            trials.iter().map(|trial| trial.name().to_owned()).collect()
        };
        let (all, groups) = (names(suite(Absent)), ["clock", "replay"]);
        let some = names(suite_of(Absent, &groups));
        let is_of = |group: &str| some.iter().any(|name| name.starts_with(group));
        assert!(is_of("absent::clock::") && is_of("absent::replay::"));
        let mut both = [names(suite_without(Absent, &groups)), some].concat();
        both.sort_by_key(|name| all.iter().position(|known| known == name));
        assert_eq!(both, all);
    }

    #[test]
    #[should_panic(expected = "there is no group clocks")]
    fn a_group_that_does_not_exist_is_not_left_out_in_silence() {
        suite_of(Absent, &["clocks"]);
    }

    #[tokio::test]
    #[should_panic(expected = "it does not answer")]
    async fn a_fixture_that_does_not_open_fails_its_case() {
        World::open(Arc::new(Absent)).await;
    }
}
