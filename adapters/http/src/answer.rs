//! How views, lists and queries are answered, at once or once they show an event.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use skyfold::{After, Answer, EventId, Reply, Trigger};

use crate::etag;
use crate::frame::Ids;
use crate::problem::{JSON, Problem};
use crate::problem_types::PENDING;
use crate::router::{Endpoint, unfit};
use crate::sse;

/// A caller may keep an answer, and asks whether it still holds before it is used again.
pub(crate) const REVALIDATE: HeaderValue = HeaderValue::from_static("no-cache");

/// The header that names the event which changed a view last.
const LAST_EVENT: HeaderName = HeaderName::from_static("x-last-event");

/// The header that names the business transaction of that event.
const LAST_CORRELATION: HeaderName = HeaderName::from_static("x-last-correlation-id");

/// What somebody wants to know, and what the answer must show.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) endpoint: Endpoint,
    pub(crate) trigger: Trigger,
    pub(crate) after: Option<After>,
}

impl Question {
    /// Answers as the caller can take it: with JSON, or with server-sent events.
    pub(crate) async fn answer(
        self,
        headers: &HeaderMap,
        ids: Ids,
    ) -> Result<Response<Body>, Problem> {
        if sse::is_wanted(headers) {
            return sse::answer(self, headers, ids);
        }
        let answer = self.ask().await?;
        let mut told = HeaderMap::new();
        told.insert(header::CACHE_CONTROL, REVALIDATE);
        if let Some(event) = &answer.last {
            told.extend(header_of(LAST_EVENT, &event.to_string()));
        }
        if let Some(correlation) = &answer.metadata.correlation {
            told.extend(header_of(LAST_CORRELATION, correlation));
        }
        if let Some(tag) = answer.revision.as_deref().map(etag::tag) {
            told.insert(header::ETAG, tag.clone());
            if etag::is_known(headers, &tag) {
                return Ok((StatusCode::NOT_MODIFIED, told).into_response());
            }
        }
        told.insert(header::CONTENT_TYPE, JSON);
        Ok((told, answer.body.get().to_owned()).into_response())
    }

    /// Waits for the answer; that there is none in time is a problem of its own.
    pub(crate) async fn ask(self) -> Result<Answer, Problem> {
        let wait = self.after.as_ref().map_or(Duration::ZERO, |after| after.wait);
        match self.endpoint.invoke(self.trigger, wait).await? {
            Reply::Answer(answer) => Ok(answer),
            Reply::Pending => Err(pending(self.after.map(|after| after.event))),
            reply => Err(unfit(&self.endpoint.function.name, &reply)),
        }
    }
}

/// A header, if `value` can be one.
fn header_of(name: HeaderName, value: &str) -> Option<(HeaderName, HeaderValue)> {
    HeaderValue::from_str(value).ok().map(|value| (name, value))
}

fn pending(event: Option<EventId>) -> Problem {
    let event = event.map_or_else(|| "what was asked for".to_owned(), |event| event.to_string());
    Problem::new(&PENDING, format!("{event} is not shown yet"))
}
