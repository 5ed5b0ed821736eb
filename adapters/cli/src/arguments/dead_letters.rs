use clap::{Args, Subcommand};
use skyfold::{EventId, StreamName};

use super::{Direction, Reason, page};

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum DeadLetters {
    /// List what waits for an operator, the oldest first
    List(LetterList),
    /// Show one letter: what is undone, why, and what happened to it
    Show(Letter),
    /// Try again: a stream is gone through in its order, a command is run under its own id
    Retry(RetryLetters),
    /// Give up what a letter is about: its function leaves the event out and goes on after it
    Discard(DiscardLetter),
}

#[derive(Args, Clone, Debug)]
pub(crate) struct LetterList {
    /// Only those of this projection, saga or category
    #[arg(long, value_name = "NAME")]
    pub(crate) function: Option<String>,
    /// Only those of this stream, whichever function has trouble with it
    #[arg(long, value_name = "STREAM", conflicts_with = "function")]
    pub(crate) stream: Option<StreamName>,
    /// Those that wait no more, which are kept for 90 days
    #[arg(long, conflicts_with_all = ["function", "stream"])]
    pub(crate) closed: bool,
    /// Which end of the list to begin at
    #[arg(long, value_enum, default_value_t)]
    pub(crate) order: Direction,
    /// Show at most this many
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = page)]
    pub(crate) limit: usize,
    /// Go on where an earlier page ended
    #[arg(long)]
    pub(crate) cursor: Option<String>,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Letter {
    /// The letter's id, as the list shows it
    pub(crate) id: String,
}

#[derive(Args, Clone, Debug)]
#[group(required = true, multiple = false)]
pub(crate) struct RetryLetters {
    /// The letter's id, as the list shows it
    pub(crate) id: Option<String>,
    /// All of this projection, saga or category, the oldest first
    #[arg(long, value_name = "NAME")]
    pub(crate) function: Option<String>,
    /// All of this stream, the oldest first
    #[arg(long, value_name = "STREAM")]
    pub(crate) stream: Option<StreamName>,
    /// All there are, the oldest first
    #[arg(long)]
    pub(crate) all: bool,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct DiscardLetter {
    /// The letter's id, as the list shows it
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) reason: Reason,
    /// Only if the letter is still about this event, such as order-42@3
    #[arg(long, value_name = "EVENT")]
    pub(crate) event: Option<EventId>,
}
