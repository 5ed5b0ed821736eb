use clap::{Args, Subcommand};
use skyfold::StreamId;

use super::page;

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Privacy {
    /// Destroy the keys of a subject, for good: nothing shows its personal data any more
    Forget(Forget),
    /// Show who was forgotten, newest first
    Forgotten(Forgotten),
    /// Seal what is recorded of a subject from now on under another key
    Renew(Renew),
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Forget {
    /// Whom the data concern, such as a customer's id
    pub(crate) subject: StreamId,
    /// Why; it is kept, so it must not hold personal data
    #[arg(long)]
    pub(crate) reason: String,
    /// Who asks for it
    #[arg(long, value_name = "NAME", default_value = "operator")]
    pub(crate) by: String,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Forgotten {
    /// Show at most this many
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = page)]
    pub(crate) limit: usize,
    /// Go on where an earlier page ended
    #[arg(long)]
    pub(crate) cursor: Option<String>,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Renew {
    /// Whom the data concern
    pub(crate) subject: StreamId,
}
