//! What came of an import, for people and machines.

use std::collections::BTreeMap;

use serde::Serialize;

/// What is odd about a file, line by line. Each line of it is placed, or is found here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Findings {
    /// What was odd and is taken care of: what it was, and on which lines.
    pub notes: BTreeMap<&'static str, Vec<u64>>,
    /// What has no effect.
    pub refused: Vec<Refused>,
}

/// A line that has no effect.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Refused {
    /// Where it is in the file.
    pub line: u64,
    /// The invoice it is of.
    pub invoice: String,
    /// What it is about.
    pub code: String,
    /// Why.
    pub reason: String,
}

/// What came of an import.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// How many lines the file has, without its header.
    pub lines: u64,
    /// How many invoices.
    pub invoices: u64,
    /// How many commands of each name took effect, now or before.
    pub commands: BTreeMap<&'static str, u64>,
    /// How many commands took effect now.
    pub accepted: u64,
    /// How many had taken effect before.
    pub replayed: u64,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// What is odd about the file.
    #[serde(flatten)]
    pub findings: Findings,
}

impl Findings {
    /// Notes that `line` is odd in this way, and taken care of.
    pub(super) fn note(&mut self, what: &'static str, line: u64) {
        self.notes.entry(what).or_default().push(line);
    }
}

impl Report {
    /// How many lines have no effect.
    pub fn refused(&self) -> usize {
        self.findings.refused.len()
    }

    /// How many commands were answered in a second.
    pub fn commands_per_second(&self) -> f64 {
        (self.accepted + self.replayed) as f64 / self.seconds.max(0.001)
    }
}
