use std::collections::BTreeSet;
use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind as Io, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use skyfold::{Error, ErrorKind, Result};

/// What the file of a locked schema ends with.
const SCHEMA: &str = ".schema.json";

/// The folder in which an app keeps the forms of what it has recorded, under version control.
#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

/// The form of one event type in one version: `order.OrderPlaced.v2`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Form {
    pub(crate) category: String,
    pub(crate) event_type: String,
    pub(crate) version: u32,
}

impl Form {
    /// The form that the file `name` is of, if its name is one of a schema.
    fn of_file(name: &str) -> Option<Self> {
        let (rest, version) = name.strip_suffix(SCHEMA)?.rsplit_once(".v")?;
        let (category, event_type) = rest.rsplit_once('.')?;
        let version = version.parse().ok()?;
        Some(Self { category: category.into(), event_type: event_type.into(), version })
    }

    /// Where its JSON Schema is.
    pub(crate) fn schema_file(&self) -> String {
        format!("{self}{SCHEMA}")
    }

    /// Where data of this form is.
    pub(crate) fn golden_file(&self) -> String {
        format!("{self}.golden.json")
    }

    /// Where it is said what that data is by now.
    pub(crate) fn now_file(&self) -> String {
        format!("{self}.now.json")
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { category, event_type, version } = self;
        write!(f, "{category}.{event_type}.v{version}")
    }
}

impl Folder {
    /// The folder at `path`, which need not exist yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The names of its files, in order.
    pub(crate) fn names(&self) -> Result<BTreeSet<String>> {
        let entries = match fs::read_dir(&self.0) {
            Ok(entries) => entries,
            Err(error) if error.kind() == Io::NotFound => return Ok(BTreeSet::new()),
            Err(error) => return Err(self.failed("", error)),
        };
        let name = |entry: std::io::Result<fs::DirEntry>| {
            let entry = entry.map_err(|error| self.failed("", error))?;
            Ok(entry.file_name().to_string_lossy().into_owned())
        };
        entries.map(name).collect()
    }

    /// The forms whose schemas are locked.
    pub(crate) fn forms(&self) -> Result<BTreeSet<Form>> {
        Ok(self.names()?.iter().filter_map(|name| Form::of_file(name)).collect())
    }

    /// What the file `name` says, if it is there.
    pub(crate) fn read<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        serde_json::from_str(&text).map(Some).map_err(|error| self.failed(name, error))
    }

    /// What each line of the file `name` says, if it is there.
    pub(crate) fn read_lines<T: DeserializeOwned>(&self, name: &str) -> Result<Option<Vec<T>>> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        let lines: serde_json::Result<_> = lines.map(serde_json::from_str).collect();
        lines.map(Some).map_err(|error| self.failed(name, error))
    }

    fn text(&self, name: &str) -> Result<Option<String>> {
        match fs::read_to_string(self.0.join(name)) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == Io::NotFound => Ok(None),
            Err(error) => Err(self.failed(name, error)),
        }
    }

    /// Writes the file `name`, which is not there.
    pub(crate) fn create<T: Serialize>(&self, name: &str, value: &T) -> Result<()> {
        let mut options = OpenOptions::new();
        self.write(name, value, options.write(true).create_new(true))
    }

    /// Writes the file `name`, whether it is there or not.
    pub(crate) fn replace<T: Serialize>(&self, name: &str, value: &T) -> Result<()> {
        let mut options = OpenOptions::new();
        self.write(name, value, options.write(true).create(true).truncate(true))
    }

    fn write<T: Serialize>(&self, name: &str, value: &T, options: &OpenOptions) -> Result<()> {
        let mut text =
            serde_json::to_string_pretty(value).map_err(|error| self.failed(name, error))?;
        text.push('\n');
        let written = fs::create_dir_all(&self.0)
            .and_then(|()| options.open(self.0.join(name)))
            .and_then(|mut file| file.write_all(text.as_bytes()));
        written.map_err(|error| self.failed(name, error))
    }

    fn failed(
        &self,
        name: &str,
        error: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Error {
        let path = self.0.join(name);
        Error::new(ErrorKind::Unexpected, path.display().to_string()).with_source(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_found_again_by_the_name_of_its_file() {
        let form = Form { category: "line.order".into(), event_type: "Placed".into(), version: 12 };
        assert_eq!(form.schema_file(), "line.order.Placed.v12.schema.json");
        assert_eq!(Form::of_file(&form.schema_file()), Some(form));
        for other in ["", "order.schema.json", "order.Placed.schema.json", "README.md"] {
            assert_eq!(Form::of_file(other), None, "{other}");
        }
    }
}
