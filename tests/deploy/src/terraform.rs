use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Once;
use std::{env, fs, iter};

use serde_json::Value;

use crate::tools::root;
use crate::{Resources, Tools};

/// The script fetches its parts when it runs for the first time, which two must not do at once.
static FETCHED: Once = Once::new();

/// Makes everything, and shows it.
const ALL: &str = "run \"all\" {\n  command = apply\n}\n";

/// What Terraform, or a test of it, has said against a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused(pub String);

/// A copy of a folder below `deploy`, to be spoiled.
#[derive(Clone, Debug)]
pub struct Copy {
    /// What Terraform calls the cloud.
    provider: &'static str,
    folder: PathBuf,
    variables: Vec<(String, String)>,
}

impl Copy {
    /// A copy of `deploy/{target}`, which is of the cloud that Terraform calls `provider`, below
    /// `place`, for the case `case`.
    ///
    /// # Panics
    ///
    /// If it cannot be made.
    pub fn of(target: &str, provider: &'static str, place: &str, case: &str) -> Self {
        let folder = Path::new(place).join("deploy").join(case).join(target);
        let _ = fs::remove_dir_all(&folder);
        copy(&root().join("deploy").join(target), &folder);
        Self { provider, folder, variables: vec![] }
    }

    /// The same with the variable `name` set.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((format!("TF_VAR_{name}"), value.to_owned()));
        self
    }

    /// The same, where what Terraform runs finds the script `text` by the name of the program
    /// `name`, whatever the machine has.
    ///
    /// # Panics
    ///
    /// If it cannot be made.
    #[must_use]
    pub fn with_program(self, name: &str, text: &str) -> Self {
        fs::create_dir_all(self.programs()).expect("the folder can be made");
        let path = self.programs().join(name);
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).expect("the copy can be written");
        fs::set_permissions(&path, Permissions::from_mode(0o755)).expect("it can be run");
        self
    }

    /// What the file `name` says; nothing if there is none.
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.join(name)).unwrap_or_default()
    }

    /// Puts `text` into the file `name`, and returns the file's place.
    ///
    /// # Panics
    ///
    /// If it cannot.
    pub fn write(&self, name: &str, text: &str) -> String {
        let path = self.folder.join(name);
        fs::write(&path, text).expect("the copy can be written");
        path.display().to_string()
    }

    /// Says `to` in the file `name` where it says `from`, which it does.
    ///
    /// # Panics
    ///
    /// If it does not say so exactly once.
    pub fn spoil(&self, name: &str, from: &str, to: &str) {
        let path = self.folder.join(name);
        let text = fs::read_to_string(&path).expect("the file is there");
        assert_eq!(text.matches(from).count(), 1, "{name} says this once: {from}");
        fs::write(&path, text.replace(from, to)).expect("the copy can be written");
    }

    /// Has Terraform look at names, types, blocks and references.
    ///
    /// # Errors
    ///
    /// What it says against them.
    pub fn validate(&self, tools: &Tools) -> Result<(), Refused> {
        self.check(tools, &["validate"]).map(|_| ())
    }

    /// Has Terraform look at how it is laid out.
    ///
    /// # Errors
    ///
    /// What it says against that.
    pub fn format(&self, tools: &Tools) -> Result<(), Refused> {
        self.check(tools, &["fmt"]).map(|_| ())
    }

    /// Has Terraform make everything, and returns it.
    ///
    /// # Errors
    ///
    /// What it says against it.
    pub fn apply(&self, tools: &Tools) -> Result<Resources, Refused> {
        self.make(tools, ALL)
    }

    /// The same, but whatever a cloud would make up, such as an ARN, is another thing for each
    /// resource, and of no form: so it is plain to see which of them another one names.
    ///
    /// # Errors
    ///
    /// What it says against it.
    pub fn apply_apart(&self, tools: &Tools) -> Result<Resources, Refused> {
        // Whatever a cloud would make up, Terraform makes up, and for each resource another.
        let apart = format!("mock_provider \"{}\" {{}}\n\n", self.provider);
        self.make(tools, &format!("{apart}{ALL}"))
    }

    /// The same, where a cloud would make up what `answers` says, as blocks `mock_provider` of a
    /// test of Terraform: for a provider that looks at the form of ids.
    ///
    /// # Errors
    ///
    /// What it says against it.
    pub fn apply_with(&self, tools: &Tools, answers: &str) -> Result<Resources, Refused> {
        self.make(tools, &format!("{answers}\n{ALL}"))
    }

    fn make(&self, tools: &Tools, test: &str) -> Result<Resources, Refused> {
        self.write("all.tftest.hcl", test);
        let said = self.check(tools, &["test"])?;
        let messages = said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let state = messages.into_iter().find(|message| message["type"] == "test_state");
        let resources = state.and_then(|message| Resources::of(&message["test_state"]));
        resources.ok_or(Refused(said))
    }

    /// Has checkov look for what is careless in it.
    ///
    /// # Errors
    ///
    /// What it finds that no line of the folder explains.
    ///
    /// # Panics
    ///
    /// If it does not run.
    pub fn scan(&self, checkov: &Tools) -> Result<(), Refused> {
        let mut scan = Command::new(&checkov.program);
        scan.args(["--framework", "terraform", "--compact", "--quiet", "--skip-download"]);
        let output = scan.arg("--directory").arg(&self.folder).output().expect("checkov runs");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let has_looked = said.contains("Passed checks: ");
        (output.status.success() && has_looked).then_some(()).ok_or(Refused(said))
    }

    fn check(&self, tools: &Tools, steps: &[&str]) -> Result<String, Refused> {
        FETCHED.call_once(|| {
            // Once more if it fails: the network may have.
            let fetch = || self.run(tools, &["validate"]);
            let _ = fetch().or_else(|_| fetch());
        });
        self.run(tools, steps)
    }

    fn run(&self, tools: &Tools, steps: &[&str]) -> Result<String, Refused> {
        let mut check = Command::new("bash");
        check.arg(&tools.program).arg(&self.folder).args(steps);
        check.envs(self.variables.iter().map(|(name, value)| (name, value)));
        check.env("TF_CLI_ARGS_test", "-json -verbose");
        let others = env::var_os("PATH").unwrap_or_default();
        let places = iter::once(self.programs()).chain(env::split_paths(&others));
        check.env("PATH", env::join_paths(places).expect("no place has a colon"));
        let output = check.output().expect("bash runs");
        let said = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        match output.status.success() {
            true => Ok(said),
            false => Err(Refused(said)),
        }
    }

    /// Where the programs are that stand in for the machine's own.
    fn programs(&self) -> PathBuf {
        self.folder.join("programs")
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("the folder can be made");
    for entry in fs::read_dir(from).expect("the folder can be read") {
        let path = entry.expect("the folder can be read").path();
        let target = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).expect("the file can be copied");
        }
    }
}
