use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

use crate::{Need, Tools};

/// A case, which panics if it fails.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// A sentence.
    pub name: &'static str,
    /// What it needs.
    pub needs: Need,
    /// Tries it.
    pub run: fn(&Tools),
}

/// Runs `cases` as the command line says: the `main` of a test.
pub fn run(cases: &[Case]) -> ExitCode {
    let arguments = Arguments::from_args();
    let is_required = std::env::var("CI").is_ok_and(|ci| ci == "true");
    let trials = cases.iter().map(|case| trial(*case, Tools::find(case.needs), is_required));
    let trials = trials.collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn trial(case: Case, tools: Result<Tools, String>, is_required: bool) -> Trial {
    match tools {
        Ok(tools) => Trial::test(case.name, move || {
            (case.run)(&tools);
            Ok(())
        }),
        Err(missing) => {
            let kind = missing.clone();
            Trial::test(case.name, move || Err(missing.into()))
                .with_kind(kind)
                .with_ignored_flag(!is_required)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_ignored_and_said_so_but_fails_where_it_must_not_be_missing() {
        let case =
            Case { name: "a_case", needs: Need::Checkov, run: |_| panic!("it is not tried") };
        let ignored = trial(case, Err("no go: install Go".into()), false);
        assert!(ignored.has_ignored_flag() && ignored.kind() == "no go: install Go");
        assert!(!trial(case, Err("no go: install Go".into()), true).has_ignored_flag());
    }
}
