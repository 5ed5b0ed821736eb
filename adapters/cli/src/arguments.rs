//! What can be said on the command line.

mod dead_letters;
mod package;
mod privacy;
mod read_models;
mod sagas;
mod schemas;

use std::net::IpAddr;

use clap::{Args, Subcommand, ValueEnum};
use skyfold::limits::PAGE_ITEMS_MAX;
use skyfold::ports::Order;
use skyfold::{AsOf, CommandId, Error, ErrorKind, EventId, StreamId, StreamName, Version};
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, OffsetDateTime};

pub(crate) use self::dead_letters::{DeadLetters, LetterList, RetryLetters};
pub(crate) use self::package::Package;
pub(crate) use self::privacy::Privacy;
pub(crate) use self::read_models::{Drop, Replay, Revisions, Switch, Verify};
pub(crate) use self::sagas::{SagaList, SagaOf, SagaSend, SagaSkip, Sagas};
pub(crate) use self::schemas::{Export, Language, Locked, Schemas};

/// How many events may be shown at once.
const EVENTS_SHOWN_MAX: usize = 10_000;

/// What goes before or after any command.
#[derive(Args, Clone, Debug)]
pub(crate) struct Global {
    /// Write JSON, for machines, instead of tables.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Ask the app that runs at this address, instead of the stores.
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// Say nothing but results and errors.
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Log more: -v what is done, -vv how. RUST_LOG says it in detail.
    #[arg(short, long, global = true, action = clap::ArgAction::Count, conflicts_with = "quiet")]
    pub(crate) verbose: u8,
}

/// The commands of every app.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum BuiltIn {
    /// Answer over HTTP until stopped; what happens when no command is given
    Serve(Serve),
    /// Send a command to a stream
    Send(Send),
    #[command(flatten)]
    Look(Look),
}

/// Those that give the app nothing to do but to show what there is.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Look {
    /// Look at recorded events
    #[command(subcommand, arg_required_else_help = false)]
    Events(Events),
    /// Show the state of a stream, now or as it was
    State(State),
    /// Ask a question
    Query(Query),
    /// Show one view of a read model
    View(View),
    /// Show a list of a read model
    List(List),
    /// Build the views of a projection from past events; after an interruption it goes on
    Replay(Replay),
    /// Deliver past events once more, where the bus has lost or given up some
    Redeliver(Redeliver),
    /// Compare the views of a projection with a fresh fold of the log; fails if they have drifted
    Verify(Verify),
    /// Show the revisions of a projection, and which of them answers
    Revisions(Revisions),
    /// Let another revision of a projection answer
    Switch(Switch),
    /// Remove the views of a revision that the app lists no more
    Drop(Drop),
    /// Forget whom personal data concern
    #[command(subcommand)]
    Privacy(Privacy),
    /// Look at what could not be done, try it again, or give it up
    #[command(subcommand)]
    DeadLetters(DeadLetters),
    /// Look at the transactions of sagas, and help one that is stuck
    #[command(subcommand, arg_required_else_help = false)]
    Sagas(Sagas),
    /// Compare projections and sagas with the head of the store
    Health,
    /// Print what there is to deploy, as JSON
    Manifest,
    /// Build the program for a cloud, and write the package and the manifest that Terraform reads
    Package(Package),
    /// Hold the events and states to the form in which they are locked
    #[command(subcommand)]
    Schemas(Schemas),
}

#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Serve {
    /// Listen on this port, 0 for any [default: 8080, or the next that is free]
    #[arg(long)]
    pub(crate) port: Option<u16>,
    /// Listen on this address [default: 127.0.0.1]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) host: Option<IpAddr>,
    /// Serve the routes of operators to whoever reaches the app [default: on loopback alone]
    #[arg(long)]
    pub(crate) operations: bool,
}

impl Serve {
    /// Whether anything is said.
    pub(crate) fn is_given(&self) -> bool {
        self.port.is_some() || self.host.is_some() || self.operations
    }

