use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use skyfold::RecordedEvent;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{Date, OffsetDateTime, UtcOffset};

const DAY: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");

const MOMENT: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

/// A day of business, such as `2010-12-01`.
///
/// Invariant: of the years 0 to 9999, so that days in order are also in order as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Day(Date);

/// The text is not a day of the calendar.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a day: write year, month and day, as in \"2010-12-01\"")]
pub struct DayError(String);

impl Day {
    /// The day on which `event` counts: the day of business that it names, or else the one on
    /// which it was recorded.
    pub fn of<E>(named: Option<Self>, event: &RecordedEvent<E>) -> Self {
        named.unwrap_or(Self(event.time.date()))
    }

    /// The moment at which `event` counts, as text that is in order of time: the first of the day
    /// of business that it names, or else the one at which it was recorded.
    pub fn moment_of<E>(named: Option<Self>, event: &RecordedEvent<E>) -> String {
        let moment = named.map_or(event.time.to_offset(UtcOffset::UTC), Self::midnight);
        moment.format(MOMENT).expect("every moment has the parts of the format")
    }

    /// The first moment of the day, in UTC.
    pub fn midnight(self) -> OffsetDateTime {
        self.0.midnight().assume_utc()
    }
}

impl TryFrom<Date> for Day {
    type Error = DayError;
    fn try_from(date: Date) -> Result<Self, DayError> {
        match date.year() {
            0..=9999 => Ok(Self(date)),
            _ => Err(DayError(date.to_string())),
        }
    }
}

impl FromStr for Day {
    type Err = DayError;
    fn from_str(text: &str) -> Result<Self, DayError> {
        let date = Date::parse(text, DAY).map_err(|_| DayError(text.to_owned()))?;
        Self::try_from(date)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.0.year(), u8::from(self.0.month()), self.0.day())
    }
}

impl TryFrom<String> for Day {
    type Error = DayError;
    fn try_from(text: String) -> Result<Self, DayError> {
        text.parse()
    }
}

impl From<Day> for String {
    fn from(day: Day) -> Self {
        day.to_string()
    }
}

impl JsonSchema for Day {
    fn schema_name() -> Cow<'static, str> {
        "Day".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date", "examples": ["2010-12-01"] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_read_as_it_is_written() {
        for text in ["2010-12-01", "0000-01-01", "9999-12-31", "2024-02-29"] {
            assert_eq!(text.parse::<Day>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_on_no_calendar_is_no_day() {
        for text in ["", "2010-02-29", "2010-13-01", "1-1-1", "2010-12-01T00:00", "-001-01-01"] {
            assert_eq!(text.parse::<Day>(), Err(DayError(text.into())));
        }
    }
}
