use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::time::Duration;

use skyfold::host::Variables;
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

/// Who starts this process to have it answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Caller {
    Functions,
    #[cfg(feature = "container-apps")]
    ContainerApps,
}

/// Who has started this process, by its `variables`. The Functions host may run in Container Apps
/// itself.
fn caller<F: Fn(&str) -> Option<String>>(variables: &Variables<F>) -> Option<Caller> {
    if variables.get(PORT).is_some() {
        return Some(Caller::Functions);
    }
    #[cfg(feature = "container-apps")]
    if variables.get(program::APP).is_some() {
        return Some(Caller::ContainerApps);
    }
    None
}

/// Whether the Functions host or Container Apps has started this process.
pub fn is_called() -> bool {
    caller(&Variables::of_process()).is_some()
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
    let variables = Variables::of_process();
    #[cfg(feature = "container-apps")]
    if caller(&variables) == Some(Caller::ContainerApps) {
        return program::serve(app).await;
    }
    let port = variables.get(PORT).and_then(|port| port.parse::<u16>().ok());
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_functions_host_comes_first_wherever_it_runs() {
        let caller = |set: &'static [&'static str]| {
            caller(&Variables::new(move |name: &str| set.contains(&name).then(|| "80".to_owned())))
        };
        assert_eq!(caller(&[]), None);
        assert_eq!(caller(&[PORT]), Some(Caller::Functions));
        #[cfg(feature = "container-apps")]
        {
            assert_eq!(caller(&[program::APP]), Some(Caller::ContainerApps));
            assert_eq!(caller(&[program::APP, PORT]), Some(Caller::Functions));
        }
    }
}
