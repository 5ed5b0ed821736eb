use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the workspace is.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// The variable that has the program built by `order package`, as those do who deploy it, which
/// takes minutes: `dev` or `release`. Unless it is set, the program is the one that was built
/// together with the tests.
const PROFILE: &str = "EMULATORS_PROFILE";

/// The order app as the project packs it for a cloud.
pub(crate) struct Package {
    /// The archive.
    pub(crate) archive: PathBuf,
    /// What there is to deploy, as Terraform reads it.
    pub(crate) manifest: PathBuf,
    /// What is in the archive, unpacked.
    pub(crate) folder: PathBuf,
}

/// Who may do what with a program. The archive says so, which what unpacks it passes over.
const PERMISSIONS: u32 = 0o755;

impl Package {
    /// Packs it for `target`, whose feature of the app has the same name.
    ///
    /// # Panics
    ///
    /// If that fails.
    pub(crate) fn of(target: &str) -> Self {
        let folder = Path::new(ROOT).join("target/emulators/package").join(target);
        let mut order = match std::env::var(PROFILE) {
            Ok(profile) => building(target, &profile),
            Err(_) => built(target),
        };
        let status = order.arg("--to").arg(&folder).current_dir(ROOT).status().unwrap();
        assert!(status.success(), "the program is packed");
        let _ = std::fs::remove_dir_all(folder.join("unpacked"));
        let unpacked = Command::new("python3")
            .args(["-m", "zipfile", "-e", "package.zip", "unpacked"])
            .current_dir(&folder)
            .status()
            .unwrap();
        assert!(unpacked.success(), "another program reads the archive");
        Self {
            archive: folder.join("package.zip"),
            manifest: folder.join("manifest.json"),
            folder: folder.join("unpacked"),
        }
    }

    /// The program `entry` of it, which can be run.
    pub(crate) fn program(&self, entry: &str) -> PathBuf {
        let program = self.folder.join(entry);
        std::fs::set_permissions(&program, Permissions::from_mode(PERMISSIONS)).unwrap();
        program
    }
}

/// The command that builds the program as `profile` says, and packs it.
fn building(target: &str, profile: &str) -> Command {
    let mut command = cargo();
    command
        .args(["run", "--quiet", "-p", "order", "--features", target, "--bin", "order", "--"])
        .args(["package", "--target", target, "--processor", "host", "--profile", profile]);
    command
}

/// The command that packs the program that was built with the tests. Cargo is asked once more, so
/// that it is there and new whichever tests are run; `--examples`, of which there are none, has it
/// take the features that tests need, without which it would build most of the dependencies again.
fn built(target: &str) -> Command {
    // This test is in `deps`, beside which the programs are, in a folder that the profile names.
    let test = std::env::current_exe().unwrap();
    let folder = test.ancestors().nth(2).unwrap();
    let profile = match folder.file_name().and_then(|name| name.to_str()).unwrap() {
        "debug" => "dev",
        other => other,
    };
    let program = format!("order-{target}");
    let build = ["build", "--quiet", "--workspace", "--examples", "--profile", profile];
    let programs = ["--bin", "order", "--bin", &program];
    let status = cargo().args(build).args(programs).current_dir(ROOT).status().unwrap();
    assert!(status.success(), "the program is built");
    let mut command = Command::new(folder.join("order"));
    command.args(["package", "--target", target, "--program"]).arg(folder.join(program));
    command
}

/// Cargo, as if nobody ran it from a test.
fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in std::env::vars().filter(|(name, _)| is_of_this_run(name)) {
        command.env_remove(name);
    }
    command
}

/// Whether the cargo that runs this test has set `name`: it would have build scripts run again.
fn is_of_this_run(name: &str) -> bool {
    name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
}
