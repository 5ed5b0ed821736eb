use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::Uri;
use axum::routing::{get, post};
use axum::{Json, Router};
use skyfold::{DeadLetter, Discard, LetterPage, LetterQuery, Retried};

use crate::body::read_as;
use crate::list::{order, page_limit};
use crate::problem::Problem;
use crate::query_string::{QueryString, segments};
use crate::router::{Host, within};

/// The path at which dead letters are listed, and a page of them tried again.
pub(crate) const PATH: &str = "/operations/dead-letters";

/// The path of one letter.
pub(crate) const ONE: &str = "/operations/dead-letters/{id}";

/// The path at which one letter is tried again.
pub(crate) const RETRY: &str = "/operations/dead-letters/{id}/retry";

/// The path at which what one letter is about is given up.
pub(crate) const DISCARD: &str = "/operations/dead-letters/{id}/discard";

/// The paths of dead letters.
pub(crate) fn routes(host: Arc<Host>) -> Router {
    Router::new()
        .route(PATH, get(list).post(retry_all))
        .route(ONE, get(show))
        .route(RETRY, post(retry))
        .route(DISCARD, post(discard))
        .with_state(host)
}

async fn list(State(host): State<Arc<Host>>, uri: Uri) -> Result<Json<LetterPage>, Problem> {
    let mut query = QueryString::parse(uri.query())?;
    let closed = query.take_flag("closed")?;
    let asked = LetterQuery { closed, ..read_query(&mut query)? };
    query.finish(&["function", "stream", "closed", "order", "limit", "cursor"])?;
    let letters = host.runtime.dead_letters();
    Ok(Json(within(host.options.timeout, letters.list(&asked)).await??))
}

async fn retry_all(State(host): State<Arc<Host>>, uri: Uri) -> Result<Json<Retried>, Problem> {
    let mut query = QueryString::parse(uri.query())?;
    let is_all = query.take_flag("all")?;
    let asked = read_query(&mut query)?;
    query.finish(&["function", "stream", "all", "order", "limit", "cursor"])?;
    // Everything is tried again only where somebody says so.
    if is_all != (asked.function.is_none() && asked.stream.is_none()) {
        let detail = "which letters to retry is told by one of function, stream and all=true";
        return Err(Problem::invalid(detail));
    }
    let letters = host.runtime.dead_letters();
    Ok(Json(within(host.options.timeout, letters.retry_page(&asked)).await??))
}

async fn show(State(host): State<Arc<Host>>, uri: Uri) -> Result<Json<DeadLetter>, Problem> {
    let id = id_in(&uri)?;
    let letters = host.runtime.dead_letters();
    Ok(Json(within(host.options.timeout, letters.show(&id)).await??))
}

async fn retry(State(host): State<Arc<Host>>, uri: Uri) -> Result<Json<DeadLetter>, Problem> {
    let id = id_in(&uri)?;
    let letters = host.runtime.dead_letters();
    Ok(Json(within(host.options.timeout, letters.retry(&id)).await??))
}

async fn discard(
    State(host): State<Arc<Host>>,
    request: Request,
) -> Result<Json<DeadLetter>, Problem> {
    let (parts, body) = request.into_parts();
    let id = id_in(&parts.uri)?;
    let form = "{\"reason\", \"by\", \"event\"}";
    let discard: Discard = read_as(form, &parts.headers, body, &host.options).await?;
    let letters = host.runtime.dead_letters();
    Ok(Json(within(host.options.timeout, letters.discard(&id, &discard)).await??))
}

/// Takes what a list and a retry of several have in common.
fn read_query(query: &mut QueryString) -> Result<LetterQuery, Problem> {
    let (function, stream) = (query.take("function")?, query.take("stream")?);
    let stream = stream.map(|stream| stream.parse()).transpose()?;
    let (order, limit) = (order(query.take("order")?)?, page_limit(query.take("limit")?)?);
    let cursor = query.take("cursor")?;
    Ok(LetterQuery { function, stream, closed: false, order, limit, cursor })
}

/// The id of the letter that a path is about.
fn id_in(uri: &Uri) -> Result<String, Problem> {
    // The route has at least three segments.
    Ok(segments(uri.path())?.into_iter().nth(2).unwrap_or_default())
}
