use crate::line::Line;
use crate::order::Event;
use crate::undoing::Undoing;
use crate::views::Sales;
use crate::{Currency, Day, Money};

/// What an event changes about sales.
#[derive(Debug)]
pub(super) struct Change<'a> {
    lines: Vec<&'a Line>,
    currency: Currency,
    direction: Direction,
    /// The day of business, if one was named.
    pub(super) on: Option<Day>,
}

/// Which way goods go.
#[derive(Clone, Copy, Debug)]
enum Direction {
    Out,
    Back,
}

impl<'a> Change<'a> {
    /// What `event` changes, if it changes anything.
    pub(super) fn of(event: &'a Event) -> Option<Self> {
        if let Event::OrderPlaced(sale) = event {
            let (lines, direction) = (sale.all_lines().collect(), Direction::Out);
            return Some(Self { lines, currency: sale.bill.currency, direction, on: sale.on });
        }
        let Undoing { lines, currency, on, .. } = Undoing::of(event)?;
        let lines = lines.iter().collect();
        Some(Self { lines, currency: *currency, direction: Direction::Back, on: *on })
    }

    /// The products that are in it.
    pub(super) fn products(&self) -> Vec<String> {
        self.lines.iter().map(|line| line.product.as_str().to_owned()).collect()
    }
}

impl Sales {
    /// Counts those lines of `change` that `are_meant`.
    pub(super) fn count(&mut self, change: &Change<'_>, are_meant: impl Fn(&Line) -> bool) {
        for line in change.lines.iter().filter(|line| are_meant(line)) {
            let (quantity, amount) = (i64::from(line.quantity), line.amount().unwrap_or_default());
            let (quantity, amount) = match change.direction {
                Direction::Out => (quantity, amount),
                Direction::Back => (-quantity, amount.negated()),
            };
            self.quantity += quantity;
            let total: &mut Money = self.amounts.entry(change.currency).or_default();
            *total = total.saturating_add(amount);
        }
    }
}
