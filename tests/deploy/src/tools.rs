use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The variable that names the script which runs Terraform over a folder.
const CHECK: &str = "SKYFOLD_TERRAFORM_CHECK";

/// What the script needs beside itself, and how to get it.
const NEEDED: [(&str, &str); 3] = [
    ("terraform", "install Terraform 1.9 or later (its page \"Install Terraform\")"),
    ("python3", "install Python 3 with venv"),
    ("go", "install Go"),
];

/// What installs checkov, and where it is then, from the root.
const INSTALL: &str = "tests/emulators/install checkov";
const CHECKOV: &str = "target/emulators/checkov/bin/checkov";

/// What a case needs of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Terraform over a folder.
    Terraform,
    /// checkov, which knows what is careless.
    Checkov,
}

/// A tool of this machine.
#[derive(Clone, Debug)]
pub struct Tools {
    pub(crate) program: PathBuf,
}

impl Tools {
    /// What this machine has for `need`: for Terraform a `check.sh` that the variable
    /// `SKYFOLD_TERRAFORM_CHECK` names, or that lies beside the project, and what it needs.
    ///
    /// # Errors
    ///
    /// A line that says what is missing, and how to get it.
    pub fn find(need: Need) -> Result<Self, String> {
        match need {
            Need::Terraform => Self::terraform(),
            Need::Checkov => {
                let program = root().join(CHECKOV);
                let is_there = program.exists();
                is_there.then_some(Self { program }).ok_or(format!("no checkov: {INSTALL}"))
            }
        }
    }

    fn terraform() -> Result<Self, String> {
        let beside = root().join("../shared/terraform-check/check.sh");
        let program = std::env::var_os(CHECK).map_or(beside, PathBuf::from);
        if !program.exists() {
            let place = program.display();
            return Err(format!("no {place}: name the script that checks Terraform in {CHECK}"));
        }
        let missing = NEEDED.iter().find(|(program, _)| !runs(program));
        match missing {
            Some((missing, remedy)) => Err(format!("no {missing}: {remedy}")),
            None => Ok(Self { program }),
        }
    }
}

impl fmt::Display for Tools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.program.display())
    }
}

fn runs(program: &str) -> bool {
    let version = if program == "go" { "version" } else { "--version" };
    let mut asked = Command::new(program);
    asked.arg(version).stdout(Stdio::null()).stderr(Stdio::null());
    asked.status().is_ok_and(|status| status.success())
}

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new(".")).to_owned()
}
