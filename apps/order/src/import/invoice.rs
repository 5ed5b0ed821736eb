//! The lines of a file, invoice by invoice.

use std::collections::HashMap;

use skyfold::StreamId;

use super::parse::Row;
use super::report::Findings;
use crate::line::{Line, LineKind};
use crate::{Day, Money};

/// What the number of a cancellation begins with.
const CANCELLATION: char = 'C';

/// Codes of what is charged for and not stocked, in capitals.
const CHARGES: [&str; 10] =
    ["AMAZONFEE", "B", "BANK CHARGES", "C2", "CRUK", "D", "DOT", "M", "POST", "S"];

/// What the codes of vouchers begin with, which are not stocked either.
const VOUCHER: &str = "GIFT_";

/// The lines of one number.
#[derive(Debug)]
pub(super) struct Invoice {
    pub(super) number: String,
    pub(super) rows: Vec<Row>,
}

/// What an invoice is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Somebody buys something.
    Order,
    /// Somebody brings something back.
    Cancellation,
    /// Somebody has counted the stock: nobody buys, and nothing is paid.
    Adjustment,
}

/// The lines of `rows` by their invoice, in order of its first line.
pub(super) fn group(rows: Vec<Row>) -> Vec<Invoice> {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut invoices: Vec<Invoice> = vec![];
    for row in rows {
        let place = *places.entry(row.invoice.clone()).or_insert_with(|| {
            invoices.push(Invoice { number: row.invoice.clone(), rows: vec![] });
            invoices.len() - 1
        });
        invoices[place].rows.push(row);
    }
    invoices
}

impl Invoice {
    pub(super) fn kind(&self) -> Kind {
        let is_free = |row: &Row| row.customer.is_empty() && row.unit_price == Money::ZERO;
        if self.number.starts_with(CANCELLATION) {
            Kind::Cancellation
        } else if self.rows.iter().all(is_free) {
            Kind::Adjustment
        } else {
            Kind::Order
        }
    }

    /// The day of business: that of the first line.
    pub(super) fn day(&self) -> Option<Day> {
        self.rows.first().and_then(|row| row.day)
    }

    /// Who bought, if somebody is named.
    ///
    /// # Errors
    ///
    /// The reason, if what is named cannot be the name of a customer.
    pub(super) fn customer(&self) -> Result<Option<StreamId>, String> {
        match self.rows.first().map(|row| row.customer.as_str()) {
            None | Some("") => Ok(None),
            Some(name) => StreamId::new(name).map(Some).map_err(|error| error.to_string()),
        }
    }

    /// Notes what is odd about the whole of it.
    pub(super) fn note(&self, findings: &mut Findings) {
        for row in &self.rows {
            if row.is_latin_1 {
                findings.note("the description is not UTF-8: read as Latin-1", row.line);
            }
            if row.day != self.day() {
                findings
                    .note("another day than the invoice's first line: the first counts", row.line);
            }
        }
    }
}

/// The line of an order that `row` is, with `quantity`.
///
/// # Errors
///
/// The reason, if its code cannot be the code of a product.
pub(super) fn line(row: &Row, quantity: u32, findings: &mut Findings) -> Result<Line, String> {
    let (product, kind) = product(row, findings)?;
    let (description, unit_price) = (row.description.clone(), row.unit_price);
    Ok(Line { product, description, quantity, unit_price, kind })
}

/// What the code of `row` stands for.
///
/// # Errors
///
/// The reason, if it cannot be the code of a product.
pub(super) fn product(row: &Row, findings: &mut Findings) -> Result<(StreamId, LineKind), String> {
    let code = row.code.to_uppercase();
    let is_charge = CHARGES.contains(&code.as_str()) || code.starts_with(VOUCHER);
    let kind = if is_charge { LineKind::Charge } else { LineKind::Goods };
    let spaceless = code.replace(' ', "_");
    if spaceless != code {
        findings.note("the code has spaces: underscores take their place", row.line);
    }
    if code != row.code {
        findings.note("the code has small letters: taken as capitals", row.line);
    }
    let product = StreamId::new(&spaceless).map_err(|error| error.to_string())?;
    Ok((product, kind))
}
