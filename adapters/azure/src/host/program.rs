use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use skyfold::host::Variables;
use skyfold::{App, Error, ErrorKind, Result, Runtime};
use skyfold_http::deliveries::Certs;
use skyfold_http::process::stopped;
use skyfold_http::{Options, ServerLimits, serve_within};
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use super::callers::{Callers, EVENT_GRID, entra_certs};
use super::container::served;
use super::messages::Inbox;
use super::process::REQUEST_MAX;
use super::work::{Commands, QUEUE, RELAY, Relay, SWEEP, Sweep, repeat};
use crate::Azure;

/// What Container Apps sets: the name of the app ("Manage environment variables on
/// Azure Container Apps", "Built-in environment variables").
pub(super) const APP: &str = "CONTAINER_APP_NAME";

/// The variable in which Container Apps says where to listen, which is where its ingress asks.
const PORT: &str = "CONTAINER_APP_PORT";

/// Where to listen if it does not say so.
const PORT_DEFAULT: u16 = 8080;

/// The variable that holds the id of the tenant of Microsoft Entra that vouches for who delivers.
const TENANT: &str = "SKYFOLD_TENANT";

/// The variable that holds the audiences of the tokens that deliveries bring, with commas between
/// them.
const AUDIENCES: &str = "SKYFOLD_AUDIENCES";

/// The variable that holds the applications that deliver, with commas between them.
const CALLERS: &str = "SKYFOLD_CALLERS";

/// How long requests that have begun may take after the signal to stop, and then how long other
/// work may: Container Apps ends the process 30 seconds after it ("Application lifecycle management
/// in Azure Container Apps", "Shutdown").
const DRAIN_MAX: Duration = Duration::from_secs(20);
const WORK_MAX: Duration = Duration::from_secs(5);

/// Serves `app` on what [`Azure::from_environment`] finds until it is told to stop.
pub(super) async fn serve(app: App) -> Result<()> {
    let stopped = stopped()?;
    let variables = Variables::of_process();
    let port = port(variables.get(PORT))?;
    let azure = Azure::from_environment().await?;
    let runtime = app.bind(azure.ports())?;
    let callers = callers(&variables)?;
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).await.map_err(broken)?;
    program(listener, runtime, azure, callers, stopped).await
}

/// Does all that Container Apps runs an app for, on `listener` rather than where the environment
/// says, until `stopped`: it answers as [`container`](fn@super::container) does, announces what the
/// change feed brings to `runtime`, takes the commands of the queue of `azure`, and sweeps every
/// five minutes. What has begun by then it ends, within 25 seconds.
///
/// Of several at once each announces, and runs, what the others do not; what two of them announce
/// is dropped by whoever hears it twice.
///
/// # Errors
///
/// [`Unavailable`](ErrorKind::Unavailable) if nobody can be answered,
/// [`Unexpected`](ErrorKind::Unexpected) if part of the work has broken down.
pub async fn program(
    listener: TcpListener,
    runtime: Runtime,
    azure: Azure,
    callers: Callers,
    stopped: impl Future<Output = ()>,
) -> Result<()> {
    work(listener, runtime, Arc::new(azure), callers, stopped).await
}

/// The same with any queue.
pub(super) async fn work(
    listener: TcpListener,
    runtime: Runtime,
    inbox: Arc<dyn Inbox>,
    callers: Callers,
    stopped: impl Future<Output = ()>,
) -> Result<()> {
    let (stop, stopping) = watch::channel(false);
    let news = Arc::new(Notify::new());
    let options = Options { timeout: REQUEST_MAX, ..Options::default() };
    let router = served(runtime.clone(), options, callers, news.clone());
    let mut works = JoinSet::new();
    for relay in Relay::all(&runtime)? {
        works.spawn(repeat(relay, RELAY, news.clone(), stopping.clone()));
    }
    let commands = Commands { runtime: runtime.clone(), inbox, news: news.clone() };
    works.spawn(repeat(commands, QUEUE, news, stopping.clone()));
    // Nothing makes it more urgent.
    works.spawn(repeat(Sweep { runtime }, SWEEP, Arc::default(), stopping));

    let mut is_interrupted = false;
    let until = async {
        tokio::select! {
            () = stopped => {}
            _ = works.join_next() => is_interrupted = true,
        }
        stop.send_replace(true);
    };
    let limits = ServerLimits { drain_max: DRAIN_MAX, ..ServerLimits::default() };
    let served = serve_within(limits, listener, router, until).await;
    stop.send_replace(true);
    let ended = async { while works.join_next().await.is_some() {} };
    if tokio::time::timeout(WORK_MAX, ended).await.is_err() {
        tracing::warn!("work that took longer than {WORK_MAX:?} to end was cut off");
    }
    if is_interrupted {
        // A process without it would look well, and be of no use.
        let message = "part of the work has broken down: the log says why";
        return Err(Error::new(ErrorKind::Unexpected, message));
    }
    served.map_err(broken)
}

fn broken(error: std::io::Error) -> Error {
    let message = "nobody can be answered where Container Apps asks";
    Error::new(ErrorKind::Unavailable, message).with_source(error)
}

fn port(said: Option<String>) -> Result<u16> {
    let Some(said) = said else { return Ok(PORT_DEFAULT) };
    said.parse().map_err(|error: std::num::ParseIntError| {
        let message = format!("{PORT} is no port: {said:?}");
        Error::new(ErrorKind::Invalid, message).with_source(error)
    })
}

/// Who may deliver: Event Grid, unless others are named.
fn callers<F: Fn(&str) -> Option<String>>(variables: &Variables<F>) -> Result<Callers> {
    let [tenant, _] = variables.require([TENANT, AUDIENCES])?;
    let audiences = variables.require_list(AUDIENCES)?;
    let mut ids = variables.list(CALLERS);
    if ids.is_empty() {
        ids.push(EVENT_GRID.to_owned());
    }
    let certs = Certs::at(&entra_certs(&tenant)?)?;
    Ok(Callers::applications(certs, &tenant, &audiences, ids))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";

    fn read(tenant: &'static str, audiences: &'static str) -> Result<Callers> {
        let read = move |name: &str| match name {
            TENANT => Some(tenant.to_owned()),
            AUDIENCES => Some(audiences.to_owned()),
            _ => None,
        };
        callers(&Variables::new(read))
    }

    #[test]
    fn nobody_delivers_unless_the_environment_says_who() {
        for (tenant, audiences) in [("", ""), (ID, ""), ("", "api://order"), (ID, " , ")] {
            let error = read(tenant, audiences).unwrap_err();
            assert!(error.message().contains("does not set"), "{error}");
        }
        let error = read("order.onmicrosoft.com", "api://order").unwrap_err();
        assert!(error.message().contains("not the id of a tenant"), "{error}");
        let callers = format!("{:?}", read(ID, "api://order").unwrap());
        assert!(callers.contains(EVENT_GRID) && callers.contains(ID), "{callers}");
    }

    #[test]
    fn a_port_is_what_container_apps_says() {
        assert_eq!(port(None).unwrap(), 8080);
        assert_eq!(port(Some("80".into())).unwrap(), 80);
        assert!(port(Some("eighty".into())).unwrap_err().message().contains(PORT));
    }
}
