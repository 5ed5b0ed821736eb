use std::time::Duration;

use clap::{ArgGroup, Args, Subcommand};
use skyfold::{CommandId, Error, ErrorKind, EventId, Skipped, StreamId};
use time::OffsetDateTime;

use super::{Reason, shown, time_of};

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Sagas {
    /// List the transactions of a saga
    List(SagaList),
    /// Show one transaction: its state, and what it heard and asked for
    Show(SagaOf),
    /// Ask again for what one transaction has asked for; what has taken effect does not again
    Retry(SagaOf),
    /// Have one transaction go on without an event that it cannot handle, or without a command that
    /// cannot be run
    Skip(SagaSkip),
    /// Send a command on behalf of one transaction; its history tells it
    Send(SagaSend),
}

#[derive(Args, Clone, Debug)]
pub(crate) struct SagaList {
    /// The saga, such as fulfilment
    pub(crate) saga: String,
    /// Only those that have not ended and have heard nothing for a while [default: 1h]
    #[arg(long)]
    pub(crate) stuck: bool,
    /// Only those that have heard nothing for so long, such as 90s, 15m, 2h or 3d
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) older: Option<Duration>,
    /// Only those that have heard something at or after this time
    #[arg(long, value_name = "TIME", value_parser = time_of)]
    pub(crate) since: Option<OffsetDateTime>,
    /// Show at most this many
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = shown)]
    pub(crate) limit: usize,
}

impl SagaList {
    /// How long a transaction that has not ended may hear nothing before it counts as stuck.
    pub(crate) const STUCK: Duration = Duration::from_secs(60 * 60);
}

#[derive(Args, Clone, Debug)]
pub(crate) struct SagaOf {
    /// The saga, such as fulfilment
    pub(crate) saga: String,
    /// The transaction, such as 42
    pub(crate) id: StreamId,
}

#[derive(Args, Clone, Debug)]
#[command(group(ArgGroup::new("skipped").required(true)))]
pub(crate) struct SagaSkip {
    #[command(flatten)]
    pub(crate) of: SagaOf,
    /// The event that its stream waits at, such as stock-7@3: it is left out
    #[arg(long, value_name = "EVENT", group = "skipped")]
    event: Option<EventId>,
    /// The id of a command that it has asked for: it is asked for no more
    #[arg(long, value_name = "KEY", group = "skipped")]
    command: Option<CommandId>,
    #[command(flatten)]
    pub(crate) reason: Reason,
}

impl SagaSkip {
    /// What is to be left out; one of the two is given.
    pub(crate) fn skipped(&self) -> Option<Skipped> {
        let event = self.event.clone().map(Skipped::Event);
        event.or_else(|| self.command.clone().map(Skipped::Command))
    }
}

#[derive(Args, Clone, Debug)]
pub(crate) struct SagaSend {
    #[command(flatten)]
    pub(crate) of: SagaOf,
    /// The category of the stream that the command is for, such as payment
    pub(crate) category: String,
    /// The stream, such as 42
    pub(crate) stream: StreamId,
    /// The command, such as refund
    pub(crate) command: String,
    /// Its fields as JSON
    #[arg(value_name = "JSON")]
    pub(crate) fields: Option<String>,
    /// Which by count of those sent by hand: the same again is sent once [default: the next]
    #[arg(long, value_name = "N")]
    pub(crate) number: Option<u64>,
    /// To be run only after so long, such as 90s, 15m, 2h or 3d
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) after: Option<Duration>,
    #[command(flatten)]
    pub(crate) reason: Reason,
}

/// A duration such as 90s, 15m, 2h or 3d.
fn duration(text: &str) -> Result<Duration, Error> {
    let wrong = || Error::new(ErrorKind::Invalid, "expected a duration, as in 90s, 15m, 2h or 3d");
    let (count, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        _ => return Err(wrong()),
    };
    let count: u32 = count.parse().map_err(|_| wrong())?;
    Ok(Duration::from_secs(u64::from(count) * seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_count_of_a_unit() {
        for (text, seconds) in [("90s", 90), ("15m", 900), ("2h", 7_200), ("3d", 259_200)] {
            assert_eq!(duration(text).unwrap(), Duration::from_secs(seconds));
        }
        for wrong in ["", "h", "2", "2 h", "-1h", "1.5h", "1w", "5€", "99999999999d"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
