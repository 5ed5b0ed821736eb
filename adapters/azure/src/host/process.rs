use std::env;
use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::time::Duration;

use skyfold::{App, Error, ErrorKind, Result};
use skyfold_http::Options;
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

use super::functions::router;
use crate::Azure;

/// The variable that the Functions host sets, and nobody else: the port that it asks at ("Azure
/// Functions custom handlers").
const PORT: &str = "FUNCTIONS_CUSTOMHANDLER_PORT";

/// How long a request may take beside a reader's own wait, which is at most 10 seconds: whoever
/// waits for an answer is cut off after 230 ("Azure Functions hosting options", "Function app
/// timeout duration").
const REQUEST_MAX: Duration = Duration::from_secs(60);

/// Whether the Functions host has started this process.
pub fn is_called() -> bool {
    env::var_os(PORT).is_some()
}

/// Answers the Functions host for every function of `app`, on what [`Azure::from_environment`]
/// finds, until it is told to end.
pub async fn run(app: App) -> ExitCode {
    start_log();
    match serve(app).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(kind = error.kind().code(), %error, "the app cannot run");
            ExitCode::FAILURE
        }
    }
}

async fn serve(app: App) -> Result<()> {
    let port = env::var(PORT).ok().and_then(|port| port.parse::<u16>().ok());
    let port = port.ok_or_else(|| Error::new(ErrorKind::Invalid, format!("{PORT} is no port")))?;
    let azure = Azure::from_environment().await?;
    let runtime = app.bind(azure.ports())?;
    let options = Options { timeout: REQUEST_MAX, ..Options::default() };
    let router = router(runtime, azure, options)?;
    let unheard = |error| {
        let message = format!("the Functions host cannot be answered on port {port}");
        Error::new(ErrorKind::Unavailable, message).with_source(error)
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(unheard)?;
    skyfold_http::serve(listener, router, stopped()?).await.map_err(unheard)
}

/// Ends when the process is told to.
fn stopped() -> Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
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

/// Sends the log to standard output, which the Functions host keeps, without colours: warnings,
/// unless `RUST_LOG` asks for more or less.
fn start_log() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    // An app that logs in its own way has begun before.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).try_init();
}
