use std::fmt;

use serde::Serialize;

use crate::difference::Difference;

/// What a check has found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// What is wrong. Nothing is, if there is none of it.
    pub findings: Vec<Finding>,
    /// What could not be checked, and how it could be.
    pub notes: Vec<String>,
}

/// Something that is not as it was recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What: an event in one version, such as `order.OrderPlaced.v2`, or a state.
    pub subject: String,
    /// In which way it is wrong.
    pub kind: FindingKind,
    /// The same in words.
    pub problem: String,
    /// Where it differs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<Difference>,
    /// What to do.
    pub fix: String,
}

/// In which way something is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FindingKind {
    /// It is not locked yet. [`accept`](crate::accept) locks it.
    New,
    /// It has another form than the one that is locked under its version.
    Changed,
    /// A later version of it is locked.
    Behind,
    /// Nothing reads it any more.
    Gone,
    /// It cannot be read.
    Unreadable,
    /// It is read as something else than before.
    ReadOtherwise,
}

impl Report {
    /// Whether nothing is wrong.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    /// Whether whatever is wrong is only new.
    pub(crate) fn is_acceptable(&self) -> bool {
        self.findings.iter().all(|finding| finding.kind == FindingKind::New)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            writeln!(f, "{finding}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.subject, self.problem)?;
        for difference in &self.differences {
            writeln!(f, "  {difference}")?;
        }
        writeln!(f, "  fix: {}", self.fix)
    }
}
