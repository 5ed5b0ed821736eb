use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Response, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use skyfold::{AsOf, Reply, StateAsOf, StreamId, Trigger, Version};

use crate::answer::REVALIDATE;
use crate::etag;
use crate::problem::Problem;
use crate::problem_types::NOT_FOUND;
use crate::query_string::{QueryString, segments, time_of};
use crate::router::{Endpoint, unfit};

/// The path of the states of one category.
pub(crate) fn routes(endpoint: Endpoint) -> Router {
    let path = format!("/{}/{{id}}", endpoint.function.name);
    Router::new().route(&path, get(show)).with_state(endpoint)
}

/// Shows a state. Its entity tag is the version, which a command may ask for in If-Match.
async fn show(
    State(endpoint): State<Endpoint>,
    request: Request,
) -> Result<Response<Body>, Problem> {
    let mut query = QueryString::parse(request.uri().query())?;
    let at = query.take("at")?.map_or(Ok(AsOf::Now), |at| as_of(&at))?;
    query.finish(&["at"])?;
    let id = segments(request.uri().path())?.pop().unwrap_or_default();
    let trigger = Trigger::State(StreamId::new(id)?, at);
    let state = match endpoint.invoke(trigger, Duration::ZERO).await? {
        Reply::State(state) => state,
        reply => return Err(unfit(&endpoint.function.name, &reply)),
    };
    check_existed(&state, at)?;
    let tag = etag::tag(&state.version.to_string());
    let headers = [(header::ETAG, tag.clone()), (header::CACHE_CONTROL, REVALIDATE)];
    // What was forgotten since changed no version, and is not to stay with the caller.
    if state.forgotten == 0 && etag::is_known(request.headers(), &tag) {
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    Ok((headers, Json(state)).into_response())
}

/// A version, or a time.
fn as_of(text: &str) -> Result<AsOf, Problem> {
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        let version = text.parse().map(|version| AsOf::Version(Version(version)));
        return version.map_err(|_| Problem::invalid(format!("the version {text} is too high")));
    }
    time_of(text).map(AsOf::Time).ok_or_else(|| {
        let example = "2010-12-01T08:26:00Z";
        let detail = format!("the parameter at is {text:?}, not a version or a time as {example}");
        Problem::invalid(detail)
    })
}

/// The state before any event is asked for by its version alone.
fn check_existed(state: &StateAsOf, at: AsOf) -> Result<(), Problem> {
    let stream = &state.stream;
    match at {
        _ if state.version != Version::EMPTY => Ok(()),
        AsOf::Version(_) => Ok(()),
        AsOf::Now => Err(Problem::new(&NOT_FOUND, format!("{stream} has no events"))),
        AsOf::Time(_) => {
            Err(Problem::new(&NOT_FOUND, format!("{stream} had no events at that time")))
        }
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_number_is_a_version_and_all_else_a_time() {
        assert_eq!(as_of("3").unwrap(), AsOf::Version(Version(3)));
        let time = AsOf::Time(datetime!(2010-12-01 08:26 UTC));
        for text in
            ["2010-12-01T08:26:00Z", "2010-12-01T09:26:00+01:00", "2010-12-01T09:26:00 01:00"]
        {
            assert_eq!(as_of(text).unwrap(), time, "{text}");
        }
        for illegal in ["", "-1", "3.0", "99999999999999999999", "2010-12-01", "now", "日本日本"]
        {
            assert!(as_of(illegal).is_err(), "{illegal}");
        }
    }
}
