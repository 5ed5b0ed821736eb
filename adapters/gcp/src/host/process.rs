use std::env;
use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::time::Duration;

use skyfold::host::Variables;
use skyfold::{App, Error, ErrorKind, Result};
use skyfold_http::process::{Times, exit, start_log, stopped};
use skyfold_http::{Options, ServerLimits, serve_within};
use tokio::net::TcpListener;

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

const _: () = assert!(DRAIN_MAX.as_secs() < 10, "the process ends before Cloud Run ends it");

/// Whether Cloud Run has started this process.
pub fn is_called() -> bool {
    env::var_os(SERVICE).is_some()
}

/// Serves the function of `app` that `SKYFOLD_FUNCTION` names, on what [`Gcp::from_environment`]
/// finds, until it is told to stop. A function that takes deliveries takes them from the service
/// accounts that `SKYFOLD_CALLERS` lists, with tokens for one of `SKYFOLD_AUDIENCES`.
pub async fn run(app: App) -> ExitCode {
    // Cloud Run tells the time of each line.
    start_log(Times::Left);
    exit(answer(app).await)
}

async fn answer(app: App) -> Result<()> {
    let variables = Variables::of_process();
    let name = variables.get(FUNCTION).unwrap_or_default();
    let runtime = app.bind(Gcp::from_environment().await?.ports())?;
    let takes_deliveries = takes_deliveries(&runtime, &name).map_err(|error| {
        Error::new(error.kind(), format!("{FUNCTION} says what cannot be")).with_source(error)
    })?;
    // Who takes none asks nobody for a token, and has nobody to name.
    let (audiences, callers) = match takes_deliveries {
        true => (variables.require_list(AUDIENCES)?, variables.require_list(CALLERS)?),
        false => (vec![], vec![]),
    };
    let callers = Callers::accounts(Certs::at(GOOGLE_CERTS)?, &audiences, callers);
    let router = service(runtime, &name, Options::default(), callers)?;
    let failed = |what| {
        move |error: std::io::Error| Error::new(ErrorKind::Unavailable, what).with_source(error)
    };
    let stopped = stopped()?;
    let port = port(variables.get(PORT))?;
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).await;
    let listener = listener.map_err(failed("nobody can listen where Cloud Run says"))?;
    let limits = ServerLimits { drain_max: DRAIN_MAX, ..ServerLimits::default() };
    let served = serve_within(limits, listener, router, stopped).await;
    served.map_err(failed("the service has broken down"))
}

fn port(said: Option<String>) -> Result<u16> {
    let Some(said) = said else { return Ok(PORT_DEFAULT) };
    said.parse().map_err(|error: std::num::ParseIntError| {
        let message = format!("{PORT} is no port: {said:?}");
        Error::new(ErrorKind::Invalid, message).with_source(error)
    })
}
