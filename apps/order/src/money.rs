//! Amounts of money and what they are counted in: decimal, never binary fractions.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// How many digits an amount may have before the point.
const WHOLE_DIGITS_MAX: u32 = 18;

/// How many digits an amount may have after the point.
const DECIMALS_MAX: u32 = 4;

/// An amount of money, of up to 18 digits before the point and 4 after it. Written as text, so
/// that nobody reads it as a binary fraction: `"2.55"`.
///
/// Invariant: within these digits. Arithmetic that would leave them has no result.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(try_from = "String", into = "String")]
pub struct Money(Decimal);

/// What is not an amount of money or a currency.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The text is not a decimal number within the limits.
    #[error(
        "{0:?} is not an amount of money: write up to {WHOLE_DIGITS_MAX} digits, and up to \
         {DECIMALS_MAX} after a point, as in \"2.55\""
    )]
    Amount(String),
    /// The text does not look like a code of ISO 4217.
    #[error("{0:?} is not a currency: write three capital letters, as in \"GBP\"")]
    Currency(String),
}

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(Decimal::ZERO);

    /// An amount without decimals.
    pub const fn whole(units: u32) -> Self {
        Self(Decimal::from_parts(units, 0, 0, false, 0))
    }

    /// An amount with two decimals: 255 is 2.55.
    pub const fn hundredths(units: u32) -> Self {
        Self(Decimal::from_parts(units, 0, 0, false, 2))
    }

    /// The sum, unless it has too many digits.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).and_then(Self::within_limits)
    }

    /// The difference, unless it has too many digits.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).and_then(Self::within_limits)
    }

    /// `quantity` times the amount, unless that has too many digits.
    #[must_use]
    pub fn checked_times(self, quantity: u32) -> Option<Self> {
        self.0.checked_mul(Decimal::from(quantity)).and_then(Self::within_limits)
    }

    /// The sum, or the nearest amount that has no more digits than an amount may have.
    #[must_use]
    pub fn saturating_add(self, other: Self) -> Self {
        let nearest = if other < Self::ZERO { Self::most().negated() } else { Self::most() };
        self.checked_add(other).unwrap_or(nearest)
    }

    /// The same amount owed the other way.
    #[must_use]
    pub fn negated(self) -> Self {
        Self(-self.0)
    }

    fn within_limits(amount: Decimal) -> Option<Self> {
        (amount.abs() <= Self::most().0).then_some(Self(amount))
    }

    /// The largest amount.
    fn most() -> Self {
        let all_nines = 10_i128.pow(WHOLE_DIGITS_MAX + DECIMALS_MAX) - 1;
        Self(Decimal::from_i128_with_scale(all_nines, DECIMALS_MAX))
    }
}

impl FromStr for Money {
    type Err = MoneyError;
    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let (whole, decimals) = digits.split_once('.').unwrap_or((digits, "0"));
        let are_digits = |part: &str, max: u32| {
            (1..=max as usize).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit())
        };
        if !are_digits(whole, WHOLE_DIGITS_MAX) || !are_digits(decimals, DECIMALS_MAX) {
            return Err(MoneyError::Amount(text.to_owned()));
        }
        let amount = text.parse().map_err(|_| MoneyError::Amount(text.to_owned()))?;
        Ok(Self(amount))
    }
}

impl fmt::Display for Money {
    /// Always with at least two decimals, and without further zeros, so that equal amounts are
    /// written alike.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let amount = self.0.normalize();
        match amount.scale() {
            0..2 => f.pad(&format!("{amount:.2}")),
            _ => f.pad(&amount.to_string()),
        }
    }
}

impl TryFrom<String> for Money {
    type Error = MoneyError;
    fn try_from(text: String) -> Result<Self, MoneyError> {
        text.parse()
    }
}

impl From<Money> for String {
    fn from(money: Money) -> Self {
        money.to_string()
    }
}

impl JsonSchema for Money {
    fn schema_name() -> Cow<'static, str> {
        "Money".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": format!("^-?[0-9]{{1,{WHOLE_DIGITS_MAX}}}(\\.[0-9]{{1,{DECIMALS_MAX}}})?$"),
            "examples": ["2.55"],
        })
    }
}

/// What money is counted in: a code that looks like one of ISO 4217, such as `GBP`.
///
/// Invariant: three capital letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

impl Default for Currency {
    /// `XXX`, which ISO 4217 keeps for where no currency is involved.
    fn default() -> Self {
        Self(*b"XXX")
    }
}

impl FromStr for Currency {
    type Err = MoneyError;
    fn from_str(text: &str) -> Result<Self, MoneyError> {
        match <[u8; 3]>::try_from(text.as_bytes()) {
            Ok(code) if code.iter().all(u8::is_ascii_uppercase) => Ok(Self(code)),
            _ => Err(MoneyError::Currency(text.to_owned())),
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|letter| write!(f, "{}", char::from(*letter)))
    }
}

impl TryFrom<String> for Currency {
    type Error = MoneyError;
    fn try_from(text: String) -> Result<Self, MoneyError> {
        text.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.to_string()
    }
}

impl JsonSchema for Currency {
    fn schema_name() -> Cow<'static, str> {
        "Currency".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[A-Z]{3}$", "examples": ["GBP"] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(text: &str) -> Money {
        text.parse().unwrap()
    }

    #[test]
    fn equal_amounts_are_written_alike() {
        for (text, written) in [
            ("2.5", "2.50"),
            ("2.5000", "2.50"),
            ("3", "3.00"),
            ("0", "0.00"),
            ("-0.0", "0.00"),
            ("007", "7.00"),
            ("0.0625", "0.0625"),
            ("-1.10", "-1.10"),
        ] {
            assert_eq!(money(text).to_string(), written);
        }
        assert_eq!(money("2.5"), money("2.50"));
    }

    #[test]
    fn only_plain_decimals_are_amounts() {
        let too_long = "1".repeat(WHOLE_DIGITS_MAX as usize + 1);
        for text in
            ["", "-", ".", "1.", ".5", "1e3", "1_0", "+1", " 1", "1,5", "0.00001", &too_long]
        {
            assert_eq!(text.parse::<Money>(), Err(MoneyError::Amount(text.into())));
        }
        serde_json::from_str::<Money>("2.55").unwrap_err();
        assert_eq!(serde_json::to_string(&money("2.55")).unwrap(), "\"2.55\"");
    }

    #[test]
    fn arithmetic_is_exact_and_stays_within_the_digits() {
        assert_eq!(money("0.1").checked_add(money("0.2")), Some(money("0.3")));
        assert_eq!(money("0.1").checked_sub(money("0.3")), Some(money("-0.2")));
        assert_eq!(money("1.27").checked_times(593), Some(money("753.11")));
        let most = Money::most();
        assert_eq!(most.checked_add(money("0.0001")), None);
        assert_eq!(most.negated().checked_sub(money("0.0001")), None);
        assert_eq!(most.checked_times(u32::MAX), None);
        assert_eq!(most.saturating_add(money("1")), most);
        assert_eq!(most.negated().saturating_add(money("-1")), most.negated());
        assert_eq!(money("1.50").saturating_add(money("-2")), money("-0.50"));
        assert_eq!(most.to_string().parse(), Ok(most));
    }

    #[test]
    fn a_currency_is_three_capital_letters() {
        assert_eq!("GBP".parse::<Currency>().unwrap().to_string(), "GBP");
        for text in ["", "gbp", "GB", "GBPX", "G1P", "£££", "€"] {
            assert_eq!(text.parse::<Currency>(), Err(MoneyError::Currency(text.into())));
        }
    }
}
