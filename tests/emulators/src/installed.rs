use std::fmt;
use std::path::{Path, PathBuf};

/// Where the workspace is.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// A tool that is not installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    pub(crate) name: String,
    /// What installs it.
    pub(crate) remedy: String,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, remedy } = self;
        write!(f, "{name} is not installed: {remedy}")
    }
}

impl std::error::Error for Missing {}

/// Where the program `program` of the tool `name` is.
///
/// # Errors
///
/// [`Missing`] if it is not installed.
pub fn installed(name: &str, program: &str) -> Result<PathBuf, Missing> {
    let place = Path::new(ROOT).join("target/emulators").join(name);
    let path = place.join("bin").join(program);
    let is_whole = place.join(".installed").is_file() && path.is_file();
    is_whole.then_some(path).ok_or_else(|| Missing {
        name: name.to_owned(),
        remedy: format!("run tests/emulators/install {name}"),
    })
}
