use serde::Serialize;

/// How much is left to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Pending {
    /// Commits that the relay has not announced.
    pub commits: usize,
    /// Announcements that wait for a projection or saga, counted once for each.
    pub deliveries: usize,
    /// Commands that wait for their function and are due.
    pub commands: usize,
    /// Deliveries and commands that a function is busy with.
    pub working: usize,
    /// Commands that are due later.
    pub delayed: usize,
    /// Dead letters that wait for an operator.
    pub dead_letters: usize,
}

impl Pending {
    /// Whether nothing is left to do now. What is due later or waits for an
    /// operator does not count.
    pub fn is_settled(&self) -> bool {
        self.commits + self.deliveries + self.commands + self.working == 0
    }
}
