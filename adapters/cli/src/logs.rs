use std::io;

use tracing_subscriber::EnvFilter;

use crate::arguments::Global;

/// Sends the log of this process to standard error: warnings, unless the arguments or `RUST_LOG`
/// ask for more or less.
pub(crate) fn start(global: &Global) {
    let level = match global {
        Global { quiet: true, .. } => "off",
        Global { verbose: 0, .. } => "warn",
        Global { verbose: 1, .. } => "info",
        _ => "debug",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    // An app that logs in its own way has begun before.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).try_init();
}
