use std::env;
use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::time::Duration;

use skyfold::{App, Error, ErrorKind, Result};
use skyfold_http::Options;
use skyfold_http::process::{Times, exit, start_log, stopped};
use tokio::net::TcpListener;

use super::functions::router;
#[cfg(feature = "container-apps")]
use super::program;
use crate::Azure;

/// The variable that the Functions host sets, and nobody else: the port that it asks at ("Azure
/// Functions custom handlers").
const PORT: &str = "FUNCTIONS_CUSTOMHANDLER_PORT";

/// How long a request may take beside a reader's own wait, which is at most 10 seconds: whoever
/// waits for an answer is cut off after 230 ("Azure Functions hosting options", "Function app
/// timeout duration"), or 240 ("Ingress in Azure Container Apps").
pub(super) const REQUEST_MAX: Duration = Duration::from_secs(60);

/// Whether the Functions host or Container Apps has started this process.
pub fn is_called() -> bool {
    #[cfg(feature = "container-apps")]
    if program::is_called() {
        return true;
    }
    env::var_os(PORT).is_some()
}

/// Runs `app` as whoever has started this process expects it, on what [`Azure::from_environment`]
/// finds, until it is told to end.
///
/// For the Functions host it answers for every function. For Container Apps it answers over HTTP
/// and takes what Event Grid delivers, as `container` tells, from the
/// applications that `SKYFOLD_CALLERS` lists, Event Grid unless it is set, with tokens of the
/// tenant `SKYFOLD_TENANT` for one of `SKYFOLD_AUDIENCES`; and it announces what the change feed
/// brings, takes the commands of the queue, and sweeps every five minutes.
pub async fn run(app: App) -> ExitCode {
    start_log(Times::Logged);
    exit(serve(app).await)
}

async fn serve(app: App) -> Result<()> {
    #[cfg(feature = "container-apps")]
    if program::is_called() {
        return program::serve(app).await;
    }
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
