//! The lines of an order: what is sold, and what of it comes back.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use skyfold::StreamId;

use crate::Money;
use crate::shares::Goods;

/// How many lines an order may have.
pub const ORDER_LINES_MAX: usize = 1_000;

/// How many lines one command may bring: the rest of a longer order comes before, in parts.
pub const COMMAND_LINES_MAX: usize = 100;

/// How many pieces a line may be of.
pub const LINE_QUANTITY_MAX: u32 = 1_000_000;

/// How many characters a product's code may have: with them, the lines of the longest order fit
/// into one event.
pub const PRODUCT_CHARS_MAX: usize = 32;

/// How many bytes a description may have: with them, so does the view of the longest order.
pub const DESCRIPTION_BYTES_MAX: usize = 64;

/// What an order may come to, so that the sales of many years still add up.
pub const ORDER_AMOUNT_MAX: Money = Money::whole(1_000_000_000);

/// What a line is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum LineKind {
    /// Pieces of a product, which are taken out of stock.
    #[default]
    Goods,
    /// Something that is charged for and not stocked, such as postage.
    Charge,
}

/// One line of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Line {
    /// The product, or what is charged for.
    pub product: StreamId,
    /// What people call it. Left out where a line is only counted.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// How many.
    pub quantity: u32,
    /// The price of one.
    pub unit_price: Money,
    /// What the line is about.
    #[serde(default, skip_serializing_if = "LineKind::is_goods")]
    pub kind: LineKind,
}

/// Something that a customer brings back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Returned {
    /// The product, or what was charged for.
    pub product: StreamId,
    /// How many.
    pub quantity: u32,
    /// The price that was paid for one, if the order has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_price: Option<Money>,
}

/// Why lines are refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// The order would have none.
    #[error("an order has at least one line")]
    None,
    /// The order would have too many.
    #[error("an order has at most {ORDER_LINES_MAX} lines, not {0}")]
    TooMany(usize),
    /// One command brings too many.
    #[error(
        "a command brings at most {COMMAND_LINES_MAX} lines, not {0}: use AddLines before Place"
    )]
    TooManyAtOnce(usize),
    /// The product's code is too long.
    #[error("the product {0} has more than {PRODUCT_CHARS_MAX} characters")]
    Product(StreamId),
    /// The description is too long or cannot be shown.
    #[error("the description of {0} is not up to {DESCRIPTION_BYTES_MAX} bytes of printable text")]
    Description(StreamId),
    /// The quantity is nothing or absurd.
    #[error("the quantity of {0} is not 1 to {LINE_QUANTITY_MAX}, but {1}")]
    Quantity(StreamId, u32),
    /// The price is below zero.
    #[error("the price of {0} is negative: {1}")]
    Price(StreamId, Money),
    /// The amount is too large.
    #[error("the order comes to more than {ORDER_AMOUNT_MAX}")]
    Amount,
    /// More comes back than was bought and not brought back before.
    #[error("the order has not so many of {0} left to bring back: {1} too many at that price")]
    NotBought(StreamId, u32),
}

impl LineKind {
    fn is_goods(&self) -> bool {
        *self == Self::Goods
    }
}

impl Line {
    /// The line as it is counted: without its description.
    pub fn bare(&self) -> Self {
        Self { description: String::new(), ..self.clone() }
    }

    /// What it comes to.
    pub fn amount(&self) -> Option<Money> {
        self.unit_price.checked_times(self.quantity)
    }

    fn check(&self) -> Result<(), LineError> {
        let Self { product, description, quantity, unit_price, .. } = self;
        if product.as_str().len() > PRODUCT_CHARS_MAX {
            return Err(LineError::Product(product.clone()));
        }
        if description.len() > DESCRIPTION_BYTES_MAX || description.chars().any(char::is_control) {
            return Err(LineError::Description(product.clone()));
        }
        if !(1..=LINE_QUANTITY_MAX).contains(quantity) {
            return Err(LineError::Quantity(product.clone(), *quantity));
        }
        if *unit_price < Money::ZERO {
            return Err(LineError::Price(product.clone(), *unit_price));
        }
        Ok(())
    }
}

/// Checks `lines` that come after `earlier` ones.
pub(crate) fn check(lines: &[Line], earlier: usize) -> Result<(), LineError> {
    let count = earlier.saturating_add(lines.len());
    if count == 0 {
        return Err(LineError::None);
    }
    if count > ORDER_LINES_MAX {
        return Err(LineError::TooMany(count));
    }
    if lines.len() > COMMAND_LINES_MAX {
        return Err(LineError::TooManyAtOnce(lines.len()));
    }
    lines.iter().try_for_each(Line::check)
}

/// What `lines` come to.
pub(crate) fn amount<'a>(lines: impl IntoIterator<Item = &'a Line>) -> Result<Money, LineError> {
    let mut amount = Some(Money::ZERO);
    for line in lines {
        amount = amount.and_then(|amount| amount.checked_add(line.amount()?));
    }
    amount.filter(|amount| *amount <= ORDER_AMOUNT_MAX).ok_or(LineError::Amount)
}

/// How many pieces of each product `lines` are about.
pub fn goods<'a>(lines: impl IntoIterator<Item = &'a Line>) -> Goods {
    let mut goods = Goods::new();
    for line in lines.into_iter().filter(|line| line.kind.is_goods()) {
        let quantity: &mut u32 = goods.entry(line.product.clone()).or_default();
        *quantity = quantity.saturating_add(line.quantity);
    }
    goods
}

/// Takes what is `returned` out of `lines`, from the first on, and gives it as lines.
pub(crate) fn take(lines: &mut Vec<Line>, returned: &[Returned]) -> Result<Vec<Line>, LineError> {
    if returned.is_empty() {
        return Err(LineError::None);
    }
    let mut taken: Vec<Line> = vec![];
    for Returned { product, quantity, unit_price } in returned {
        let mut left = *quantity;
        let is_meant = |line: &&mut Line| {
            line.product == *product && unit_price.is_none_or(|price| price == line.unit_price)
        };
        for line in lines.iter_mut().filter(is_meant) {
            let quantity = left.min(line.quantity);
            line.quantity -= quantity;
            left -= quantity;
            gather(&mut taken, Line { quantity, ..line.bare() });
        }
        if *quantity == 0 {
            return Err(LineError::Quantity(product.clone(), 0));
        }
        if left > 0 {
            return Err(LineError::NotBought(product.clone(), left));
        }
    }
    lines.retain(|line| line.quantity > 0);
    Ok(taken)
}

/// Adds `line` to `lines`, to one of the same kind if there is any.
fn gather(lines: &mut Vec<Line>, line: Line) {
    if line.quantity == 0 {
        return;
    }
    let is_alike = |other: &&mut Line| {
        (&other.product, other.unit_price, other.kind)
            == (&line.product, line.unit_price, line.kind)
    };
    match lines.iter_mut().find(is_alike) {
        Some(other) => other.quantity = other.quantity.saturating_add(line.quantity),
        None => lines.push(line),
    }
}

impl From<&Line> for Returned {
    fn from(line: &Line) -> Self {
        let Line { product, quantity, unit_price, .. } = line.clone();
        Self { product, quantity, unit_price: Some(unit_price) }
    }
}
