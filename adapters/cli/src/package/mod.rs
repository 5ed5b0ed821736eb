//! What is handed to a cloud: the program, packed as the cloud wants it, and the manifest.

mod archive;
mod build;
mod functions;
mod image;

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
    /// How the cloud wants it.
    pub form: Form,
}

/// How a cloud wants a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As an archive, `package.zip`, in which it is called `entry`: `bootstrap`, for AWS Lambda.
    Zip {
        /// What it is called there.
        entry: &'static str,
    },
    /// As an archive of what Azure Functions reads of an app whose program is its custom handler:
    /// the program, called `entry`, `host.json`, and a `function.json` for each function of the
    /// manifest and each of the host's own, in a folder of its name, with `_` for `-` and `__` for
    /// `.` ([`plain_name`](skyfold::host::plain_name)).
    ///
    /// They name these settings of the function app: `SKYFOLD_COSMOS_CONNECTION` and
    /// `SKYFOLD_QUEUE_CONNECTION`, the prefixes of the settings by which the triggers connect with
    /// an identity; `SKYFOLD_DATABASE`, `SKYFOLD_EVENTS` and `SKYFOLD_LEASES`, the database, the
    /// container of events and that of the leases of its change feed; `SKYFOLD_QUEUE`, the name of
    /// the queue of commands.
    AzureFunctions {
        /// What the program is called.
        entry: &'static str,
    },
    /// As an image, of which the folder `image` holds all that it is built from: the program,
    /// called `app`, with everything linked in, and the `Containerfile`.
    Image {
        /// What the `Containerfile` says.
        recipe: &'static str,
    },
}

impl Form {
    /// What lies beside the program for the app of `manifest`, by its name in the package.
    ///
    /// # Errors
    ///
    /// [`Invalid`](ErrorKind::Invalid) if two functions of the app cannot be told apart there, or
    /// one has a name that the cloud or the host has taken.
    pub fn files(&self, manifest: &Manifest) -> Result<Vec<(String, String)>> {
        match self {
            Self::Zip { .. } => Ok(vec![]),
            Self::AzureFunctions { entry } => functions::files(manifest, entry),
            Self::Image { recipe } => Ok(vec![("Containerfile".to_owned(), (*recipe).to_owned())]),
        }
    }
}

/// Where the program comes from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// It is built so.
    Build(Build),
    /// It is this file.
    Built(PathBuf),
}

/// What was packed.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Packed {
    /// The archive, or the folder of the image.
    pub(crate) package: PathBuf,
    /// How many bytes it has.
    pub(crate) package_bytes: u64,
    /// How many bytes the program in it has.
    pub(crate) program_bytes: u64,
    /// The manifest.
    pub(crate) manifest: PathBuf,
}

/// Takes `program` from `source`, and writes it in its form, and `manifest.json`, to `folder`. The
/// same program gives the same archive, to the byte.
pub(crate) fn package(
    program: &Program,
    source: Source,
    manifest: &Manifest,
    folder: &Path,
) -> Result<Packed> {
    let files = program.form.files(manifest)?;
    let built = match source {
        Source::Build(build) => build.run(program, folder)?,
        Source::Built(file) => file,
    };
    let content = std::fs::read(&built).map_err(|error| unusable(&built, error))?;
    let json = serde_json::to_string_pretty(manifest).map_err(|error| {
        Error::new(ErrorKind::Unexpected, "the manifest has no JSON form").with_source(error)
    })?;
    std::fs::create_dir_all(folder).map_err(|error| unusable(folder, error))?;
    let (package, package_bytes) = match program.form {
        Form::Zip { entry } | Form::AzureFunctions { entry } => {
            zipped(folder, entry, &content, &files)?
        }
        Form::Image { recipe } => {
            let image = folder.join("image");
            image::write(&image, recipe, &content).map_err(|error| unusable(&image, error))?;
            (image, (recipe.len() + content.len()) as u64)
        }
    };
    let path = folder.join("manifest.json");
    std::fs::write(&path, format!("{json}\n")).map_err(|error| unusable(&path, error))?;
    let program_bytes = content.len() as u64;
    Ok(Packed { package, package_bytes, program_bytes, manifest: path })
}

/// Writes the archive of the program `content`, called `entry`, and of `files` beside it. Returns
/// where it is and how many bytes it has.
fn zipped(
    folder: &Path,
    entry: &str,
    content: &[u8],
    files: &[(String, String)],
) -> Result<(PathBuf, u64)> {
    let (path, archive) = (folder.join("package.zip"), archive::of_program(entry, content, files)?);
    std::fs::write(&path, &archive).map_err(|error| unusable(&path, error))?;
    Ok((path, archive.len() as u64))
}

fn unusable(path: &Path, error: std::io::Error) -> Error {
    let message = format!("{} cannot be used", path.display());
    Error::new(ErrorKind::Unexpected, message).with_source(error)
}
