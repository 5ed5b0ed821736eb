use std::sync::Arc;

use axum::extract::{Request, State};
use axum::routing::get;
use axum::{Json, Router};
use skyfold::{ForgetRequest, Forgotten, ForgottenPage};

use crate::body::read_as;
use crate::list::page_limit;
use crate::problem::Problem;
use crate::query_string::QueryString;
use crate::router::{Host, within};

/// The path at which subjects are forgotten, and the receipts of that are shown.
pub(crate) const PATH: &str = "/operations/forgotten";

/// The names of the parameters of a page of receipts.
const PARAMETERS: [&str; 2] = ["limit", "cursor"];

/// The path of personal data.
pub(crate) fn routes(host: Arc<Host>) -> Router {
    Router::new().route(PATH, get(show).post(forget)).with_state(host)
}

async fn show(
    State(host): State<Arc<Host>>,
    request: Request,
) -> Result<Json<ForgottenPage>, Problem> {
    let mut query = QueryString::parse(request.uri().query())?;
    let (limit, cursor) = (page_limit(query.take("limit")?)?, query.take("cursor")?);
    query.finish(&PARAMETERS)?;
    let privacy = host.runtime.privacy();
    Ok(Json(within(host.options.timeout, privacy.receipts(limit, cursor)).await??))
}

async fn forget(
    State(host): State<Arc<Host>>,
    request: Request,
) -> Result<Json<Forgotten>, Problem> {
    let (parts, body) = request.into_parts();
    let form = "{\"subject\", \"by\", \"reason\"}";
    let request: ForgetRequest = read_as(form, &parts.headers, body, &host.options).await?;
    let privacy = host.runtime.privacy();
    Ok(Json(within(host.options.timeout, privacy.forget(&request)).await??))
}
