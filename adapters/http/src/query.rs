use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::Response;
use axum::routing::get;
use axum::{Extension, Router};
use skyfold::{After, Payload, QueryRequest, Trigger};

use crate::after;
use crate::answer::Question;
use crate::body::read_json;
use crate::frame::Ids;
use crate::problem::Problem;
use crate::query_string::QueryString;
use crate::router::Endpoint;

/// The path of one query.
pub(crate) fn routes(endpoint: Endpoint) -> Router {
    let path = format!("/{}", endpoint.function.name);
    Router::new().route(&path, get(by_text).post(by_json)).with_state(endpoint)
}

/// Answers what is asked in the query string.
async fn by_text(
    State(endpoint): State<Endpoint>,
    Extension(ids): Extension<Ids>,
    request: Request,
) -> Result<Response<Body>, Problem> {
    let mut query = QueryString::parse(request.uri().query())?;
    let after = after::take(&mut query, &endpoint.host.options)?;
    let params = endpoint.parameters.read(query)?;
    question(endpoint, params, after).answer(request.headers(), ids).await
}

/// Answers what is asked in the body.
async fn by_json(
    State(endpoint): State<Endpoint>,
    Extension(ids): Extension<Ids>,
    request: Request,
) -> Result<Response<Body>, Problem> {
    let (parts, body) = request.into_parts();
    let mut query = QueryString::parse(parts.uri.query())?;
    let after = after::take(&mut query, &endpoint.host.options)?;
    query.finish(&after::PARAMETERS)?;
    let params = match read_json(&parts.headers, body, &endpoint.host.options).await? {
        Some(params) => params,
        // As if the query string were empty.
        None => endpoint.parameters.read(QueryString::parse(None)?)?,
    };
    question(endpoint, params, after).answer(&parts.headers, ids).await
}

fn question(endpoint: Endpoint, params: Payload, after: Option<After>) -> Question {
    let trigger = Trigger::Query(QueryRequest { params, after: after.clone() });
    Question { endpoint, trigger, after }
}
