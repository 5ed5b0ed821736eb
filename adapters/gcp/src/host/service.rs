use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{MethodRouter, post};
use axum::{Json, Router};
use skyfold::host::{self, Delivery, Role, Seen, Watch};
use skyfold::ports::QueuedCommand;
use skyfold::{CloudEvent, Kind, Result, Runtime, Swept};
use skyfold_http::deliveries::Untaken;
use skyfold_http::{Options, router};

use super::callers::Callers;
use super::push::{Push, task_attempts};
use crate::eventarc;
use crate::events::found;

/// How many bytes a delivery may have: a message of Pub/Sub has up to 10 MB ("Pub/Sub quotas and
/// limits"), a third more in base64, and what frames it.
const DELIVERY_BYTES_MAX: usize = 14_000_000;

/// One function of the app, or of the host, as a service of Cloud Run: which one, `name` says.
///
/// | function | what it takes |
/// |---|---|
/// | the relay | `POST /deliveries/commits`, the events of Eventarc that [`eventarc`] names |
/// | a projection or a saga | `POST /deliveries/events`, from a push subscription to the topic |
/// | a saga | `POST /deliveries/watch` as well, from a workflow that watches a transaction |
/// | `commands` | `POST /deliveries/commands`, tasks, and a push subscription of immediate ones |
/// | `sweep` | `POST /deliveries/sweep`, at times that a schedule says |
/// | `api`, and that of a command or a query | the app over HTTP, with `options` |
///
/// Deliveries are taken from `callers` alone. One that is answered with anything but a success
/// comes again; what failed for good is a dead letter, or is after some attempts, where those are
/// counted. Who may ask over HTTP is decided before: Cloud Run lets nobody in whom its policy does
/// not name. Deliveries are to come in without that check ([`Callers::accounts`] says why).
///
/// # Errors
///
/// [`NotFound`](skyfold::ErrorKind::NotFound) if there is no such function,
/// [`Invalid`](skyfold::ErrorKind::Invalid) if the app has one whose name is the host's own.
pub fn service(runtime: Runtime, name: &str, options: Options, callers: Callers) -> Result<Router> {
    let Some((path, taken)) = deliveries(&runtime, name)? else {
        return Ok(router(runtime, options));
    };
    let kind = runtime.manifest().function(name).map(|function| function.kind);
    let watched = match kind {
        Some(Kind::Saga) => Router::new().route("/deliveries/watch", post(watch)),
        _ => Router::new(),
    };
    let function = Arc::new(Function { runtime, name: name.to_owned() });
    Ok(watched
        .route(path, taken)
        .with_state(function)
        .layer(DefaultBodyLimit::max(DELIVERY_BYTES_MAX))
        // Outermost: nothing is read of what nobody may deliver.
        .layer(middleware::from_fn_with_state(callers, permitted)))
}

/// Whether the function `name` takes deliveries, which are from `callers`.
///
/// # Errors
///
/// Those of [`service`].
pub(crate) fn takes_deliveries(runtime: &Runtime, name: &str) -> Result<bool> {
    Ok(deliveries(runtime, name)?.is_some())
}

/// Where a function takes deliveries, and what takes them.
type Door = (&'static str, MethodRouter<Arc<Function>>);

/// The one of the function `name`; `None` if nothing is delivered to it.
fn deliveries(runtime: &Runtime, name: &str) -> Result<Option<Door>> {
    let manifest = runtime.manifest();
    Ok(match Role::of(&manifest, name)? {
        Role::Api => None,
        Role::Commands => Some(("/deliveries/commands", post(run))),
        Role::Sweep => Some(("/deliveries/sweep", post(sweep))),
        Role::Function(name) => match manifest.function(&name).map(|function| function.kind) {
            Some(Kind::Relay) => Some(("/deliveries/commits", post(relay))),
            Some(Kind::Projection | Kind::Saga) => Some(("/deliveries/events", post(hear))),
            Some(Kind::Command | Kind::Query) | None => None,
        },
    })
}

/// What all deliveries to one function share.
#[derive(Debug)]
struct Function {
    runtime: Runtime,
    name: String,
}

async fn permitted(
    State(callers): State<Callers>,
    request: Request,
    next: Next,
) -> Result<Response, Untaken> {
    callers.check(request.headers()).await?;
    Ok(next.run(request).await)
}

/// Announces the commit that a document tells of, by reference if it cannot be read.
async fn relay(
    State(function): State<Arc<Function>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, Untaken> {
    let kind = headers.get("ce-type").map(|kind| kind.as_bytes());
    if kind != Some(eventarc::CREATED.as_bytes()) {
        let detail = format!("this is no event of the type {}", eventarc::CREATED);
        return Err(Untaken::new(StatusCode::BAD_REQUEST, detail));
    }
    let Function { runtime, name } = &*function;
    let failed = match eventarc::document(&body)?.as_ref().map(found) {
        None => vec![],
        Some(Ok(commit)) => host::relay(runtime, name, vec![commit], &[]).await?,
        // It would come again for a day, and be as it is.
        Some(Err(unreadable)) => host::relay(runtime, name, vec![], &[unreadable]).await?,
    };
    match failed.is_empty() {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Untaken::comes_again()),
    }
}

/// Gives an event to a projection or a saga.
async fn hear(State(function): State<Arc<Function>>, body: Bytes) -> Result<StatusCode, Untaken> {
    let push = Push::of(&body)?;
    let event = push.read::<CloudEvent>("event").and_then(CloudEvent::into_announced);
    let Function { runtime, name } = &*function;
    let delivery: Delivery<()> = Delivery { id: (), attempts: push.attempts(), event };
    match host::hear(runtime, name, vec![delivery]).await?.is_empty() {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Untaken::comes_again()),
    }
}

/// Tells how a transaction is getting on.
async fn watch(State(function): State<Arc<Function>>, body: Bytes) -> Result<Json<Seen>, Untaken> {
    let watch: Watch = serde_json::from_slice(&body).map_err(|error| {
        let detail = format!("this names no transaction: {error}");
        Untaken::new(StatusCode::BAD_REQUEST, detail)
    })?;
    Ok(Json(watch.look(&function.runtime, &function.name).await?))
}

/// Runs a command, which a task or a message holds.
async fn run(
    State(function): State<Arc<Function>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, Untaken> {
    let (queued, attempts) = match task_attempts(&headers) {
        Some(attempts) => (serde_json::from_slice(&body).map_err(no_command)?, attempts),
        None => {
            let push = Push::of(&body)?;
            (push.read::<QueuedCommand>("command")?, push.attempts())
        }
    };
    match host::run(&function.runtime, &queued, attempts).await {
        true => Err(Untaken::comes_again()),
        false => Ok(StatusCode::NO_CONTENT),
    }
}

fn no_command(error: serde_json::Error) -> Untaken {
    Untaken::new(StatusCode::BAD_REQUEST, format!("the task is no command: {error}"))
}

/// Looks for what the others have missed.
async fn sweep(State(function): State<Arc<Function>>) -> Result<Json<Swept>, Untaken> {
    Ok(Json(host::sweep(&function.runtime).await?))
}
