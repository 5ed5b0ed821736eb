use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use skyfold::{Listed, Projection, RecordedEvent, Subscription};

use super::account::{Account, Event};

/// What each account holds: a view of one stream each.
#[derive(Debug)]
pub struct Balances;

/// The view of one account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// Whose it is.
    pub owner: String,
    /// What is in it.
    pub cents: u64,
    /// The versions of the events that were applied, in the order in which they were.
    pub applied: Vec<u64>,
}

impl Report {
    fn after(mut self, event: &RecordedEvent<Event>) -> Self {
        match &event.data {
            Event::Opened { owner } | Event::Renamed { owner } => self.owner.clone_from(owner),
            Event::Deposited { cents }
            | Event::Received { cents, .. }
            | Event::Refunded { cents, .. } => self.cents += cents,
            Event::Withdrawn { cents } | Event::Sent { cents, .. } => {
                self.cents = self.cents.saturating_sub(*cents);
            }
            _ => {}
        }
        self.applied.push(event.version.0);
        self
    }
}

impl Projection for Balances {
    const NAME: &'static str = "balances";
    const LISTS: &'static [&'static str] = &["by-owner", "rich"];
    type Input = Event;
    type View = Report;

    fn subscription() -> Subscription<Event> {
        Subscription::of::<Account>()
    }

    fn project(_: &str, view: Option<Report>, event: &RecordedEvent<Event>) -> Option<Report> {
        match event.data {
            Event::Closed => None,
            _ => Some(view.unwrap_or_default().after(event)),
        }
    }

    fn listed(_: &str, view: &Report) -> Vec<Listed> {
        let by = format!("{:012}", view.cents);
        let owner = if view.owner.is_empty() { "nobody" } else { &view.owner };
        let mut listed = vec![Listed::new("by-owner", owner, &by)];
        if view.cents >= 1000 {
            listed.push(Listed::new("rich", "all", by));
        }
        listed
    }
}

/// The same read model in its next revision: built beside the old one.
#[derive(Debug)]
pub struct BalancesAnew;

impl Projection for BalancesAnew {
    const NAME: &'static str = "balances";
    const REVISION: u32 = 2;
    type Input = Event;
    type View = u64;

    fn subscription() -> Subscription<Event> {
        Subscription::of::<Account>()
    }

    fn project(_: &str, view: Option<u64>, event: &RecordedEvent<Event>) -> Option<u64> {
        let report = Report { cents: view.unwrap_or(0), ..Report::default() };
        Some(report.after(event).cents)
    }
}

/// The versions seen of each account, unless a misfortune makes it panic.
#[derive(Debug)]
pub struct Fragile;

impl Projection for Fragile {
    const NAME: &'static str = "fragile";
    type Input = Event;
    type View = Vec<u64>;

    fn subscription() -> Subscription<Event> {
        Subscription::of::<Account>()
    }

    fn project(_: &str, view: Option<Vec<u64>>, event: &RecordedEvent<Event>) -> Option<Vec<u64>> {
        if event.data == Event::Jinxed {
            panic_quietly();
        }
        Some(with(view, event.version.0))
    }
}

/// The same read model after the mistake was found.
#[derive(Debug)]
pub struct Mended;

impl Projection for Mended {
    const NAME: &'static str = "fragile";
    type Input = Event;
    type View = Vec<u64>;

    fn subscription() -> Subscription<Event> {
        Subscription::of::<Account>()
    }

    fn project(_: &str, view: Option<Vec<u64>>, event: &RecordedEvent<Event>) -> Option<Vec<u64>> {
        Some(with(view, event.version.0))
    }
}

/// Panics as any code may, but without the noise on the terminal.
pub(super) fn panic_quietly() {
    std::panic::resume_unwind(Box::new("a misfortune"));
}

fn with(view: Option<Vec<u64>>, version: u64) -> Vec<u64> {
    let mut versions = view.unwrap_or_default();
    versions.push(version);
    versions
}
