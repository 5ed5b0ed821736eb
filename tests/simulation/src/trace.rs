//! What happened, step by step.

use std::fmt;

use time::OffsetDateTime;

/// Whether a run writes down what happens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tracing {
    /// Only its digest, which tells whether two runs were the same.
    #[default]
    Off,
    /// Every step.
    On,
}

/// What happened in a run.
#[derive(Clone, Debug)]
pub(crate) struct Trace {
    tracing: Tracing,
    lines: Vec<String>,
    digest: u64,
}

impl Trace {
    pub(crate) fn new(tracing: Tracing) -> Self {
        Self { tracing, lines: vec![], digest: 0xcbf2_9ce4_8422_2325 }
    }

    /// The steps, if they were written down.
    pub(crate) fn lines(&self) -> &[String] {
        &self.lines
    }

    /// A digest of all steps: the same only if they were the same.
    pub(crate) fn digest(&self) -> u64 {
        self.digest
    }

    /// Adds `value` to the digest.
    pub(crate) fn mark(&mut self, value: u64) {
        self.digest = (self.digest ^ value).wrapping_mul(0x0100_0000_01b3).rotate_left(7);
    }

    /// Writes a step down.
    pub(crate) fn note(&mut self, now: OffsetDateTime, what: impl FnOnce(&mut dyn fmt::Write)) {
        if self.tracing == Tracing::Off {
            return;
        }
        let (date, time) = (now.date(), now.time());
        let (hour, minute, second) = time.as_hms();
        let mut line =
            format!("{date} {hour:02}:{minute:02}:{second:02}.{:03} ", time.millisecond());
        what(&mut line);
        self.lines.push(line);
    }
}
