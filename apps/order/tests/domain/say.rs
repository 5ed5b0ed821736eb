//! What tests talk about, in few words.

use order::bill::Bill;
use order::line::{Line, LineKind, Returned};
use order::sale::{Basket, Part, Sale};
use order::undoing::{Because, BroughtBack, Undoing};
use order::{Currency, Day, Money};
use skyfold::StreamId;

pub(crate) fn id(text: &str) -> StreamId {
    text.parse().unwrap()
}

pub(crate) fn money(text: &str) -> Money {
    text.parse().unwrap()
}

pub(crate) fn gbp() -> Currency {
    "GBP".parse().unwrap()
}

pub(crate) fn day(text: &str) -> Day {
    text.parse().unwrap()
}

/// A line with a description that tells what it is.
pub(crate) fn line(product: &str, quantity: u32, unit_price: &str) -> Line {
    let (unit_price, description) = (money(unit_price), format!("a {product}"));
    Line { product: id(product), description, quantity, unit_price, kind: LineKind::Goods }
}

pub(crate) fn charge(product: &str, unit_price: &str) -> Line {
    Line { kind: LineKind::Charge, ..line(product, 1, unit_price) }
}

pub(crate) fn part(lines: impl Into<Vec<Line>>) -> Part {
    Part { lines: lines.into() }
}

/// What ada wants, in pounds, on the first of December.
pub(crate) fn basket(lines: impl Into<Vec<Line>>) -> Basket {
    let (customer, on) = (Some(id("ada")), Some(day("2010-12-01")));
    Basket { customer, recipient: None, currency: gbp(), lines: lines.into(), on }
}

/// What ada bought.
pub(crate) fn sale(lines: impl Into<Vec<Line>>) -> Sale {
    let Basket { customer, recipient, currency, lines, on } = basket(lines);
    let bill = Bill { amount: sum(&lines), currency };
    Sale { customer, recipient, lines, earlier: vec![], bill, on }
}

/// The sale of `lines` after `earlier` ones.
pub(crate) fn later_sale(earlier: impl Into<Vec<Line>>, lines: impl Into<Vec<Line>>) -> Sale {
    let (earlier, sale) = (bare(&earlier.into()), sale(lines));
    let amount = sale.bill.amount.checked_add(sum(&earlier)).unwrap();
    Sale { earlier, bill: Bill { amount, ..sale.bill }, ..sale }
}

pub(crate) fn because(reason: &str) -> Because {
    Because { reason: reason.into(), on: None }
}

pub(crate) fn brought_back<const N: usize>(lines: [(&str, u32, Option<&str>); N]) -> BroughtBack {
    let returned = |(product, quantity, price): (&str, u32, Option<&str>)| Returned {
        product: id(product),
        quantity,
        unit_price: price.map(money),
    };
    let lines = lines.into_iter().map(returned).collect();
    BroughtBack { lines, reason: "too small".into(), on: None }
}

/// What undoes `lines`.
pub(crate) fn undoing(reason: &str, lines: impl Into<Vec<Line>>) -> Undoing {
    let lines = bare(&lines.into());
    let amount = sum(&lines);
    Undoing { reason: reason.into(), lines, amount, currency: gbp(), on: None }
}

pub(crate) fn bare(lines: &[Line]) -> Vec<Line> {
    lines.iter().map(Line::bare).collect()
}

/// What `lines` come to.
pub(crate) fn sum(lines: &[Line]) -> Money {
    let amounts = lines.iter().map(|line| line.amount().unwrap());
    amounts.fold(Money::ZERO, |sum, amount| sum.checked_add(amount).unwrap())
}
