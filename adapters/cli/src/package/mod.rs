//! What is handed to a cloud: the program, packed as the cloud wants it, and the manifest.

mod archive;
mod build;

use std::path::{Path, PathBuf};

use skyfold::{Error, ErrorKind, Manifest, Result};

pub(crate) use build::{Build, Processor, Profile};

/// A program of the app that runs on one cloud: what `package --target` builds and packs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// What the cloud is called.
    pub target: &'static str,
    /// The folder of the package whose program it is: `env!("CARGO_MANIFEST_DIR")`.
    pub folder: PathBuf,
    /// The name of the binary.
    pub binary: &'static str,
    /// The features that it needs, with commas between them.
    pub features: &'static str,
    /// What it is called in the archive: `bootstrap`, for AWS Lambda.
    pub entry: &'static str,
}

/// What was packed.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Packed {
    /// The archive.
    pub(crate) package: PathBuf,
    /// How many bytes it has.
    pub(crate) package_bytes: u64,
    /// How many bytes the program in it has.
    pub(crate) program_bytes: u64,
    /// The manifest.
    pub(crate) manifest: PathBuf,
}

/// Builds `program`, and writes `package.zip` and `manifest.json` to `folder`. The same program
/// gives the same archive, to the byte.
pub(crate) fn package(
    program: &Program,
    build: &Build,
    manifest: &Manifest,
    folder: &Path,
) -> Result<Packed> {
    let built = build.run(program, folder)?;
    let content = std::fs::read(&built).map_err(|error| unusable(&built, error))?;
    let archive = archive::of_program(program.entry, &content)?;
    let json = serde_json::to_string_pretty(manifest).map_err(|error| {
        Error::new(ErrorKind::Unexpected, "the manifest has no JSON form").with_source(error)
    })?;
    std::fs::create_dir_all(folder).map_err(|error| unusable(folder, error))?;
    let (zip, manifest) = (folder.join("package.zip"), folder.join("manifest.json"));
    std::fs::write(&zip, &archive).map_err(|error| unusable(&zip, error))?;
    std::fs::write(&manifest, format!("{json}\n")).map_err(|error| unusable(&manifest, error))?;
    Ok(Packed {
        package: zip,
        package_bytes: archive.len() as u64,
        program_bytes: content.len() as u64,
        manifest,
    })
}

fn unusable(path: &Path, error: std::io::Error) -> Error {
    let message = format!("{} cannot be used", path.display());
    Error::new(ErrorKind::Unexpected, message).with_source(error)
}
