use std::fmt;

use serde::Serialize;

/// One way in which two forms differ.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Difference {
    /// Where, such as `lines[].unitPrice`; empty for the whole.
    pub path: String,
    /// What is different there.
    #[serde(flatten)]
    pub change: Change,
}

/// What is different.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase", tag = "change")]
pub enum Change {
    /// Something is there that was not.
    Added {
        /// What it is.
        is: String,
    },
    /// Something is not there that was.
    Removed {
        /// What it was.
        was: String,
    },
    /// The same thing has another name.
    Renamed {
        /// Which.
        to: String,
    },
    /// Something is of another kind, or another value.
    Changed {
        /// What it was.
        was: String,
        /// What it is.
        is: String,
    },
}

impl Difference {
    pub(crate) fn new(path: &str, change: Change) -> Self {
        Self { path: path.to_owned(), change }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "the whole" } else { &self.path };
        match &self.change {
            Change::Added { is } => write!(f, "+ {path}: {is}"),
            Change::Removed { was } => write!(f, "- {path}: {was}"),
            Change::Renamed { to } => write!(f, "~ {path}: is called {to} now"),
            Change::Changed { was, is } => write!(f, "~ {path}: was {was}, is {is}"),
        }
    }
}
