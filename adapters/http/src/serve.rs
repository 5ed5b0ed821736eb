use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// How often in a row accepting a connection may fail before the server gives up.
const ACCEPT_FAILURES_MAX: u32 = 60;

/// How long to wait after such a failure: the machine may be out of files for a moment.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// What a server grants its clients.
#[derive(Clone, Debug)]
pub struct ServerLimits {
    /// How many connections are open at once; others wait to be accepted.
    pub connections_max: usize,
    /// How many bytes the head of a request may have. A larger one is refused with status 431.
    pub head_bytes_max: usize,
    /// How long the head of a request may take to arrive, and so how long a connection may idle.
    pub head_wait_max: Duration,
    /// How long requests that have begun may take to finish after the shutdown.
    pub drain_max: Duration,
}

impl Default for ServerLimits {
    /// 4,096 connections, heads of 64 KiB that arrive within 30 seconds, and 30 seconds to drain.
    fn default() -> Self {
        Self {
            connections_max: 4096,
            head_bytes_max: 64 * 1024,
            head_wait_max: Duration::from_secs(30),
            drain_max: Duration::from_secs(30),
        }
    }
}

/// Serves `router` on `listener` until `shutdown`, then lets the requests that have begun finish,
/// within the [default limits](ServerLimits::default).
///
/// What is not HTTP at all is answered below the router: with status 400, or 431 if the head is
/// too large, and no body.
///
/// # Errors
///
/// That of the listener, if it fails for a minute.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    serve_within(ServerLimits::default(), listener, router, shutdown).await
}

/// Serves as [`serve`] does, within `limits`.
///
/// # Errors
///
/// That of the listener, if it fails for a minute.
pub async fn serve_within(
    limits: ServerLimits,
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let outcome = {
        let accepting = accept(&limits, listener, router, &graceful, &mut connections);
        tokio::select! {
            outcome = accepting => outcome.map(|never| match never {}),
            () = pin!(shutdown) => Ok(()),
        }
    };
    if tokio::time::timeout(limits.drain_max, graceful.shutdown()).await.is_err() {
        let seconds = limits.drain_max.as_secs_f64();
        tracing::warn!("requests that took longer than {seconds} seconds to finish were cut off");
    }
    // Dropping the set ends what is left.
    outcome
}

/// Accepts connections, as many as there may be, until the listener fails for good.
async fn accept(
    limits: &ServerLimits,
    listener: TcpListener,
    router: Router,
    graceful: &GracefulShutdown,
    connections: &mut JoinSet<()>,
) -> io::Result<Infallible> {
    let slots = Arc::new(Semaphore::new(limits.connections_max));
    let mut failures = 0;
    loop {
        let slot = slots.clone().acquire_owned().await.expect("the semaphore is never closed");
        while connections.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((stream, _)) => {
                failures = 0;
                let connection = answer(limits, stream, router.clone(), graceful.watcher());
                connections.spawn(async move {
                    connection.await;
                    drop(slot);
                });
            }
            Err(error) if is_of_one_client(&error) => {}
            Err(error) if failures < ACCEPT_FAILURES_MAX => {
                tracing::error!(%error, "a connection could not be accepted");
                failures += 1;
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Answers the requests of one connection.
fn answer(
    limits: &ServerLimits,
    stream: TcpStream,
    router: Router,
    watcher: Watcher,
) -> impl Future<Output = ()> + use<> {
    // Answers are small and written at once: there is nothing to gather.
    let _ = stream.set_nodelay(true);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_wait_max)
        .max_header_size(limits.head_bytes_max)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    async move {
        if let Err(error) = watcher.watch(connection).await {
            tracing::debug!(%error, "a connection broke off");
        }
    }
}

/// Whether a connection failed before it was accepted, which is no matter of the listener.
fn is_of_one_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
