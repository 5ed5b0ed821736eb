use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Where the workspace is.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// The variable that says how the program is built: `dev`, unless it is set, or `release`.
const PROFILE: &str = "EMULATORS_PROFILE";

/// The program of the order app for AWS, as the project packs it.
pub(crate) struct Program {
    /// The archive.
    pub(crate) package: PathBuf,
    /// What there is to deploy, as Terraform reads it.
    pub(crate) manifest: PathBuf,
    /// The program that is in the archive, unpacked.
    pub(crate) binary: PathBuf,
}

impl Program {
    /// It is built once.
    pub(crate) fn get() -> &'static Self {
        static PROGRAM: OnceLock<Program> = OnceLock::new();
        PROGRAM.get_or_init(Self::build)
    }

    fn build() -> Self {
        let folder = Path::new(ROOT).join("target/emulators/package");
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let run = ["run", "--quiet", "-p", "order", "--features", "aws", "--bin", "order", "--"];
        let mut command = Command::new(cargo);
        for (name, _) in std::env::vars().filter(|(name, _)| is_of_this_run(name)) {
            command.env_remove(name);
        }
        let profile = std::env::var(PROFILE).unwrap_or_else(|_| "dev".into());
        let status = command
            .args(run)
            .args(["package", "--target", "aws", "--processor", "host", "--profile", &profile])
            .arg("--to")
            .arg(&folder)
            .current_dir(ROOT)
            .status()
            .unwrap();
        assert!(status.success(), "the program is packed");
        let unpacked = Command::new("python3")
            .args(["-m", "zipfile", "-e", "package.zip", "."])
            .current_dir(&folder)
            .status()
            .unwrap();
        assert!(unpacked.success(), "another program reads the archive");
        Self {
            package: folder.join("package.zip"),
            manifest: folder.join("manifest.json"),
            binary: folder.join("bootstrap"),
        }
    }
}

/// Whether the cargo that runs this test has set `name`: it would have build scripts run again.
fn is_of_this_run(name: &str) -> bool {
    name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
}
