use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::Uri;
use axum::routing::{get, post};
use axum::{Json, Router};
use skyfold::{DeadLetter, Discard, LetterPage, LetterQuery, Payload, Retried};

use crate::body::read_json;
use crate::list::{order, page_limit};
use crate::problem::Problem;
use crate::query_string::{QueryString, segments};
use crate::router::{Host, within};

/// The path at which dead letters are listed, and those of one function tried again.
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
    let (function, closed) = (query.take("function")?, query.take("closed")?);
    let closed = match closed.as_deref() {
        None | Some("false") => false,
        Some("true") => true,
        Some(other) => {
            let detail = format!("the parameter closed is {other:?}, not true or false");
            return Err(Problem::invalid(detail));
        }
    };
    let (order, limit) = (order(query.take("order")?)?, page_limit(query.take("limit")?)?);
    let cursor = query.take("cursor")?;
    query.finish(&["function", "closed", "order", "limit", "cursor"])?;
    let query = LetterQuery { function, closed, order, limit, cursor };
    let letters = host.runtime.dead_letters();
    Ok(Json(within(host.options.timeout, letters.list(&query)).await??))
}

async fn retry_all(State(host): State<Arc<Host>>, uri: Uri) -> Result<Json<Retried>, Problem> {
    let mut query = QueryString::parse(uri.query())?;
    let (function, limit) = (query.take("function")?, page_limit(query.take("limit")?)?);
    let cursor = query.take("cursor")?;
    query.finish(&["function", "limit", "cursor"])?;
    let missing = || Problem::invalid("the parameter function is missing: whose letters to retry");
    let function = function.ok_or_else(missing)?;
    let letters = host.runtime.dead_letters();
    Ok(Json(within(host.options.timeout, letters.retry_all(&function, limit, cursor)).await??))
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
    let body = read_json(&parts.headers, body, &host.options).await?;
    let discard = read(&body.unwrap_or_default())?;
    let letters = host.runtime.dead_letters();
    Ok(Json(within(host.options.timeout, letters.discard(&id, &discard)).await??))
}

/// The id of the letter that a path is about.
fn id_in(uri: &Uri) -> Result<String, Problem> {
    // The route has at least three segments.
    Ok(segments(uri.path())?.into_iter().nth(2).unwrap_or_default())
}

fn read(body: &Payload) -> Result<Discard, Problem> {
    serde_json::from_str(body.get()).map_err(|error| {
        Problem::invalid(format!("the body is not {{\"reason\", \"by\", \"event\"}}: {error}"))
    })
}
