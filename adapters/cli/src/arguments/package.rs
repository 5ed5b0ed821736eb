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
    /// The program, where it is built already: then nothing is built
    #[arg(long, value_name = "FILE", conflicts_with_all = ["processor", "profile"])]
    pub(crate) program: Option<PathBuf>,
    /// Where the package and the manifest are written [default: target/package/CLOUD]
    #[arg(long, value_name = "FOLDER")]
    pub(crate) to: Option<PathBuf>,
}
