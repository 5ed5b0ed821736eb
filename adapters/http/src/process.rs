//! What every program does that is started by a cloud: it logs in a way that the cloud keeps, and
//! stops when it is told to. For those who write a host, and for nobody else: it may change with
//! any release.

use std::process::ExitCode;

use skyfold::{Error, ErrorKind, Result};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// Who tells the time of what is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    /// The log itself.
    Logged,
    /// Whoever keeps it.
    Left,
}

/// Sends the log to standard output, which clouds keep, without colours: warnings, unless
/// `RUST_LOG` asks for more or less. An app that logs in its own way has begun before.
pub fn start_log(times: Times) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false);
    let _ = match times {
        Times::Logged => log.try_init(),
        Times::Left => log.without_time().try_init(),
    };
}

/// How a program ends whose work came to `outcome`; the log says why it failed.
pub fn exit(outcome: Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(kind = error.kind().code(), %error, "the app cannot run");
            ExitCode::FAILURE
        }
    }
}

/// Ends when the process is told to, by SIGTERM or SIGINT, which from now on do nothing else.
///
/// # Errors
///
/// [`Unexpected`](ErrorKind::Unexpected) if nobody can be told.
pub fn stopped() -> Result<impl Future<Output = ()> + Send + 'static> {
    let unset =
        |error| Error::new(ErrorKind::Unexpected, "no signal can be waited for").with_source(error);
    let mut terminate = signal(SignalKind::terminate()).map_err(unset)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(unset)?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
