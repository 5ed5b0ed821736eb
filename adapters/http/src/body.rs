use std::time::Duration;

use axum::body::{Body, BodyDataStream, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use futures::StreamExt;
use serde::de::DeserializeOwned;
use skyfold::Payload;

use crate::headers::Headers;
use crate::options::Options;
use crate::problem::Problem;
use crate::problem_types::{MEDIA_TYPE, SLOW_BODY, TOO_LARGE};
use crate::query_string::QueryString;

/// How much of a body that is refused is still taken off the wire: a client that sends all before
/// it reads would otherwise see a broken connection in the place of the answer.
const DISCARD_BYTES_MAX: usize = 1024 * 1024;

/// How long to do so.
const DISCARD_MAX: Duration = Duration::from_secs(1);

/// Reads the body of a request as JSON; `None` if it is empty.
pub(crate) async fn read_json(
    headers: &HeaderMap,
    body: Body,
    options: &Options,
) -> Result<Option<Payload>, Problem> {
    let reading = read(headers, body, options.body_bytes_max);
    let bytes = tokio::time::timeout(options.timeout, reading).await.map_err(|_| {
        let seconds = options.timeout.as_secs_f64();
        Problem::new(&SLOW_BODY, format!("the body was not complete after {seconds} seconds"))
    })??;
    let text = std::str::from_utf8(&bytes).map_err(|error| {
        let place = error.valid_up_to();
        Problem::invalid(format!("the body is not UTF-8 at byte {place}"))
    })?;
    if text.trim_ascii().is_empty() {
        return Ok(None);
    }
    check_media_type(headers)?;
    Payload::parse(text).map(Some).map_err(|error| {
        let problem = Problem::from(error);
        let detail = format!("the body is {}", problem.detail);
        problem.with_detail(detail)
    })
}

/// Reads the body of a request as a `T`, an object, of which `form` tells the caller.
pub(crate) async fn read_as<T: DeserializeOwned>(
    form: &str,
    headers: &HeaderMap,
    body: Body,
    options: &Options,
) -> Result<T, Problem> {
    let body = read_json(headers, body, options).await?.unwrap_or_default();
    if !body.get().starts_with('{') {
        return Err(Problem::invalid(format!("the body is not {form}: it is no object")));
    }
    serde_json::from_str(body.get())
        .map_err(|error| Problem::invalid(format!("the body is not {form}: {error}")))
}

/// The same of a whole request, which takes no parameters.
pub(crate) async fn posted<T: DeserializeOwned>(
    form: &str,
    request: Request,
    options: &Options,
) -> Result<T, Problem> {
    QueryString::parse(request.uri().query())?.finish(&[])?;
    let (parts, body) = request.into_parts();
    read_as(form, &parts.headers, body, options).await
}

/// Reads as much as there may be.
async fn read(headers: &HeaderMap, body: Body, max: usize) -> Result<Vec<u8>, Problem> {
    let announced = body.size_hint().lower();
    let mut stream = body.into_data_stream();
    if announced > max as u64 {
        // A client that waits for a go-ahead sends nothing, unless it is asked to by reading.
        let waits = headers.contains_key(header::EXPECT);
        if !waits && announced <= max.saturating_add(DISCARD_BYTES_MAX) as u64 {
            discard(stream).await;
        }
        return Err(too_large(&format!("has {announced} bytes"), max));
    }
    let mut bytes = vec![];
    while let Some(chunk) = stream.next().await {
        let broken = |error| Problem::invalid(format!("the body broke off: {error}"));
        let chunk = chunk.map_err(broken)?;
        if bytes.len() + chunk.len() > max {
            discard(stream).await;
            return Err(too_large("goes on", max));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn too_large(what: &str, max: usize) -> Problem {
    Problem::new(&TOO_LARGE, format!("the body {what}, of at most {max} bytes"))
}

/// Takes what still comes off the wire, within limits.
async fn discard(mut stream: BodyDataStream) {
    let discarding = async {
        let mut bytes = 0;
        while let Some(Ok(chunk)) = stream.next().await {
            bytes += chunk.len();
            if bytes > DISCARD_BYTES_MAX {
                return;
            }
        }
    };
    // Whoever is too slow for it has the connection closed.
    let _ = tokio::time::timeout(DISCARD_MAX, discarding).await;
}

/// Refuses what does not say that it is JSON: a form of another site, for one, cannot say so.
fn check_media_type(headers: &HeaderMap) -> Result<(), Problem> {
    let refused = |detail: String| Err(Problem::new(&MEDIA_TYPE, detail));
    if let Some(coding) = Headers(headers).one(&header::CONTENT_ENCODING)?
        && !coding.eq_ignore_ascii_case("identity")
    {
        return refused(format!("the content-encoding is {coding}: send the body as it is"));
    }
    let Some(value) = Headers(headers).one(&header::CONTENT_TYPE)? else {
        return refused("there is no content-type: send application/json".into());
    };
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_json = essence == "application/json"
        || (essence.starts_with("application/") && essence.ends_with("+json"));
    if is_json {
        return Ok(());
    }
    refused(format!("the content-type is {value}: send application/json"))
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::task::{Context, Poll};

    use axum::body::Bytes;
    use axum::http::HeaderValue;
    use futures::stream;
    use hyper::body::{Frame, SizeHint};

    use super::*;

    fn headers(content_type: &str) -> HeaderMap {
        let value = HeaderValue::from_str(content_type).unwrap();
        HeaderMap::from_iter([(header::CONTENT_TYPE, value)])
    }

    async fn json(content_type: &str, body: impl Into<Body>) -> Result<Option<Payload>, Problem> {
        let options = Options { body_bytes_max: 16, ..Options::default() };
        read_json(&headers(content_type), body.into(), &options).await
    }

    #[tokio::test]
    async fn json_is_read_whatever_kind_of_json_it_is() {
        for content_type in
            ["application/json", "Application/JSON; charset=utf-8", "application/order+json"]
        {
            let payload = json(content_type, "{\"a\":\n1}").await.unwrap().unwrap();
            assert_eq!(payload.decode::<serde_json::Value>().unwrap()["a"], 1);
        }
        assert_eq!(json("text/plain", " \n").await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_body_that_is_no_json_is_refused_for_what_it_is() {
        for content_type in ["text/plain", "application/x-www-form-urlencoded", "json", ""] {
            assert_eq!(json(content_type, "{}").await.unwrap_err().of, &MEDIA_TYPE);
        }
        let mut zipped = headers("application/json");
        zipped.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        let read = read_json(&zipped, "{}".into(), &Options::default()).await;
        assert_eq!(read.unwrap_err().of, &MEDIA_TYPE);
        let detail = |body: &'static [u8]| async move {
            json("application/json", body).await.unwrap_err().detail
        };
        assert_eq!(detail(b"{\"a\": \xff}").await, "the body is not UTF-8 at byte 6");
        let malformed = detail(b"{\n \"a\" 1}").await;
        assert!(malformed.starts_with("the body is malformed JSON: "), "{malformed}");
        assert!(malformed.ends_with(" at line 2 column 6"), "{malformed}");
    }

    #[tokio::test]
    async fn a_body_over_the_limit_is_refused_whether_announced_or_not() {
        let fits = format!("\"{}\"", "x".repeat(14));
        json("application/json", fits.clone()).await.unwrap().unwrap();
        let announced = json("application/json", format!("{fits} ")).await.unwrap_err();
        assert_eq!(announced.of, &TOO_LARGE);
        assert_eq!(announced.detail, "the body has 17 bytes, of at most 16 bytes");
        let chunks = stream::iter(vec![Ok::<_, std::io::Error>(fits), Ok(" ".into())]);
        let streamed = json("application/json", Body::from_stream(chunks)).await.unwrap_err();
        assert_eq!(streamed.detail, "the body goes on, of at most 16 bytes");
    }

    #[tokio::test]
    async fn no_more_of_an_endless_body_is_read_than_is_worth_it() {
        let taken = Arc::new(AtomicUsize::new(0));
        let count = taken.clone();
        let chunks = stream::repeat_with(move || {
            count.fetch_add(1024, Ordering::Relaxed);
            Ok::<_, std::io::Error>("x".repeat(1024))
        });
        let refused = json("application/json", Body::from_stream(chunks)).await.unwrap_err();
        assert_eq!(refused.of, &TOO_LARGE);
        let taken = taken.load(Ordering::Relaxed);
        assert!(taken < 2 * DISCARD_BYTES_MAX, "{taken} bytes");
    }

    /// A body that says how long it is, and whether it was read.
    struct Announced {
        bytes: usize,
        is_read: Arc<AtomicBool>,
    }

    impl HttpBody for Announced {
        type Data = Bytes;
        type Error = std::io::Error;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
            self.is_read.store(true, Ordering::Relaxed);
            Poll::Ready(None)
        }

        fn size_hint(&self) -> SizeHint {
            SizeHint::with_exact(self.bytes as u64)
        }
    }

    #[tokio::test]
    async fn a_refused_body_is_taken_off_the_wire_where_that_has_an_end_and_a_sender() {
        let limit = 16 + DISCARD_BYTES_MAX;
        let waits = HeaderMap::from_iter([(header::EXPECT, "100-continue".parse().unwrap())]);
        for (bytes, headers, taken) in [
            (limit, headers("application/json"), true),
            (limit + 1, headers("application/json"), false),
            (17, waits, false),
        ] {
            let is_read = Arc::new(AtomicBool::new(false));
            let body = Body::new(Announced { bytes, is_read: is_read.clone() });
            let options = Options { body_bytes_max: 16, ..Options::default() };
            let refused = read_json(&headers, body, &options).await.unwrap_err();
            assert_eq!(refused.of, &TOO_LARGE);
            assert_eq!(is_read.load(Ordering::Relaxed), taken, "{bytes}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_come_is_not_waited_for_forever() {
        let body = Body::from_stream(stream::pending::<Result<String, std::io::Error>>());
        assert_eq!(json("application/json", body).await.unwrap_err().of, &SLOW_BODY);
    }
}
