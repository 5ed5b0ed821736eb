//! What the lines of a file ask for, as commands.

use std::collections::{BTreeMap, HashMap};

use skyfold::{Result, StreamId};

use super::cancellation::{Back, How, Purchases, Undone};
use super::invoice::{self, Invoice, Kind};
use super::parse::Row;
use super::report::{Findings, Refused};
use super::step::{Job, Step};
use super::supply::{Counted, Supply};
use crate::line::{COMMAND_LINES_MAX, Line, LineKind, Returned};
use crate::order::{Command, Order};
use crate::sale::{Basket, Part};
use crate::undoing::{Because, BroughtBack};
use crate::{Currency, Money};

/// What a file asks for.
#[derive(Debug, Default)]
pub struct Plan {
    /// What fills the stock: a job for each product.
    pub stock: Vec<Job>,
    /// What places the orders: a job for each.
    pub orders: Vec<Job>,
    /// What undoes orders once they are confirmed: a job for each, by order.
    pub undoings: BTreeMap<StreamId, Job>,
    /// What is odd about the file.
    pub findings: Findings,
    /// How many lines it has.
    pub lines: u64,
    /// How many invoices.
    pub invoices: u64,
    /// The invoice and the code of each line.
    origins: HashMap<u64, (String, String)>,
}

impl Plan {
    /// What `rows` ask for, at prices in `currency`.
    ///
    /// # Errors
    ///
    /// None that a file could cause: commands have a JSON form.
    pub fn of(rows: Vec<Row>, currency: Currency) -> Result<Self> {
        let mut plan = Self { lines: rows.len() as u64, ..Self::default() };
        let (mut supply, mut purchases) = (Supply::default(), Purchases::default());
        for row in &rows {
            plan.origins.insert(row.line, (row.invoice.clone(), row.code.clone()));
        }
        for invoice in invoice::group(rows) {
            plan.invoices += 1;
            invoice.note(&mut plan.findings);
            match invoice.kind() {
                Kind::Order => plan.order(&invoice, currency, &mut supply, &mut purchases)?,
                Kind::Cancellation => plan.cancellation(&invoice, &mut purchases)?,
                Kind::Adjustment => plan.adjustment(&invoice, &mut supply),
            }
        }
        plan.stock = supply.jobs()?;
        Ok(plan)
    }

    /// How many commands there are, and orders to look after.
    pub fn size(&self) -> u64 {
        let jobs = self.stock.iter().chain(&self.orders).chain(self.undoings.values());
        (jobs.map(Vec::len).sum::<usize>() + self.orders.len()) as u64
    }

    /// Takes note that `lines` have no effect.
    pub(super) fn refuse(&mut self, lines: &[u64], reason: &str) {
        for line in lines {
            let (invoice, code) = self.origins.get(line).cloned().unwrap_or_default();
            let refused = Refused { line: *line, invoice, code, reason: reason.to_owned() };
            self.findings.refused.push(refused);
        }
    }

    fn order(
        &mut self,
        invoice: &Invoice,
        currency: Currency,
        supply: &mut Supply,
        purchases: &mut Purchases,
    ) -> Result<()> {
        let (order, customer) = match (StreamId::new(&invoice.number), invoice.customer()) {
            (Ok(order), Ok(customer)) => (order, customer),
            (Err(error), _) => {
                self.refuse_all(invoice, &error.to_string());
                return Ok(());
            }
            (_, Err(reason)) => {
                self.refuse_all(invoice, &reason);
                return Ok(());
            }
        };
        let (mut lines, mut places) = (vec![], vec![]);
        for row in &invoice.rows {
            match self.line(invoice, row) {
                Err(reason) => self.refuse(&[row.line], &reason),
                Ok(line) => {
                    if line.kind == LineKind::Goods {
                        supply.need(&line.product, line.quantity);
                    }
                    lines.push(line);
                    places.push(row.line);
                }
            }
        }
        if lines.is_empty() {
            return Ok(());
        }
        if let Some(customer) = &customer {
            purchases.buy(customer, &order, &lines);
        }
        let basket =
            Basket { customer, recipient: None, currency, lines: vec![], on: invoice.day() };
        self.orders.push(placement(&order, basket, &lines, places)?);
        Ok(())
    }

    /// The line of an order that `row` is.
    fn line(&mut self, invoice: &Invoice, row: &Row) -> Result<Line, String> {
        if row.customer != invoice.rows[0].customer {
            return Err("another customer than on the invoice's first line".into());
        }
        if row.quantity <= 0 {
            return Err(
                "nothing is sold, and the invoice is neither a cancellation nor a count".into()
            );
        }
        let quantity = u32::try_from(row.quantity).map_err(|_| "the quantity is too large")?;
        let line = invoice::line(row, quantity, &mut self.findings)?;
        if row.customer.is_empty() {
            self.findings.note("nobody is named: a guest's order", row.line);
        }
        if line.kind == LineKind::Charge {
            self.findings.note("no goods: charged for, and not taken out of stock", row.line);
        }
        if line.unit_price == Money::ZERO {
            self.findings.note("the price is 0: given away", row.line);
        }
        Ok(line)
    }

