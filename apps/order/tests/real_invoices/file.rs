//! The file as a test reads it: on its own, and not as the importer does.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;

use rust_decimal::Decimal;

/// Codes of what nobody keeps in stock.
const NO_GOODS: [&str; 7] = ["POST", "M", "DOT", "D", "C2", "BANK CHARGES", "AMAZONFEE"];

/// A file of invoices, and what is in it.
#[derive(Clone, Debug)]
pub(crate) struct File {
    pub(crate) text: String,
    pub(crate) lines: Vec<Line>,
}

#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) number: u64,
    pub(crate) invoice: String,
    /// In capitals.
    pub(crate) code: String,
    pub(crate) quantity: i64,
    pub(crate) price: Decimal,
    pub(crate) customer: String,
    /// Year, month and day.
    pub(crate) day: String,
}

/// What some lines come to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Total {
    pub(crate) quantity: i64,
    pub(crate) amount: Decimal,
}

/// What has happened to the stock of a product.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Pieces {
    pub(crate) sold: i64,
    pub(crate) came_back: i64,
    pub(crate) found: i64,
    pub(crate) written_off: i64,
}

impl File {
    /// The invoices of the first days of December 2010, if they are there.
    pub(crate) fn december() -> Option<Self> {
        let path = data("online-retail-2010-12.csv")?;
        Some(Self::of(std::fs::read_to_string(path).unwrap()))
    }

    fn of(text: String) -> Self {
        let mut lines = vec![];
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
        for (index, record) in reader.records().enumerate().skip(1) {
            let record = record.unwrap();
            let date = record[4].split(' ').next().unwrap();
            let date: Vec<u32> = date.split('/').map(|part| part.parse().unwrap()).collect();
            lines.push(Line {
                number: index as u64 + 1,
                invoice: record[0].to_owned(),
                code: record[1].to_uppercase(),
                quantity: record[3].parse().unwrap(),
                price: record[5].parse().unwrap(),
                customer: record[6].to_owned(),
                day: format!("{}-{:02}-{:02}", date[2], date[0], date[1]),
            });
        }
        Self { text, lines }
    }

    /// The same with those invoices only that `are_wanted`.
    pub(crate) fn only(&self, are_wanted: &BTreeSet<&str>) -> Self {
        let mut text = String::new();
        for (index, line) in self.text.lines().enumerate() {
            let invoice = line.split(',').next().unwrap();
            if index == 0 || are_wanted.contains(invoice) {
                text.push_str(line);
                text.push('\n');
            }
        }
        Self::of(text)
    }

    /// The numbers of all invoices.
    pub(crate) fn invoices(&self) -> BTreeSet<&str> {
        self.lines.iter().map(|line| line.invoice.as_str()).collect()
    }

    /// The cancelled lines that cancel nothing: whose customer has not bought so many of the
    /// product at the price earlier in the file.
    pub(crate) fn without_purchase(&self) -> BTreeSet<u64> {
        let mut left: HashMap<(&str, &str, Decimal), i64> = HashMap::new();
        let mut found = BTreeSet::new();
        for line in &self.lines {
            let bought = left.entry((&line.customer, &line.code, line.price)).or_default();
            if !line.is_cancellation() {
                *bought += line.quantity;
            } else if line.customer.is_empty() || *bought < -line.quantity {
                found.insert(line.number);
            } else {
                *bought += line.quantity;
            }
        }
        found
    }

    /// What was sold less what came back, but for the lines `without` effect, by what `key` says.
    pub(crate) fn totals<'a>(
        &'a self,
        without: &BTreeSet<u64>,
        key: impl Fn(&'a Line) -> &'a str,
    ) -> BTreeMap<String, Total> {
        let mut totals: BTreeMap<String, Total> = BTreeMap::new();
        for line in self.lines.iter().filter(|line| !line.is_count()) {
            if !without.contains(&line.number) {
                let total = totals.entry(key(line).to_owned()).or_default();
                total.quantity += line.quantity;
                total.amount += line.price * Decimal::from(line.quantity);
            }
        }
        totals
    }

    /// What has happened to the stock of each product, but for the lines `without` effect.
    pub(crate) fn pieces(&self, without: &BTreeSet<u64>) -> BTreeMap<String, Pieces> {
        let mut pieces: BTreeMap<String, Pieces> = BTreeMap::new();
        for line in self.lines.iter().filter(|line| line.is_goods()) {
            if without.contains(&line.number) {
                continue;
            }
            let of = pieces.entry(line.code.clone()).or_default();
            let count = match (line.is_count(), line.quantity) {
                (true, 0..) => &mut of.found,
                (true, _) => &mut of.written_off,
                (false, 0..) => &mut of.sold,
                (false, _) => &mut of.came_back,
            };
            *count += line.quantity.abs();
        }
        pieces
    }
}

/// Where the real file `name` is, if it is there: in CI it must be.
pub(crate) fn data(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name);
    if path.exists() {
        return Some(path);
    }
    let message = format!("{} is absent: no real invoices were imported", path.display());
    assert!(std::env::var_os("CI").is_none(), "{message}");
    eprintln!("{message}");
    None
}

impl Line {
    pub(crate) fn is_cancellation(&self) -> bool {
        self.invoice.starts_with('C')
    }

    /// Whether the line is about what somebody has counted: nobody buys, nothing is paid.
    pub(crate) fn is_count(&self) -> bool {
        self.customer.is_empty() && self.price.is_zero()
    }

    fn is_goods(&self) -> bool {
        !NO_GOODS.contains(&self.code.as_str())
    }
}
