use std::num::NonZeroU32;

use clap::Args;
use skyfold::{AsOf, Start};

use super::as_of;

#[derive(Args, Clone, Debug)]
pub(crate) struct Replay {
    /// The projection
    #[arg(value_name = "PROJECTION")]
    pub(crate) name: String,
    /// Which revision [default: the newest that the app lists]
    #[arg(long, value_name = "N")]
    pub(crate) revision: Option<u32>,
    /// Only events of this category; may be given several times
    #[arg(long = "category", value_name = "CATEGORY")]
    pub(crate) categories: Vec<String>,
    /// Only events recorded at or after this time, or streams that reach this version
    #[arg(long, visible_alias = "since", value_name = "TIME|VERSION", value_parser = as_of)]
    pub(crate) from: Option<AsOf>,
    /// At most so many events a second
    #[arg(long, value_name = "N")]
    pub(crate) rate: Option<NonZeroU32>,
    /// Begin anew, where an earlier replay was interrupted
    #[arg(long)]
    pub(crate) restart: bool,
    /// Let the revision answer from then on
    #[arg(long)]
    pub(crate) switch: bool,
    /// Only tell what would change, and what could not be handled
    #[arg(long, conflicts_with_all = ["restart", "switch"])]
    pub(crate) dry_run: bool,
}

impl Replay {
    pub(crate) fn start(&self) -> Start {
        if self.restart { Start::Anew } else { Start::Resume }
    }
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Verify {
    /// The projection
    #[arg(value_name = "PROJECTION")]
    pub(crate) name: String,
    /// Which revision [default: the newest that the app lists]
    #[arg(long, value_name = "N")]
    pub(crate) revision: Option<u32>,
    /// At most so many events a second
    #[arg(long, value_name = "N")]
    pub(crate) rate: Option<NonZeroU32>,
    /// Put right what has drifted
    #[arg(long)]
    pub(crate) repair: bool,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Revisions {
    /// The projection
    #[arg(value_name = "PROJECTION")]
    pub(crate) name: String,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Switch {
    /// The projection
    #[arg(value_name = "PROJECTION")]
    pub(crate) name: String,
    /// The revision that is to answer [default: the newest that the app lists]
    #[arg(value_name = "REVISION")]
    pub(crate) revision: Option<u32>,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Drop {
    /// The projection
    #[arg(value_name = "PROJECTION")]
    pub(crate) name: String,
    /// The revision, which the app lists no more
    #[arg(value_name = "REVISION")]
    pub(crate) revision: u32,
}
