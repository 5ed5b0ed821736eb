use std::path::PathBuf;

use clap::Args;

use crate::package::{Processor, Profile};

#[derive(Args, Clone, Debug)]
pub(crate) struct Package {
    /// For which cloud
    #[arg(long, value_name = "CLOUD")]
    pub(crate) target: String,
    /// For which processor [default: what the cloud runs, and if it runs several, the cheapest]
    #[arg(long, value_enum)]
    pub(crate) processor: Option<Processor>,
    /// How it is built
    #[arg(long, value_enum, default_value_t)]
    pub(crate) profile: Profile,
    /// Where the package and the manifest are written [default: target/package/CLOUD]
    #[arg(long, value_name = "FOLDER")]
    pub(crate) to: Option<PathBuf>,
}
