use std::sync::Arc;

use axum::extract::{Request, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Serialize;
use serde::de::DeserializeOwned;
use skyfold::{
    Intervened, SagaInstance, SagaPage, SagaQuery, SagaRecord, SendRequest, SkipRequest, StreamId,
    Version,
};
use time::OffsetDateTime;

use crate::body::read_as;
use crate::problem::Problem;
use crate::problem_types::NOT_FOUND;
use crate::query_string::{QueryString, segments};
use crate::router::{Host, within};
use crate::state::time_of;

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
    let (since, quiet_since) = (time(&mut query, "since")?, time(&mut query, "quiet-since")?);
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
    let beyond = query.take("beyond")?;
    query.finish(&["beyond"])?;
    let beyond = beyond.map_or(Ok(0), |text| {
        let detail = format!("the parameter beyond is {text:?}, not a version");
        text.parse().map_err(|_| Problem::invalid(detail))
    })?;
    let (saga, id) = transaction(&request)?;
    let sagas = host.runtime.sagas();
    let page = sagas.records(&saga, &id, Version(beyond));
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
    let ((saga, id), asked) = (transaction(&request)?, body::<SkipRequest>(&host, request).await?);
    let sagas = host.runtime.sagas();
    Ok(Json(within(host.options.timeout, sagas.skip(&saga, &id, &asked)).await??))
}

async fn send(
    State(host): State<Arc<Host>>,
    request: Request,
) -> Result<Json<Intervened>, Problem> {
    let ((saga, id), asked) = (transaction(&request)?, body::<SendRequest>(&host, request).await?);
    let sagas = host.runtime.sagas();
    Ok(Json(within(host.options.timeout, sagas.send(&saga, &id, &asked)).await??))
}

/// The saga and the transaction that a path names.
fn transaction(request: &Request) -> Result<(String, StreamId), Problem> {
    let mut segments = segments(request.uri().path())?.into_iter().skip(2);
    let (saga, id) = (segments.next().unwrap_or_default(), segments.next().unwrap_or_default());
    Ok((saga, StreamId::new(id)?))
}

async fn body<T: DeserializeOwned>(host: &Host, request: Request) -> Result<T, Problem> {
    QueryString::parse(request.uri().query())?.finish(&[])?;
    let (parts, body) = request.into_parts();
    read_as("what is asked for", &parts.headers, body, &host.options).await
}

fn time(query: &mut QueryString, name: &str) -> Result<Option<OffsetDateTime>, Problem> {
    let Some(text) = query.take(name)? else { return Ok(None) };
    let detail = format!("the parameter {name} is {text:?}, not a time as 2010-12-01T08:26:00Z");
    time_of(&text).map(Some).ok_or_else(|| Problem::invalid(detail))
}
