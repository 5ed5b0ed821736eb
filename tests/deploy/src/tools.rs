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

/// What runs Terraform where its own registry cannot be reached.
#[derive(Clone, Debug)]
pub struct Tools {
    pub(crate) check: PathBuf,
}

impl Tools {
    /// Those of this machine: a `check.sh` that the variable `SKYFOLD_TERRAFORM_CHECK` names, or
    /// that lies beside the project, and what it needs.
    ///
    /// # Errors
    ///
    /// A line that says what is missing, and how to get it.
    pub fn find() -> Result<Self, String> {
        let beside = root().join("../shared/terraform-check/check.sh");
        let check = std::env::var_os(CHECK).map_or(beside, PathBuf::from);
        if !check.exists() {
            let place = check.display();
            return Err(format!("no {place}: name the script that checks Terraform in {CHECK}"));
        }
        let missing = NEEDED.iter().find(|(program, _)| !runs(program));
        match missing {
            Some((program, remedy)) => Err(format!("no {program}: {remedy}")),
            None => Ok(Self { check }),
        }
    }
}

impl fmt::Display for Tools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Terraform by {}", self.check.display())
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
