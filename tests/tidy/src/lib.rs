//! The invariants of the project's layout, as tests over its sources: see `tests/`.
//!
//! ```
//! let sources = tidy::sources("core/src");
//! assert!(sources.iter().any(|source| source.path.ends_with("core/src/lib.rs")));
//! ```

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The root of the workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new(".")).to_owned()
}

/// A file of the project.
#[derive(Clone, Debug)]
pub struct Source {
    /// Where it is, from the root.
    pub path: PathBuf,
    /// What it says.
    pub text: String,
}

impl Source {
    /// The text before the unit tests: what ships.
    pub fn shipped(&self) -> &str {
        self.text.split("#[cfg(test)]\nmod ").next().unwrap_or_default()
    }
}

/// The Rust files below `folder`.
///
/// # Panics
///
/// If the folder cannot be read.
pub fn sources(folder: &str) -> Vec<Source> {
    files(folder).into_iter().filter(|s| s.path.extension().is_some_and(|e| e == "rs")).collect()
}

/// The text files below `folder`, without what is built.
///
/// # Panics
///
/// If the folder cannot be read.
pub fn files(folder: &str) -> Vec<Source> {
    let mut found = vec![];
    walk(&root().join(folder), &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn walk(folder: &Path, found: &mut Vec<Source>) {
    let entries = fs::read_dir(folder).expect("the folder can be read");
    for entry in entries {
        let path = entry.expect("the folder can be read").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if ["target", ".git", "corpus", "artifacts", "mutants.out"].contains(&name.as_str()) {
            continue;
        }
        if path.is_dir() {
            walk(&path, found);
        } else if let Ok(text) = fs::read_to_string(&path) {
            let path = path.strip_prefix(root()).unwrap_or(&path).to_owned();
            found.push(Source { path, text });
        }
    }
}

/// The packages that the package `name` needs in order to run here, directly or through others.
///
/// # Panics
///
/// If cargo cannot be asked, or there is no such package.
pub fn dependencies(name: &str) -> Vec<String> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let output = Command::new(cargo)
        .args(["tree", "--package", name, "--edges", "normal", "--prefix", "none"])
        .args(["--format", "{p}", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let names = text.lines().skip(1).filter_map(|line| line.split_whitespace().next());
    names.map(str::to_owned).collect()
}