    /// The same, and where nothing is said, what `other` says.
    pub(crate) fn or(self, other: Self) -> Self {
        let operations = self.operations || other.operations;
        Self { port: self.port.or(other.port), host: self.host.or(other.host), operations }
    }
}

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Events {
    /// Show the newest events of all streams, oldest first
    Tail(Tail),
    /// Show the events of one stream
    Show(Show),
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Tail {
    /// Only streams of this category; may be given several times
    #[arg(long = "category", value_name = "CATEGORY")]
    pub(crate) categories: Vec<String>,
    /// Go on with what is recorded from now on, until stopped
    #[arg(long)]
    pub(crate) follow: bool,
    /// Begin with at most this many
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = shown)]
    pub(crate) limit: usize,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Redeliver {
    /// The projection or saga
    #[arg(value_name = "FUNCTION")]
    pub(crate) name: String,
    /// Only events of this category; may be given several times
    #[arg(long = "category", value_name = "CATEGORY")]
    pub(crate) categories: Vec<String>,
    /// Only events recorded at or after this time
    #[arg(long, value_name = "TIME", value_parser = time_of)]
    pub(crate) since: Option<OffsetDateTime>,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Show {
    /// The stream, such as order-42
    pub(crate) stream: StreamName,
    /// Begin with this version
    #[arg(long, value_name = "VERSION", default_value_t = 1)]
    pub(crate) from: u64,
    /// Show at most this many
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = shown)]
    pub(crate) limit: usize,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct State {
    /// The stream, such as order-42
    pub(crate) stream: StreamName,
    /// As of this version or time, such as 3, 2010-12-01 or 2010-12-01T08:26:00Z
    #[arg(long, value_name = "VERSION|TIME", value_parser = as_of)]
    pub(crate) at: Option<AsOf>,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Send {
    /// The stream's category, such as order
    pub(crate) category: String,
    /// The stream's id, such as 42
    pub(crate) id: StreamId,
    /// The command, such as place
    pub(crate) command: String,
    /// Its fields as JSON, - to read them from the input, or @FILE to read them from a file
    #[arg(value_name = "JSON|-|@FILE")]
    pub(crate) fields: Option<String>,
    /// Identifies the command, however often it is sent [default: a new UUIDv7]
    #[arg(long = "id", value_name = "KEY")]
    pub(crate) key: Option<CommandId>,
    /// Refuse it unless the stream is at this version
    #[arg(long, value_name = "VERSION")]
    pub(crate) expect: Option<u64>,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Query {
    /// The question
    pub(crate) name: String,
    /// Its parameters: key=value for each, or all as one JSON object
    #[arg(value_name = "KEY=VALUE|JSON")]
    pub(crate) params: Vec<String>,
    #[command(flatten)]
    pub(crate) after: After,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct View {
    /// The read model
    pub(crate) read_model: String,
    /// The view's key
    pub(crate) key: String,
    #[command(flatten)]
    pub(crate) after: After,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct List {
    /// The read model
    pub(crate) read_model: String,
    /// Which of its lists
    pub(crate) list: String,
    /// What the list is of
    pub(crate) under: String,
    /// Which end of the list to begin at
    #[arg(long, value_enum, default_value_t)]
    pub(crate) order: Direction,
    /// Show at most this many
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = page)]
    pub(crate) limit: usize,
    /// Go on where an earlier page ended
    #[arg(long)]
    pub(crate) cursor: Option<String>,
    #[command(flatten)]
    pub(crate) after: After,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct After {
    /// Wait until the answer shows this event, such as order-42@3
    #[arg(long = "after", value_name = "EVENT")]
    pub(crate) event: Option<EventId>,
}

/// Why an operator does something.
#[derive(Args, Clone, Debug)]
pub(crate) struct Reason {
    /// Why; it is kept
    #[arg(long)]
    pub(crate) reason: String,
    /// Who does it
    #[arg(long, value_name = "NAME", default_value = "operator")]
    pub(crate) by: String,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum Direction {
    /// From the least
    #[default]
    Ascending,
    /// From the greatest
    Descending,
}

impl From<Direction> for Order {
    fn from(direction: Direction) -> Self {
        match direction {
            Direction::Ascending => Self::Ascending,
            Direction::Descending => Self::Descending,
        }
    }
}

/// A version or a time.
fn as_of(text: &str) -> Result<AsOf, Error> {
    match text.parse() {
        Ok(version) => Ok(AsOf::Version(Version(version))),
        Err(_) => time_of(text).map(AsOf::Time),
    }
}

/// A time, or the beginning of a day.
fn time_of(text: &str) -> Result<OffsetDateTime, Error> {
    let day = format_description!("[year]-[month]-[day]");
    let time = OffsetDateTime::parse(text, &Rfc3339);
    let day = || Date::parse(text, &day).map(|day| day.midnight().assume_utc());
    time.or_else(|_| day()).map_err(|_| {
        let message = "expected a time in UTC, as in 2010-12-01 or 2010-12-01T08:26:00Z";
        Error::new(ErrorKind::Invalid, message)
    })
}

/// How many items a page may have.
fn page(text: &str) -> Result<usize, Error> {
    up_to(PAGE_ITEMS_MAX, text)
}

/// How many events may be shown.
fn shown(text: &str) -> Result<usize, Error> {
    up_to(EVENTS_SHOWN_MAX, text)
}

fn up_to(limit_max: usize, text: &str) -> Result<usize, Error> {
    let limit = text.parse().ok().filter(|limit| (1..=limit_max).contains(limit));
    let message = || format!("expected 1 to {limit_max}");
    limit.ok_or_else(|| Error::new(ErrorKind::Invalid, message()))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use time::macros::datetime;

    use super::*;

    #[derive(clap::Parser)]
    struct All {
        #[command(flatten)]
        _global: Global,
        #[command(subcommand)]
        _command: BuiltIn,
    }

    #[test]
    fn the_arguments_do_not_contradict_each_other() {
        All::command().debug_assert();
    }

    #[test]
    fn a_state_is_as_of_a_version_a_day_or_a_time() {
        assert_eq!(as_of("3").unwrap(), AsOf::Version(Version(3)));
        let day = datetime!(2010-12-01 00:00 UTC);
        assert_eq!(as_of("2010-12-01").unwrap(), AsOf::Time(day));
        let time = datetime!(2010-12-01 08:26 UTC);
        assert_eq!(as_of("2010-12-01T08:26:00Z").unwrap(), AsOf::Time(time));
        assert_eq!(as_of("2010-12-01T09:26:00+01:00").unwrap(), AsOf::Time(time));
        for illegal in ["", "yesterday", "2010-13-01", "-1", "1.5"] {
            as_of(illegal).unwrap_err();
        }
    }
}
