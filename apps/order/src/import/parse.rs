//! Reads a file of invoices, line by line.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use csv::{ByteRecord, ReaderBuilder, Terminator};
use flate2::read::MultiGzDecoder;
use time::PrimitiveDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use crate::{Day, Money};

/// How many lines a file may have.
pub const FILE_LINES_MAX: usize = 5_000_000;

/// The columns that a file must have, and one that it may have.
const INVOICE: &str = "InvoiceNo";
const CODE: &str = "StockCode";
const DESCRIPTION: &str = "Description";
const QUANTITY: &str = "Quantity";
const PRICE: &str = "UnitPrice";
const CUSTOMER: &str = "CustomerID";
const DATE: &str = "InvoiceDate";

const DATE_FORMAT: &[BorrowedFormatItem<'_>] = format_description!(
    "[month padding:none]/[day padding:none]/[year] [hour padding:none]:[minute]"
);

/// A line of an invoice, as the file has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Where it is in the file, from 1; the header is line 1.
    pub line: u64,
    /// The number of its invoice.
    pub invoice: String,
    /// The product, or what is charged for.
    pub code: String,
    /// What people call it.
    pub description: String,
    /// How many; less than nothing if they come back or are gone.
    pub quantity: i64,
    /// The price of one.
    pub unit_price: Money,
    /// Who bought; empty if nobody knows.
    pub customer: String,
    /// The day of business, if the file has dates.
    pub day: Option<Day>,
    /// Whether the description is no UTF-8, and was read as Latin-1.
    pub is_latin_1: bool,
}

/// Why a file cannot be read as invoices.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The file cannot be opened.
    #[error("{} cannot be opened: {source}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file cannot be read on, or is no CSV from there.
    #[error("line {line} cannot be read: {source}")]
    Read {
        /// The line.
        line: u64,
        /// Why.
        source: csv::Error,
    },
    /// A column is missing.
    #[error("the file has no column {column}, only {found:?}")]
    Column {
        /// The column.
        column: &'static str,
        /// What the first line names.
        found: Vec<String>,
    },
    /// A value is none of its column.
    #[error("line {line}: {value:?} is no {column}")]
    Value {
        /// The line.
        line: u64,
        /// The column.
        column: &'static str,
        /// The value.
        value: String,
    },
    /// A value is not encoded as UTF-8.
    #[error("line {line}: the {column} is not encoded as UTF-8: {value:?}")]
    Encoding {
        /// The line.
        line: u64,
        /// The column.
        column: &'static str,
        /// The value, as far as it can be shown.
        value: String,
    },
    /// There are too many lines.
    #[error("the file has more than {FILE_LINES_MAX} lines: split it")]
    TooLong,
}

/// Reads the file at `path`, which may be compressed with gzip.
///
/// # Errors
///
/// The first line that is not a line of an invoice: nothing is known of a file before all of it
/// makes sense.
pub fn read(path: &Path) -> Result<Vec<Row>, FileError> {
    let open = |source| FileError::Open { path: path.to_owned(), source };
    let file = BufReader::new(File::open(path).map_err(open)?);
    match path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz")) {
        true => rows(MultiGzDecoder::new(file)),
        false => rows(file),
    }
}

/// Reads lines of invoices from `text`.
///
/// # Errors
///
/// As of [`read`].
pub fn rows(text: impl Read) -> Result<Vec<Row>, FileError> {
    // With a pair of characters at their ends, lines would be counted one too low; and what is
    // before the second of the two is trimmed with the rest.
    let mut reader = ReaderBuilder::new().terminator(Terminator::Any(b'\n')).from_reader(text);
    let header = reader.byte_headers().map_err(|source| FileError::Read { line: 1, source })?;
    let columns = Columns::of(header)?;
    let mut rows = vec![];
    let mut record = ByteRecord::new();
    loop {
        let line = reader.position().line();
        if !reader
            .read_byte_record(&mut record)
            .map_err(|source| FileError::Read { line, source })?
        {
            return Ok(rows);
        }
        if rows.len() == FILE_LINES_MAX {
            return Err(FileError::TooLong);
        }
        let line = record.position().map_or(line, csv::Position::line);
        rows.push(columns.row(line, &record)?);
    }
}

/// Where each column is.
struct Columns {
    invoice: usize,
    code: usize,
    description: usize,
    quantity: usize,
    price: usize,
    customer: usize,
    date: Option<usize>,
}

impl Columns {
    fn of(header: &ByteRecord) -> Result<Self, FileError> {
        let find =
            |column: &str| header.iter().position(|name| name.trim_ascii() == column.as_bytes());
        let found =
            || header.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
        let need =
            |column| find(column).ok_or_else(|| FileError::Column { column, found: found() });
        Ok(Self {
            invoice: need(INVOICE)?,
            code: need(CODE)?,
            description: need(DESCRIPTION)?,
            quantity: need(QUANTITY)?,
            price: need(PRICE)?,
            customer: need(CUSTOMER)?,
            date: find(DATE),
        })
    }

    fn row(&self, line: u64, record: &ByteRecord) -> Result<Row, FileError> {
        let field = |column, at: usize| text(line, column, &record[at]);
        let wrong =
            |column, value: &str| FileError::Value { line, column, value: value.to_owned() };
        let (description, is_latin_1) = lenient_text(&record[self.description]);
        let quantity = field(QUANTITY, self.quantity)?;
        let unit_price = field(PRICE, self.price)?;
        let day = match self.date {
            None => None,
            Some(at) => {
                let date = field(DATE, at)?;
                let parsed = PrimitiveDateTime::parse(&date, DATE_FORMAT).ok();
                let day = parsed.and_then(|moment| Day::try_from(moment.date()).ok());
                Some(day.ok_or_else(|| wrong(DATE, &date))?)
            }
        };
        let row = Row {
            line,
            invoice: field(INVOICE, self.invoice)?,
            code: field(CODE, self.code)?,
            description,
            quantity: quantity.parse().map_err(|_| wrong(QUANTITY, &quantity))?,
            unit_price: unit_price.parse().map_err(|_| wrong(PRICE, &unit_price))?,
            customer: field(CUSTOMER, self.customer)?,
            day,
            is_latin_1,
        };
        for (column, value) in [(INVOICE, &row.invoice), (CODE, &row.code)] {
            if value.is_empty() {
                return Err(wrong(column, value));
            }
        }
        Ok(row)
    }
}

/// A value on which something depends.
fn text(line: u64, column: &'static str, value: &[u8]) -> Result<String, FileError> {
    match str::from_utf8(value) {
        Ok(text) => Ok(text.trim().to_owned()),
        Err(_) => {
            let value = String::from_utf8_lossy(value).into_owned();
            Err(FileError::Encoding { line, column, value })
        }
    }
}

/// A value that is only shown, and whether it is no UTF-8.
fn lenient_text(value: &[u8]) -> (String, bool) {
    match str::from_utf8(value) {
        Ok(text) => (text.trim().to_owned(), false),
        // Latin-1 has the code points of Unicode.
        Err(_) => {
            let text: String = value.iter().map(|byte| char::from(*byte)).collect();
            (text.trim().to_owned(), true)
        }
    }
}
