use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::Response;
use axum::routing::get;
use axum::{Extension, Router};
use skyfold::limits::PAGE_ITEMS_MAX;
use skyfold::ports::Order;
use skyfold::{After, ListRequest, Trigger};

use crate::after;
use crate::answer::Question;
use crate::frame::Ids;
use crate::problem::Problem;
use crate::query_string::QueryString;
use crate::router::Endpoint;

/// How many views a page has, unless the caller asks for another number.
pub(crate) const PAGE_ITEMS: usize = 20;

/// The names of the parameters of a list.
const PARAMETERS: [&str; 7] = ["list", "under", "order", "limit", "cursor", "after", "wait"];

/// The path of the lists of one projection, if it has any.
pub(crate) fn routes(endpoint: Endpoint) -> Router {
    if endpoint.function.lists.is_empty() {
        return Router::new();
    }
    let path = format!("/{}", endpoint.function.name);
    Router::new().route(&path, get(show)).with_state(endpoint)
}

async fn show(
    State(endpoint): State<Endpoint>,
    Extension(ids): Extension<Ids>,
    request: Request,
) -> Result<Response<Body>, Problem> {
    let mut query = QueryString::parse(request.uri().query())?;
    let after = after::take(&mut query, &endpoint.host.options)?;
    let list = read(&endpoint, query, after.clone())?;
    let trigger = Trigger::List(list);
    Question { endpoint, trigger, after }.answer(request.headers(), ids).await
}

fn read(
    endpoint: &Endpoint,
    mut query: QueryString,
    after: Option<After>,
) -> Result<ListRequest, Problem> {
    let (list, under) = (query.take("list")?, query.take("under")?);
    let (order, limit) = (query.take("order")?, query.take("limit")?);
    let cursor = query.take("cursor")?;
    query.finish(&PARAMETERS)?;
    let lists = &endpoint.function.lists;
    let list = match (list, &lists[..]) {
        (Some(list), _) => list,
        (None, [only]) => only.clone(),
        (None, _) => {
            let known = lists.join(", ");
            return Err(Problem::invalid(format!("the parameter list is missing: one of {known}")));
        }
    };
    let missing = || Problem::invalid("the parameter under is missing: what the list is of");
    let under = under.ok_or_else(missing)?;
    let (order, limit) = (self::order(order)?, page_limit(limit)?);
    Ok(ListRequest { list, under, order, limit, cursor, after })
}

/// Which way a page goes, as a caller says it.
pub(crate) fn order(text: Option<String>) -> Result<Order, Problem> {
    match text.as_deref() {
        None | Some("asc") => Ok(Order::Ascending),
        Some("desc") => Ok(Order::Descending),
        Some(other) => {
            Err(Problem::invalid(format!("the parameter order is {other:?}, not asc or desc")))
        }
    }
}

/// How many items a page has, as a caller says it.
pub(crate) fn page_limit(text: Option<String>) -> Result<usize, Problem> {
    text.map_or(Ok(PAGE_ITEMS), |text| {
        let legal = text.parse().ok().filter(|limit| (1..=PAGE_ITEMS_MAX).contains(limit));
        legal.ok_or_else(|| {
            let detail = format!("the parameter limit is {text:?}, not 1 to {PAGE_ITEMS_MAX}");
            Problem::invalid(detail)
        })
    })
}
