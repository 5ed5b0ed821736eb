use std::collections::BTreeMap;

use skyfold::{Result, StreamId};

use super::step::{Job, Step};
use crate::level::Pieces;
use crate::stock::{Command, Stock};

/// The stock that a file needs: what it sells must have come from somewhere.
#[derive(Debug, Default)]
pub(super) struct Supply(BTreeMap<StreamId, Need>);

/// What happens to one product.
#[derive(Debug, Default)]
struct Need {
    /// How many pieces are sold or written off.
    pieces: u64,
    counted: Vec<Counted>,
}

/// Pieces that were found or are missing when somebody counted.
#[derive(Clone, Debug)]
pub(super) struct Counted {
    pub(super) line: u64,
    /// Less than nothing if they are missing.
    pub(super) quantity: i64,
    pub(super) reason: String,
}

impl Supply {
    /// Needs `quantity` of `product`.
    pub(super) fn need(&mut self, product: &StreamId, quantity: u32) {
        self.0.entry(product.clone()).or_default().pieces += u64::from(quantity);
    }

    /// Takes note that somebody has counted `product`.
    pub(super) fn count(&mut self, product: &StreamId, counted: Counted) {
        if counted.quantity < 0 {
            let missing = u32::try_from(counted.quantity.unsigned_abs()).unwrap_or(u32::MAX);
            self.need(product, missing);
        }
        self.0.entry(product.clone()).or_default().counted.push(counted);
    }

    /// What fills the stock: a job for each product.
    pub(super) fn jobs(self) -> Result<Vec<Job>> {
        let mut jobs = vec![];
        for (product, need) in self.0 {
            let mut job = vec![];
            if need.pieces > 0 {
                // More than can be counted is not sold either: its orders will tell.
                let quantity = u32::try_from(need.pieces).unwrap_or(u32::MAX);
                let receive = Command::Receive(Pieces { quantity, reason: "imported".into() });
                let which = quantity.to_string();
                // No line says so. Without it the orders will find too little stock, and tell.
                job.push(Step::new::<Stock>("receive", &which, &product, &receive, vec![])?);
            }
            for counted in need.counted {
                job.push(step(&product, counted)?);
            }
            jobs.push(job);
        }
        Ok(jobs)
    }
}

fn step(product: &StreamId, counted: Counted) -> Result<Step> {
    let Counted { line, quantity, reason } = counted;
    // A line that says the same of the same product twice means it twice.
    let which = format!("{reason} on line {line}");
    let pieces =
        Pieces { quantity: u32::try_from(quantity.unsigned_abs()).unwrap_or(u32::MAX), reason };
    let (name, command) = match quantity {
        0.. => ("find", Command::Receive(pieces)),
        _ => ("write off", Command::WriteOff(pieces)),
    };
    Step::new::<Stock>(name, &which, product, &command, vec![line])
}
