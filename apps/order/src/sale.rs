//! What a customer wants to buy, what was sold, and what is left of that.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use skyfold::{Personal, StreamId};

use crate::bill::Bill;
use crate::line::{self, Line, LineError, Returned};
use crate::order::Refusal;
use crate::recipient::{self, Recipient};
use crate::shares::Goods;
use crate::undoing::{Because, BroughtBack, Undoing};
use crate::{Currency, Day, Money};

/// Lines that come ahead of the rest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// The lines, up to a hundred.
    pub lines: Vec<Line>,
}

/// What a customer wants to buy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Basket {
    /// Who buys; nobody known if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<StreamId>,
    /// Who gets it, as personal data of the customer; nobody named if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<Personal<Recipient>>,
    /// What the prices are in.
    pub currency: Currency,
    /// What is bought, beside the lines that were added before.
    #[serde(default)]
    pub lines: Vec<Line>,
    /// The day of business, if it is not today.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<Day>,
}

/// What was sold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sale {
    /// Who buys, as far as is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<StreamId>,
    /// Who gets it, if somebody was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<Personal<Recipient>>,
    /// The lines that came last.
    pub lines: Vec<Line>,
    /// The lines that were added before, without their descriptions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<Line>,
    /// What all lines come to.
    pub bill: Bill,
    /// The day of business, if one was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<Day>,
}

/// What was sold and not taken back: all that decisions need to know of a sale.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sold {
    lines: Vec<Line>,
    currency: Currency,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    on: Option<Day>,
}

impl Sale {
    /// All lines.
    pub fn all_lines(&self) -> impl Iterator<Item = &Line> {
        self.earlier.iter().chain(&self.lines)
    }
}

impl Sold {
    /// Accepts more lines of a draft.
    pub(crate) fn extend(&self, part: Part) -> Result<Part, LineError> {
        line::check(&part.lines, self.lines.len())?;
        Ok(part)
    }

    /// Sells a basket, and the lines of the draft with it.
    pub(crate) fn sell(&self, basket: Basket) -> Result<Sale, Refusal> {
        let Basket { customer, recipient, currency, lines, on } = basket;
        line::check(&lines, self.lines.len())?;
        if let Some(recipient) = &recipient {
            recipient::check(recipient, customer.as_ref())?;
        }
        let earlier = self.lines.clone();
        let amount = line::amount(earlier.iter().chain(&lines))?;
        let bill = Bill { amount, currency };
        Ok(Sale { customer, recipient, lines, earlier, bill, on })
    }

    /// Takes everything back on the day that is named.
    pub(crate) fn cancel(&self, because: Because) -> Result<Undoing, LineError> {
        self.undo(because, self.lines.clone())
    }

    /// Takes everything back on the day when it was sold: it was no sale at all.
    pub(crate) fn fail(&self, because: Because) -> Result<Undoing, LineError> {
        self.cancel(Because { on: because.on.or(self.on), ..because })
    }

    /// Takes part of it back.
    pub(crate) fn bring_back(&self, back: BroughtBack) -> Result<Undoing, LineError> {
        let BroughtBack { lines, reason, on } = back;
        let taken = line::take(&mut self.lines.clone(), &lines)?;
        self.undo(Because { reason, on }, taken)
    }

    fn undo(&self, because: Because, lines: Vec<Line>) -> Result<Undoing, LineError> {
        let Because { reason, on } = because;
        let amount = line::amount(&lines)?;
        Ok(Undoing { reason, lines, amount, currency: self.currency, on })
    }

    /// How many pieces of each product are left.
    pub(crate) fn goods(&self) -> Goods {
        line::goods(&self.lines)
    }

    /// What is left comes to this.
    pub(crate) fn bill(&self) -> Bill {
        let amounts = self.lines.iter().filter_map(Line::amount);
        Bill { amount: amounts.fold(Money::ZERO, Money::saturating_add), currency: self.currency }
    }

    /// Remembers more lines of a draft.
    pub(crate) fn add(&mut self, part: &Part) {
        self.lines.extend(part.lines.iter().map(Line::bare));
    }

    /// Forgets what was taken back.
    pub(crate) fn remove(&mut self, undoing: &Undoing) {
        let lines: Vec<_> = undoing.lines.iter().map(Returned::from).collect();
        // What was taken back had been sold: no event says otherwise.
        let _ = line::take(&mut self.lines, &lines);
    }
}

impl From<&Sale> for Sold {
    fn from(sale: &Sale) -> Self {
        let lines = sale.all_lines().map(Line::bare).collect();
        Self { lines, currency: sale.bill.currency, on: sale.on }
    }
}
