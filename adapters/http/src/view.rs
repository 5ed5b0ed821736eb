use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::Response;
use axum::routing::get;
use axum::{Extension, Router};
use skyfold::{Trigger, ViewRequest};

use crate::after;
use crate::answer::Question;
use crate::frame::Ids;
use crate::problem::Problem;
use crate::query_string::{QueryString, segments};
use crate::router::Endpoint;

/// The path of the views of one projection.
pub(crate) fn routes(endpoint: Endpoint) -> Router {
    let path = format!("/{}/{{key}}", endpoint.function.name);
    Router::new().route(&path, get(show)).with_state(endpoint)
}

async fn show(
    State(endpoint): State<Endpoint>,
    Extension(ids): Extension<Ids>,
    request: Request,
) -> Result<Response<Body>, Problem> {
    let uri = request.uri();
    let mut query = QueryString::parse(uri.query())?;
    let after = after::take(&mut query, &endpoint.host.options)?;
    query.finish(&after::PARAMETERS)?;
    let key = segments(uri.path())?.pop().unwrap_or_default();
    let trigger = Trigger::View(ViewRequest { key, after: after.clone() });
    Question { endpoint, trigger, after }.answer(request.headers(), ids).await
}
