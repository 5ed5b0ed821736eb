use std::sync::Arc;

use axum::extract::{Request, State};
use axum::routing::get;
use axum::{Json, Router};
use skyfold::ports::FeedQuery;
use skyfold::{EventPage, StreamName, StreamPage, Version};

use crate::list::page_limit;
use crate::problem::Problem;
use crate::query_string::{QueryString, segments};
use crate::router::{Host, within};

/// The path of the events of all streams.
pub(crate) const PATH: &str = "/operations/events";

/// The path of the events of one stream.
pub(crate) const ONE: &str = "/operations/events/{stream}";

/// The paths of recorded events.
pub(crate) fn routes(host: Arc<Host>) -> Router {
    Router::new().route(PATH, get(read)).route(ONE, get(of)).with_state(host)
}

async fn read(State(host): State<Arc<Host>>, request: Request) -> Result<Json<EventPage>, Problem> {
    let mut query = QueryString::parse(request.uri().query())?;
    let (categories, since) = (query.take_all("category"), query.take_time("since")?);
    let cursor = query.take("cursor")?;
    query.finish(&["category", "since", "cursor"])?;
    let (asked, events) = (FeedQuery { categories, since, until: None }, host.runtime.events());
    let page = events.read(&asked, cursor.as_deref());
    Ok(Json(within(host.options.timeout, page).await??))
}

async fn of(State(host): State<Arc<Host>>, request: Request) -> Result<Json<StreamPage>, Problem> {
    let mut query = QueryString::parse(request.uri().query())?;
    let (from, limit) = (query.take_version("from")?, page_limit(query.take("limit")?)?);
    query.finish(&["from", "limit"])?;
    let stream = segments(request.uri().path())?.pop().unwrap_or_default();
    let (stream, events) = (stream.parse::<StreamName>()?, host.runtime.events());
    let page = events.of(&stream, from.unwrap_or(Version(1)), limit);
    Ok(Json(within(host.options.timeout, page).await??))
}
