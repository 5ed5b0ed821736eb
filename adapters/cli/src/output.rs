use std::fmt::Display;
use std::io;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use skyfold::{Error, ErrorKind, Payload, Result};

use crate::console::{Console, Surface};
use crate::{Exit, problem, table};

/// In which form results are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Text and tables, for people.
    Table,
    /// One JSON document, or one JSON document a line.
    Json,
}

/// Whether hints are given beside the results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hints {
    Shown,
    Hidden,
}

/// Where results go, in the form that was asked for.
#[derive(Clone, Debug)]
pub struct Output {
    console: Console,
    format: Format,
    hints: Hints,
}

impl Output {
    pub(crate) fn new(console: Console, format: Format, hints: Hints) -> Self {
        Self { console, format, hints }
    }

    /// In which form results are to be written.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Writes one line to people, and nothing to machines.
    ///
    /// # Errors
    ///
    /// If nobody reads any more. Pass it on: it ends the run without a word.
    pub fn say(&self, line: impl Display) -> Result<()> {
        match self.format {
            Format::Table => self.print(&format!("{line}\n")),
            Format::Json => Ok(()),
        }
    }

    /// Writes `value` as one line of JSON to machines, and nothing to people.
    ///
    /// # Errors
    ///
    /// As of [`say`](Self::say).
    pub fn json<T: Serialize + ?Sized>(&self, value: &T) -> Result<()> {
        match self.format {
            Format::Table => Ok(()),
            Format::Json => self.print(&format!("{}\n", Payload::encode(value)?)),
        }
    }

    /// Writes `rows` under `header` to people, and nothing to machines.
    ///
    /// # Errors
    ///
    /// As of [`say`](Self::say).
    pub fn table(&self, header: &[&str], rows: &[Vec<String>]) -> Result<()> {
        match self.format {
            Format::Table => self.say(table::rows(self.console.surface(), header, rows)),
            Format::Json => Ok(()),
        }
    }

    /// Writes `value`: to machines as it is, to people as a table.
    ///
    /// # Errors
    ///
    /// As of [`say`](Self::say).
    pub fn show(&self, value: &Payload) -> Result<()> {
        match self.format {
            Format::Table => self.say(table::json(self.console.surface(), value)),
            Format::Json => self.json(value),
        }
    }

    /// Writes `text` in either form, as it is.
    pub(crate) fn print(&self, text: &str) -> Result<()> {
        self.console.print(text).map_err(|error| {
            Error::new(ErrorKind::Unexpected, "the results could not be written").with_source(error)
        })
    }

    /// Tells people beside the results what to do next.
    pub fn hint(&self, line: impl Display) {
        if self.format == Format::Table && self.hints == Hints::Shown {
            self.console.remark(&format!("hint: {line}\n"));
        }
    }

    /// Tells machines beside the results how far it is, in a line of JSON.
    pub(crate) fn remark_json<T: Serialize + ?Sized>(&self, value: &T) {
        if let Ok(text) = Payload::encode(value) {
            self.console.remark(&format!("{text}\n"));
        }
    }

    /// Tells what went wrong: to people in a line, to machines as a problem document.
    pub fn report(&self, error: &Error) {
        self.console.remark(&match self.format {
            Format::Table => format!("error: {}\n", table::printable(&error.to_string())),
            Format::Json => format!("{}\n", problem::of(error)),
        });
    }

    /// Tells why the domain refused a command, in the same ways.
    pub(crate) fn report_refusal(&self, reason: &str) {
        self.console.remark(&match self.format {
            Format::Table => format!("refused: {}\n", table::printable(reason)),
            Format::Json => format!("{}\n", problem::of_refusal(reason)),
        });
    }

    /// Tells what is wrong with the arguments, or the help that was asked for.
    pub(crate) fn report_arguments(&self, error: &clap::Error) -> Exit {
        let text = error.render().to_string();
        if !error.use_stderr() {
            // Nobody is left to be told that nobody reads the help.
            let _ = self.print(&text);
            return Exit::Done;
        }
        if self.format == Format::Table {
            self.console.remark(&text);
        } else {
            // The first paragraph says what is wrong; usage and tips are for people.
            let what = text.split("\n\n").next().unwrap_or(&text);
            let what = what.strip_prefix("error: ").unwrap_or(what);
            self.report(&Error::new(ErrorKind::Invalid, what.trim()));
        }
        Exit::Usage
    }

    /// A bar that shows how many of `total` are done and at which rate, where a person looks on.
    pub fn progress_bar(&self, total: Option<u64>) -> ProgressBar {
        let is_watched = self.console.surface() == Surface::Terminal
            && self.format == Format::Table
            && self.hints == Hints::Shown;
        if !is_watched {
            return ProgressBar::hidden();
        }
        let template = match total {
            Some(_) => "{bar:32} {human_pos}/{human_len} {per_sec} {eta} {wide_msg}",
            None => "{spinner} {human_pos} {per_sec} {elapsed} {wide_msg}",
        };
        let style = ProgressStyle::with_template(template).expect("a constant that is well formed");
        ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr()).with_style(style)
    }
}

/// Whether `error` only says that nobody reads the results any more, as with `| head`.
pub(crate) fn is_unread(error: &Error) -> bool {
    let source = std::error::Error::source(error);
    let error = source.and_then(|source| source.downcast_ref::<io::Error>());
    error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
