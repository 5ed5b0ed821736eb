//! Answers as server-sent events ("HTML Living Standard", section 9.2): first comments while the
//! views do not show what they must, then one event.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::stream::{self, StreamExt};
use skyfold::EventId;
use tracing::{Instrument, Span};

use crate::answer::Question;
use crate::frame::{Ids, no_panic};
use crate::problem::Problem;
use crate::problem_types::PENDING;

/// The header in which a browser that connects again names the last event that it saw.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// When a browser whose wait has ended asks again.
const RETRY: Duration = Duration::from_secs(1);

/// How often a waiting reader hears something, at most.
const HEARTBEAT_MIN: Duration = Duration::from_millis(1);

/// What a waiting reader hears.
const HEARTBEAT: &str = "pending";

/// Whether the caller asks for server-sent events.
pub(crate) fn is_wanted(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut ranges = accepted.flat_map(|value| value.split(','));
    ranges.any(|range| {
        let essence = range.split(';').next().unwrap_or_default().trim();
        essence.eq_ignore_ascii_case("text/event-stream")
    })
}

/// Waits for the answer, and lets the caller hear of it.
pub(crate) fn answer(
    question: Question,
    headers: &HeaderMap,
    ids: Ids,
) -> Result<Response<Body>, Problem> {
    let Some(after) = &question.after else {
        let detail = "server-sent events tell when a view shows an event: name it in after";
        return Err(Problem::invalid(detail));
    };
    let event = after.event.clone();
    let seen = headers.get(LAST_EVENT_ID).map(HeaderValue::as_bytes);
    if seen == Some(event.to_string().as_bytes()) {
        // The status that keeps a browser from connecting again.
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let heartbeat = question.endpoint.host.options.heartbeat.max(HEARTBEAT_MIN);
    let last = async move { Ok(last_event(question, event, ids).await) };
    let first = stream::iter([Ok::<_, Infallible>(Event::default().comment(HEARTBEAT))]);
    let events = first.chain(stream::once(last.instrument(Span::current())));
    let keep_alive = KeepAlive::new().interval(heartbeat).text(HEARTBEAT);
    Ok(Sse::new(events).keep_alive(keep_alive).into_response())
}

/// The event that says how the wait has ended.
async fn last_event(question: Question, event: EventId, ids: Ids) -> Event {
    let outcome = no_panic(question.ask()).await.flatten();
    match outcome {
        Ok(answer) => {
            let id = event.to_string();
            Event::default().event("answer").id(id).data(answer.body.get())
        }
        Err(problem) => {
            problem.log();
            let document = problem.document(&ids.occurrence());
            let name = if *problem.of == PENDING { "pending" } else { "problem" };
            Event::default().event(name).retry(RETRY).data(document)
        }
    }
}
