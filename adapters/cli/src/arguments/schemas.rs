use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Schemas {
    /// Compare the code with what is locked; fail with the differences and what to do
    Check(Locked),
    /// Lock what is new, and nothing that is locked already
    Accept(Locked),
    /// Write the schema of every event in its current version
    Export(Export),
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Locked {
    /// The folder of the locked schemas [default: the app's, or else schemas]
    #[arg(long, value_name = "FOLDER")]
    pub(crate) folder: Option<PathBuf>,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Export {
    /// Where to write them
    #[arg(value_name = "FOLDER")]
    pub(crate) to: PathBuf,
    /// In which language
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Language,
}

/// What schemas are written in.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum Language {
    /// JSON Schema
    #[default]
    Json,
    /// Avro, also of the versions that are locked
    Avro,
}
