use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use skyfold::{ReadModel, Rehearsed, Replay, ReplayStep, RevisionState, Verified, Verify};

use crate::body::posted;
use crate::problem::Problem;
use crate::query_string::{QueryString, segments};
use crate::router::{Host, within};

/// The path of one read model; below it is what is done with it.
pub(crate) const PATH: &str = "/operations/read-models/{name}";

/// How long a replay goes on for one request, if there is as much time.
const STEP: Duration = Duration::from_secs(5);

/// For how much longer than other answers a comparison is waited for: a view that differs is looked
/// at again and again while its events may be on their way.
const SETTLING: Duration = Duration::from_secs(60);

/// The revisions of a read model.
#[derive(Serialize)]
struct Revisions {
    items: Vec<RevisionState>,
}

/// Which revision is to answer; the newest that the app lists, if none is given.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Switch {
    revision: Option<u32>,
}

/// Which revision is to be removed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Drop {
    revision: u32,
}

/// How many documents were removed.
#[derive(Serialize)]
struct Dropped {
    removed: u64,
}

/// Which revision answers from then on.
#[derive(Serialize)]
struct Switched {
    revision: u32,
}

/// The paths of read models.
pub(crate) fn routes(host: Arc<Host>) -> Router {
    let below = |path: &str| format!("{PATH}{path}");
    Router::new()
        .route(PATH, get(revisions))
        .route(&below("/replay"), post(replay))
        .route(&below("/rehearse"), post(rehearse))
        .route(&below("/switch"), post(switch))
        .route(&below("/verify"), post(verify))
        .route(&below("/drop"), post(drop))
        .with_state(host)
}

async fn revisions(
    State(host): State<Arc<Host>>,
    request: Request,
) -> Result<Json<Revisions>, Problem> {
    QueryString::parse(request.uri().query())?.finish(&[])?;
    let model = read_model(&host, &request)?;
    Ok(Json(Revisions { items: within(host.options.timeout, model.revisions()).await?? }))
}

async fn replay(
    State(host): State<Arc<Host>>,
    request: Request,
) -> Result<Json<ReplayStep>, Problem> {
    let model = read_model(&host, &request)?;
    let asked = posted::<Replay>("what to replay", request, &host.options).await?;
    let step = model.replay_for(STEP.min(host.options.timeout / 2), &asked, |_| {});
    Ok(Json(within(host.options.timeout, step).await??))
}

async fn rehearse(
    State(host): State<Arc<Host>>,
    request: Request,
) -> Result<Json<Rehearsed>, Problem> {
    let model = read_model(&host, &request)?;
    let asked = posted::<Replay>("what to replay", request, &host.options).await?;
    Ok(Json(within(host.options.timeout, model.rehearse(&asked, |_| {})).await??))
}

async fn switch(
    State(host): State<Arc<Host>>,
    request: Request,
) -> Result<Json<Switched>, Problem> {
    let model = read_model(&host, &request)?;
    let Switch { revision } = posted("{\"revision\"}", request, &host.options).await?;
    let revision = within(host.options.timeout, model.switch(revision)).await??;
    Ok(Json(Switched { revision }))
}

async fn verify(
    State(host): State<Arc<Host>>,
    request: Request,
) -> Result<Json<Verified>, Problem> {
    let model = read_model(&host, &request)?;
    let asked = posted::<Verify>("what to compare", request, &host.options).await?;
    let time = host.options.timeout.saturating_add(SETTLING);
    Ok(Json(within(time, model.verify(&asked, |_| {})).await??))
}

async fn drop(State(host): State<Arc<Host>>, request: Request) -> Result<Json<Dropped>, Problem> {
    let model = read_model(&host, &request)?;
    let Drop { revision } = posted("{\"revision\"}", request, &host.options).await?;
    let removed = within(host.options.timeout, model.remove(revision, |_| {})).await??;
    Ok(Json(Dropped { removed }))
}

/// The read model that a path names.
fn read_model<'a>(host: &'a Host, request: &Request) -> Result<ReadModel<'a>, Problem> {
    let name = segments(request.uri().path())?.into_iter().nth(2).unwrap_or_default();
    Ok(host.runtime.read_model(&name)?)
}
