use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the workspace is.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// The variable that says how the program is built: `dev`, unless it is set, or `release`.
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
    /// Builds and packs it for `target`, whose feature of the app has the same name.
    ///
    /// # Panics
    ///
    /// If that fails.
    pub(crate) fn of(target: &str) -> Self {
        let folder = Path::new(ROOT).join("target/emulators/package").join(target);
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let run = ["run", "--quiet", "-p", "order", "--features", target, "--bin", "order", "--"];
        let mut command = Command::new(cargo);
        for (name, _) in std::env::vars().filter(|(name, _)| is_of_this_run(name)) {
            command.env_remove(name);
        }
        let profile = std::env::var(PROFILE).unwrap_or_else(|_| "dev".into());
        let status = command
            .args(run)
            .args(["package", "--target", target, "--processor", "host", "--profile", &profile])
            .arg("--to")
            .arg(&folder)
            .current_dir(ROOT)
            .status()
            .unwrap();
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

/// Whether the cargo that runs this test has set `name`: it would have build scripts run again.
fn is_of_this_run(name: &str) -> bool {
    name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
}
