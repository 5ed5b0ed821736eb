use std::env;
use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::time::Duration;

use skyfold::{App, Error, ErrorKind, Result};
use skyfold_http::{Options, ServerLimits, serve_within};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use super::service::takes_deliveries;
use super::{Callers, Certs, GOOGLE_CERTS, service};
use crate::Gcp;

/// The variable that says which of the app's functions this process is.
const FUNCTION: &str = "SKYFOLD_FUNCTION";

/// The variable that holds the audiences of the tokens that deliveries bring, with commas between
/// them.
const AUDIENCES: &str = "SKYFOLD_AUDIENCES";

/// The variable that holds the service accounts that deliver, with commas between them.
const CALLERS: &str = "SKYFOLD_CALLERS";

/// What Cloud Run sets, and nobody else: the name of the service ("Container runtime contract").
const SERVICE: &str = "K_SERVICE";

/// The variable in which Cloud Run says where to listen ("Container runtime contract").
const PORT: &str = "PORT";

/// Where to listen if it does not say so.
const PORT_DEFAULT: u16 = 8080;

/// How long requests that have begun may take after the signal to stop: Cloud Run ends the process
/// 10 seconds after it ("Container runtime contract").
const DRAIN_MAX: Duration = Duration::from_secs(8);

/// Whether Cloud Run has started this process.
pub fn is_called() -> bool {
    env::var_os(SERVICE).is_some()
}

/// Serves the function of `app` that `SKYFOLD_FUNCTION` names, on what [`Gcp::from_environment`]
/// finds, until it is told to stop. A function that takes deliveries takes them from the service
/// accounts that `SKYFOLD_CALLERS` lists, with tokens for one of `SKYFOLD_AUDIENCES`.
pub async fn run(app: App) -> ExitCode {
    start_log();
    match answer(app).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(kind = error.kind().code(), %error, "the service cannot run");
            ExitCode::FAILURE
        }
    }
}

async fn answer(app: App) -> Result<()> {
    let name = env::var(FUNCTION).unwrap_or_default();
    let runtime = app.bind(Gcp::from_environment().await?.ports())?;
    let takes_deliveries = takes_deliveries(&runtime, &name).map_err(|error| {
        Error::new(error.kind(), format!("{FUNCTION} says what cannot be")).with_source(error)
    })?;
    // Who takes none asks nobody for a token, and has nobody to name.
    let (audiences, callers) = match takes_deliveries {
        true => (list(AUDIENCES)?, list(CALLERS)?),
        false => (vec![], vec![]),
    };
    let callers = Callers::accounts(Certs::at(GOOGLE_CERTS)?, &audiences, callers);
    let router = service(runtime, &name, Options::default(), callers)?;
    let failed = |what| {
        move |error: std::io::Error| Error::new(ErrorKind::Unavailable, what).with_source(error)
    };
    let mut stop = signal(SignalKind::terminate()).map_err(failed("there are no signals"))?;
    let port = port(env::var(PORT).ok())?;
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).await;
    let listener = listener.map_err(failed("nobody can listen where Cloud Run says"))?;
    let stopped = async move {
        stop.recv().await;
    };
    let limits = ServerLimits { drain_max: DRAIN_MAX, ..ServerLimits::default() };
    let served = serve_within(limits, listener, router, stopped).await;
    served.map_err(failed("the service has broken down"))
}

/// The values in the variable `name`, of which there is one at least.
fn list(name: &str) -> Result<Vec<String>> {
    let value = env::var(name).unwrap_or_default();
    let values = value.split(',').map(str::trim).filter(|value| !value.is_empty());
    let values: Vec<_> = values.map(str::to_owned).collect();
    match values.is_empty() {
        false => Ok(values),
        true => {
            let message = format!("the environment does not set {name}: nobody could deliver");
            Err(Error::new(ErrorKind::Invalid, message))
        }
    }
}

fn port(said: Option<String>) -> Result<u16> {
    let Some(said) = said else { return Ok(PORT_DEFAULT) };
    said.parse().map_err(|error: std::num::ParseIntError| {
        let message = format!("{PORT} is no port: {said:?}");
        Error::new(ErrorKind::Invalid, message).with_source(error)
    })
}

/// Sends the log to standard output, which Cloud Run keeps, without colours, and with the time left
/// to it: warnings, unless `RUST_LOG` asks for more or less.
fn start_log() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    // An app that logs in its own way has begun before.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .without_time()
        .try_init();
}
