//! Requests to the services that are no Cosmos DB.

use std::time::Duration;

use reqwest::{RequestBuilder, Response};
use skyfold::Result;

use crate::errors::{answered, unanswered};

/// How much of an answer that refuses is read, and told.
const SAID_BYTES_MAX: usize = 500;

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
    Err(answered(what, status.as_u16(), wait, beginning(response).await))
}

/// What `response` says, as far as it comes and is told.
async fn beginning(mut response: Response) -> String {
    let mut said = vec![];
    while said.len() < SAID_BYTES_MAX
        && let Ok(Some(chunk)) = response.chunk().await
    {
        said.extend_from_slice(&chunk);
    }
    said.truncate(SAID_BYTES_MAX);
    String::from_utf8_lossy(&said).into_owned()
}

/// How long the answer asks to wait.
fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get("retry-after")?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_refusal_without_an_end_is_read_no_further_than_it_is_told() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut caller, _) = listener.accept().await.unwrap();
            _ = caller.read(&mut [0; 1024]).await.unwrap();
            caller.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
            while caller.write_all(b"no, and ").await.is_ok() {}
        });
        let error = send("the topic", reqwest::Client::new().get(url)).await.unwrap_err();
        let said = std::error::Error::source(&error).unwrap().to_string();
        assert!(said.starts_with("400: no, and no, and ") && said.len() <= 520, "{said}");
    }
}
