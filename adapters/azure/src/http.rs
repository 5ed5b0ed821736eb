//! Requests to the services that are no Cosmos DB.

use std::time::Duration;

use reqwest::{RequestBuilder, Response};
use skyfold::Result;

use crate::errors::{answered, unanswered};

/// How much of an answer that refuses is told.
const SAID_CHARS_MAX: usize = 500;

/// Makes `request`, which is about `what`.
///
/// # Errors
///
/// What the service refuses, and if it does not answer.
pub(crate) async fn send(what: &str, request: RequestBuilder) -> Result<()> {
    let response = request.send().await.map_err(|error| unanswered(what, error))?;
    let status = response.status();
    if status.is_success() {
        return Ok(());
    }
    let wait = retry_after(&response);
    let said = response.text().await.unwrap_or_default();
    let said = said.chars().take(SAID_CHARS_MAX).collect();
    Err(answered(what, status.as_u16(), wait, said))
}

/// How long the answer asks to wait.
fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get("retry-after")?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}
