use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use serde::Serialize;
use skyfold::{Error, ErrorKind, Result};
use tokio::net::TcpListener;

use crate::arguments::Serve;
use crate::background::BoxFuture;
use crate::{Context, Exit};

/// The port that is listened on unless the caller names another.
const PORT: u16 = 8080;

/// How many ports from there on are tried before giving up.
const PORTS_MAX: u16 = 100;

/// What is done once the app is being served.
type OnStart = Box<dyn FnOnce(Context) -> BoxFuture<Result<()>> + Send>;

/// How an app is served.
#[derive(Default)]
pub(crate) struct Hosting {
    pub(crate) options: skyfold_http::Options,
    pub(crate) on_start: Option<OnStart>,
    /// What to try, where `{url}` stands for the address.
    pub(crate) lines: Vec<String>,
}

/// Where the app answers.
#[derive(Serialize)]
struct Addresses {
    url: String,
    openapi: String,
    health: String,
}

/// Serves the app until stopped.
pub(crate) async fn serve(context: &Context, arguments: Serve, hosting: Hosting) -> Result<Exit> {
    let runtime = context.client().runtime().map_err(|_| {
        let message = "serve runs the app in this process: leave out --url";
        Error::new(ErrorKind::Invalid, message)
    })?;
    let stopped = context.console().stopped()?;
    let (listener, address) = listen(context, &arguments).await?;
    let url = url(address);
    tell_addresses(context, &url)?;
    let Hosting { mut options, on_start, lines } = hosting;
    if arguments.operations || address.ip().is_loopback() {
        options.operations = skyfold_http::Operations::Served;
    }
    let router = skyfold_http::router(runtime.clone(), options);
    let serving = skyfold_http::serve(listener, router, stopped);
    let started = async {
        if let Some(on_start) = on_start {
            on_start(context.clone().at(url.clone())).await?;
        }
        tell_lines(context, &lines, &url)?;
        // The server goes on until it is stopped.
        std::future::pending().await
    };
    tokio::select! {
        served = serving => served.map_err(|error| {
            let message = format!("{url} no longer answers");
            Error::new(ErrorKind::Unavailable, message).with_source(error)
        })?,
        failed = started => return failed,
    }
    context.output().say("stopped")?;
    Ok(Exit::Done)
}

/// Listens on the port that was asked for, or else on the first that is free.
async fn listen(context: &Context, arguments: &Serve) -> Result<(TcpListener, SocketAddr)> {
    let host = arguments.host.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let last = PORT.saturating_add(PORTS_MAX - 1);
    let ports = arguments.port.map_or(PORT..=last, |port| port..=port);
    for port in ports.clone() {
        match TcpListener::bind((host, port)).await {
            Ok(listener) => {
                let address = listener.local_addr().map_err(|error| failed(host, port, error))?;
                if port != *ports.start() {
                    let taken = ports.start();
                    context.output().hint(format_args!("port {taken} is taken, so this is {port}"));
                }
                return Ok((listener, address));
            }
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            Err(error) => return Err(failed(host, port, error)),
        }
    }
    let message = match arguments.port {
        Some(port) => format!(
            "port {port} of {host} is taken: name another with --port, or leave it out for the \
             next that is free"
        ),
        None => format!("the ports {PORT} to {last} of {host} are taken: name another with --port"),
    };
    Err(Error::new(ErrorKind::Unavailable, message))
}

fn failed(host: IpAddr, port: u16, error: io::Error) -> Error {
    let message = format!("cannot listen on port {port} of {host}");
    Error::new(ErrorKind::Unavailable, message).with_source(error)
}

/// Where somebody on this machine reaches `address`.
fn url(address: SocketAddr) -> String {
    let mut address = address;
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    format!("http://{address}")
}

fn tell_addresses(context: &Context, url: &str) -> Result<()> {
    let (openapi, health) = (format!("{url}/openapi.json"), format!("{url}/health"));
    let output = context.output();
    output.say(format_args!(
        "{app} answers at {url}\n\n  page     {url}/\n  \
         api      {url}/{{category}}/{{id}}/{{command}}\n  \
         openapi  {openapi}\n  health   {health}\n",
        app = context.client().manifest().app,
    ))?;
    output.json(&Addresses { url: url.to_owned(), openapi, health })
}

fn tell_lines(context: &Context, lines: &[String], url: &str) -> Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    let lines: Vec<_> =
        lines.iter().map(|line| format!("  {}", line.replace("{url}", url))).collect();
    context.output().say(format_args!("try\n{}", lines.join("\n")))
}
