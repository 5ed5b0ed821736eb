use std::sync::Arc;

use axum::extract::{Request, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Serialize;
use skyfold::{
    Intervened, SagaInstance, SagaPage, SagaQuery, SagaRecord, SendRequest, SkipRequest, StreamId,
    Version,
};

use crate::body::posted;
use crate::problem::Problem;
use crate::problem_types::NOT_FOUND;
use crate::query_string::{QueryString, segments};
use crate::router::{Host, within};

/// The path of the transactions of one saga; below it are those of one transaction.
pub(crate) const PATH: &str = "/operations/sagas/{saga}";

/// What a retry came to.
#[derive(Serialize)]
struct Retried {
    records: u64,
}

/// A page of records.
#[derive(Serialize)]
struct Records {
    items: Vec<SagaRecord>,
}

/// The paths of sagas.
pub(crate) fn routes(host: Arc<Host>) -> Router {
    let below = |path: &str| format!("{PATH}/{{id}}{path}");
    Router::new()
        .route(PATH, get(list))
        .route(&below(""), get(show))
        .route(&below("/records"), get(records))
        .route(&below("/retry"), post(retry))
        .route(&below("/skip"), post(skip))
        .route(&below("/send"), post(send))
        .with_state(host)
}

async fn list(State(host): State<Arc<Host>>, request: Request) -> Result<Json<SagaPage>, Problem> {
    let saga = segments(request.uri().path())?.pop().unwrap_or_default();
    let mut query = QueryString::parse(request.uri().query())?;
    let (is_open, cursor) = (query.take_flag("open")?, query.take("cursor")?);
    let (since, quiet_since) = (query.take_time("since")?, query.take_time("quiet-since")?);
    query.finish(&["open", "since", "quiet-since", "cursor"])?;
    let asked = SagaQuery { is_open, since, quiet_since };
    let sagas = host.runtime.sagas();
    let page = sagas.list(&saga, &asked, cursor.as_deref());
    Ok(Json(within(host.options.timeout, page).await??))
}

async fn show(
    State(host): State<Arc<Host>>,
    request: Request,
) -> Result<Json<SagaInstance>, Problem> {
    QueryString::parse(request.uri().query())?.finish(&[])?;
    let (saga, id) = transaction(&request)?;
    let instance = within(host.options.timeout, host.runtime.sagas().show(&saga, &id)).await??;
    if instance.version == Version::EMPTY {
        return Err(Problem::new(&NOT_FOUND, format!("{saga} knows no {id}")));
    }
    Ok(Json(instance))
}

async fn records(
    State(host): State<Arc<Host>>,
    request: Request,
) -> Result<Json<Records>, Problem> {
    let mut query = QueryString::parse(request.uri().query())?;
    let beyond = query.take_version("beyond")?.unwrap_or(Version::EMPTY);
    query.finish(&["beyond"])?;
    let (saga, id) = transaction(&request)?;
    let sagas = host.runtime.sagas();
    let page = sagas.records(&saga, &id, beyond);
    Ok(Json(Records { items: within(host.options.timeout, page).await?? }))
}

async fn retry(State(host): State<Arc<Host>>, request: Request) -> Result<Json<Retried>, Problem> {
    QueryString::parse(request.uri().query())?.finish(&[])?;
    let (saga, id) = transaction(&request)?;
    let sagas = host.runtime.sagas();
    let records = within(host.options.timeout, sagas.retry(&saga, &id)).await??;
    Ok(Json(Retried { records }))
}

async fn skip(
    State(host): State<Arc<Host>>,
    request: Request,
) -> Result<Json<Intervened>, Problem> {
    let (saga, id) = transaction(&request)?;
    let asked: SkipRequest = posted("what is asked for", request, &host.options).await?;
    let sagas = host.runtime.sagas();
    Ok(Json(within(host.options.timeout, sagas.skip(&saga, &id, &asked)).await??))
}

async fn send(
    State(host): State<Arc<Host>>,
    request: Request,
) -> Result<Json<Intervened>, Problem> {
    let (saga, id) = transaction(&request)?;
    let asked: SendRequest = posted("what is asked for", request, &host.options).await?;
    let sagas = host.runtime.sagas();
    Ok(Json(within(host.options.timeout, sagas.send(&saga, &id, &asked)).await??))
}

/// The saga and the transaction that a path names.
fn transaction(request: &Request) -> Result<(String, StreamId), Problem> {
    let mut segments = segments(request.uri().path())?.into_iter().skip(2);
    let (saga, id) = (segments.next().unwrap_or_default(), segments.next().unwrap_or_default());
    Ok((saga, StreamId::new(id)?))
}
