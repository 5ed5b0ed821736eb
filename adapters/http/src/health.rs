use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};

use crate::problem::Problem;
use crate::problem_types::UNAVAILABLE;
use crate::router::{Host, within};

/// The path that load balancers ask.
pub(crate) fn routes(host: Arc<Host>) -> Router {
    Router::new().route("/health", get(show)).with_state(host)
}

/// Whether the views keep up with the store. That the store cannot be asked is no better than
/// that they do not.
async fn show(State(host): State<Arc<Host>>) -> Result<Response<Body>, Problem> {
    let health = within(host.options.timeout, host.runtime.health()).await?;
    let health = health.map_err(|error| Problem::from(error).with_type(&UNAVAILABLE))?;
    let status = match health.healthy {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    Ok((status, Json(health)).into_response())
}
