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
    ask(what, request).await.map(drop)
}

/// The same. Returns the answer, of `bytes_max` bytes at most.
///
/// # Errors
///
/// What the service refuses, and if it does not answer, or with more.
#[cfg(feature = "container-apps")]
pub(crate) async fn read(what: &str, request: RequestBuilder, bytes_max: usize) -> Result<String> {
    use skyfold::{Error, ErrorKind};
    let mut response = ask(what, request).await?;
    let mut body = vec![];
    while let Some(chunk) = response.chunk().await.map_err(|error| unanswered(what, error))? {
        if body.len() + chunk.len() > bytes_max {
            let message = format!("{what}: the answer has more than {bytes_max} bytes");
            return Err(Error::new(ErrorKind::Corrupt, message));
        }
        body.extend_from_slice(&chunk);
    }
    String::from_utf8(body).map_err(|error| {
        Error::new(ErrorKind::Corrupt, format!("{what}: the answer is no text")).with_source(error)
    })
}

async fn ask(what: &str, request: RequestBuilder) -> Result<Response> {
    let response = request.send().await.map_err(|error| unanswered(what, error))?;
    let status = response.status();
    if status.is_success() {
        return Ok(response);
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