    fn cancellation(&mut self, invoice: &Invoice, purchases: &mut Purchases) -> Result<()> {
        let customer = match invoice.customer() {
            Ok(Some(customer)) => customer,
            Ok(None) => {
                self.refuse_all(invoice, "nobody is named whose order it could be of");
                return Ok(());
            }
            Err(reason) => {
                self.refuse_all(invoice, &reason);
                return Ok(());
            }
        };
        let mut back = vec![];
        for row in &invoice.rows {
            match self.back(invoice, row) {
                Err(reason) => self.refuse(&[row.line], &reason),
                Ok(returned) => back.push(Back { line: row.line, returned }),
            }
        }
        let (undone, unplaced) = purchases.bring_back(&customer, &back);
        for (line, reason) in unplaced {
            self.refuse(&[line], reason);
        }
        for undone in undone {
            self.undo(invoice, undone)?;
        }
        Ok(())
    }

    /// What comes back by `row`.
    fn back(&mut self, invoice: &Invoice, row: &Row) -> Result<Returned, String> {
        if row.customer != invoice.rows[0].customer {
            return Err("another customer than on the invoice's first line".into());
        }
        if row.quantity >= 0 {
            return Err("a cancellation that takes nothing back".into());
        }
        let quantity = row.quantity.unsigned_abs();
        let quantity = u32::try_from(quantity).map_err(|_| "the quantity is too large")?;
        let (product, kind) = invoice::product(row, &mut self.findings)?;
        if kind == LineKind::Charge && product.as_str() == DISCOUNT {
            return Err("a discount that names no order".into());
        }
        Ok(Returned { product, quantity, unit_price: Some(row.unit_price) })
    }

    /// Undoes an order as far as `undone` says.
    fn undo(&mut self, invoice: &Invoice, undone: Undone) -> Result<()> {
        let Undone { order, how, lines } = undone;
        let (on, number) = (invoice.day(), invoice.number.as_str());
        let job = self.undoings.entry(order.clone()).or_default();
        let step = |name, command: Command| {
            Step::new::<Order>(name, number, &order, &command, lines.clone())
        };
        if let How::FirstReturned(_) = how {
            job.push(step("ship", Command::Ship)?);
            job.push(step("deliver", Command::Deliver)?);
        }
        let reason = format!("cancelled by {number}");
        let (name, command) = match how {
            How::Cancelled => ("cancel", Command::Cancel(Because { reason, on })),
            How::FirstReturned(lines) | How::Returned(lines) => {
                ("return", Command::Return(BroughtBack { lines, reason, on }))
            }
        };
        job.push(step(name, command)?);
        for line in &lines {
            self.findings.note("names no order: taken out of the newest that has it", *line);
        }
        Ok(())
    }

    fn adjustment(&mut self, invoice: &Invoice, supply: &mut Supply) {
        for row in &invoice.rows {
            let reason = match row.description.as_str() {
                "" => format!("counted by {}", invoice.number),
                said => format!("counted by {}: {said}", invoice.number),
            };
            let counted = Counted { line: row.line, quantity: row.quantity, reason };
            match invoice::product(row, &mut self.findings) {
                Err(reason) => self.refuse(&[row.line], &reason),
                Ok((_, LineKind::Charge)) => self.refuse(&[row.line], "no goods, and no price"),
                Ok(_) if row.quantity == 0 => self.refuse(&[row.line], "nothing is counted"),
                Ok((product, LineKind::Goods)) => {
                    let what = match row.quantity {
                        0.. => "no customer and no price: found in stock",
                        _ => "no customer and no price: written off",
                    };
                    self.findings.note(what, row.line);
                    supply.count(&product, counted);
                }
            }
        }
    }

    fn refuse_all(&mut self, invoice: &Invoice, reason: &str) {
        let lines: Vec<_> = invoice.rows.iter().map(|row| row.line).collect();
        self.refuse(&lines, reason);
    }
}

/// The code of discounts.
const DISCOUNT: &str = "D";

/// What places an order of `lines`, which are at `places` in the file: in parts, if it is long.
fn placement(order: &StreamId, basket: Basket, lines: &[Line], places: Vec<u64>) -> Result<Job> {
    let mut parts: Vec<_> = lines.chunks(COMMAND_LINES_MAX).map(<[Line]>::to_vec).collect();
    let lines = parts.pop().unwrap_or_default();
    let mut job = vec![];
    for (nth, lines) in parts.into_iter().enumerate() {
        let add = Command::AddLines(Part { lines });
        job.push(Step::new::<Order>("add lines", &nth.to_string(), order, &add, vec![])?);
    }
    // Without it the other lines have no effect either, so it is on account of all of them.
    let place = Command::Place(Basket { lines, ..basket });
    job.push(Step::new::<Order>("place", "", order, &place, places)?);
    Ok(job)
}
