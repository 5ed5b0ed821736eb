//! Defects that a simulation must find: in each a guard of core is removed, and the same seeds
//! must fail.
//!
//! Core itself has no hooks. A copy of the workspace is made in which every guard asks whether it
//! is to be left out; it is built once and run once for each defect.

mod commands;
mod deliveries;
mod evolution;
mod letters;
mod privacy;
mod sagas;
mod views;

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The variable that says which defect a run of the copy has, by its place among all.
pub const VARIABLE: &str = "SKYFOLD_PLANTED";

/// What the copy's program is called, so that it does not take the place of the original.
pub const PROGRAM: &str = "simulation-with-defects";

/// What stands in a defect's replacement for the question whether it is planted.
const PLANTED: &str = "PLANTED";

/// The parts of the workspace that the copy needs.
const PARTS: [&str; 6] = ["Cargo.toml", "Cargo.lock", "core", "adapters", "apps", "tests"];

/// A guard of core that can be left out.
#[derive(Clone, Copy, Debug)]
pub struct Defect {
    /// What is wrong, as a sentence.
    pub name: &'static str,
    /// The file below `core/src`.
    pub file: &'static str,
    /// What the file says, exactly once.
    pub original: &'static str,
    /// What the copy says instead.
    pub replacement: &'static str,
}

/// All defects.
pub fn defects() -> impl Iterator<Item = &'static Defect> {
    let groups = [
        commands::DEFECTS,
        deliveries::DEFECTS,
        evolution::DEFECTS,
        letters::DEFECTS,
        privacy::DEFECTS,
        sagas::DEFECTS,
        views::DEFECTS,
    ];
    groups.into_iter().flatten()
}

/// Makes or refreshes the copy of the workspace at `root` in `folder`. What has not changed is not
/// written, so that it is not built again.
///
/// # Errors
///
/// Those of the file system; one that names the defect whose original is not there exactly once.
pub fn plant(root: &Path, folder: &Path) -> io::Result<()> {
    let mut written = BTreeSet::new();
    for part in PARTS {
        copy(root, &root.join(part), &folder.join(part), &mut written)?;
    }
    let mut paths = BTreeSet::new();
    walk(folder, &mut paths)?;
    paths.difference(&written).try_for_each(fs::remove_file)
}

fn copy(root: &Path, from: &Path, to: &Path, written: &mut BTreeSet<PathBuf>) -> io::Result<()> {
    if !from.is_dir() {
        written.insert(to.to_owned());
        let text = altered(root, from, fs::read(from)?)?;
        return match fs::read(to).is_ok_and(|old| old == text) {
            true => Ok(()),
            false => fs::write(to, text),
        };
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let name = entry?.file_name();
        if !["target", "corpus", "artifacts", "fuzz"].iter().any(|skipped| name == *skipped) {
            copy(root, &from.join(&name), &to.join(&name), written)?;
        }
    }
    Ok(())
}

fn walk(folder: &Path, paths: &mut BTreeSet<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        match path.is_dir() {
            true => walk(&path, paths)?,
            false => drop(paths.insert(path)),
        }
    }
    Ok(())
}

/// What the copy of the file at `path` says.
fn altered(root: &Path, path: &Path, bytes: Vec<u8>) -> io::Result<Vec<u8>> {
    if path.ends_with("tests/simulation/Cargo.toml") {
        let text =
            String::from_utf8_lossy(&bytes).replace("[package]\n", "[package]\nautobins = false\n");
        let program = format!("\n[[bin]]\nname = \"{PROGRAM}\"\npath = \"src/main.rs\"\n");
        return Ok((text + &program).into_bytes());
    }
    if path.ends_with("tests/emulators/Cargo.toml") {
        // The emulators want the app for every cloud, which the simulation has no use for.
        let text = String::from_utf8_lossy(&bytes);
        let of_no_cloud = |line: &str| match line.starts_with("order = ") {
            true => "order.workspace = true\n".to_owned(),
            false => format!("{line}\n"),
        };
        return Ok(text.lines().map(of_no_cloud).collect::<String>().into_bytes());
    }
    if path == root.join("Cargo.toml") {
        // Cargo tells crates in one target folder apart by version, and not by where they are.
        let text = String::from_utf8_lossy(&bytes);
        return Ok(text.replacen("\nversion = \"", "\nversion = \"0.0.0-defects.", 1).into_bytes());
    }
    let mut text = String::new();
    for (nth, defect) in defects().enumerate() {
        if path.ends_with(Path::new("core/src").join(defect.file)) {
            if text.is_empty() {
                text = String::from_utf8_lossy(&bytes).into_owned();
            }
            text = defect.plant(nth, &text).map_err(io::Error::other)?;
        }
    }
    if path.ends_with("core/src/lib.rs") {
        text = String::from_utf8_lossy(&bytes).into_owned() + &question();
    }
    Ok(if text.is_empty() { bytes } else { text.into_bytes() })
}

/// How the copy asks whether a defect is planted.
fn question() -> String {
    format!(
        "
/// Whether the defect `nth` is planted.
pub(crate) fn planted(nth: usize) -> bool {{
    static PLANTED: std::sync::OnceLock<Option<usize>> = std::sync::OnceLock::new();
    let read = || std::env::var(\"{VARIABLE}\").ok()?.parse().ok();
    *PLANTED.get_or_init(read) == Some(nth)
}}
"
    )
}

impl Defect {
    /// How often `text` says what the defect replaces.
    pub fn count(&self, text: &str) -> usize {
        text.matches(self.original).count()
    }

    fn plant(&self, nth: usize, text: &str) -> Result<String, String> {
        let count = self.count(text);
        if count != 1 {
            let Self { name, file, original, .. } = self;
            return Err(format!("{name}: core/src/{file} says {count} times: {original}"));
        }
        let replacement = self.replacement.replace(PLANTED, &format!("crate::planted({nth})"));
        Ok(text.replace(self.original, &replacement))
    }
}

/// The root of the workspace.
pub fn root() -> PathBuf {
    let here = env!("CARGO_MANIFEST_DIR");
    Path::new(here).ancestors().nth(2).map_or_else(PathBuf::new, Path::to_owned)
}
