mod dead_letters;
mod events;
mod read_models;
mod sagas;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;
use skyfold::ports::Order;
use skyfold::{
    After, AsOf, CommandRequest, Error, ErrorKind, ForgetRequest, Forgotten, ForgottenPage, Health,
    ListRequest, Payload, Result, StateAsOf, StreamId,
};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use ureq::http::{self, Uri, header};
use ureq::{Agent, Body};

use super::{Outcome, pending, variant};
use crate::problem::{self, Problem};

/// How long a connection may take to be made.
const CONNECT_MAX: Duration = Duration::from_secs(10);

/// How long the app may take to answer, the time aside that it was asked to wait.
const ANSWER_MAX: Duration = Duration::from_secs(60);

/// How many bytes of an answer are read: a full page of the largest documents fits.
const ANSWER_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// What may stand in a path as it is. A dot is not among it: two of them mean the way up.
const PLAIN: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'~');

/// An app that runs elsewhere, as `skyfold-http` serves it.
#[derive(Clone, Debug)]
pub(crate) struct Remote {
    /// Without a slash at its end.
    url: Arc<str>,
    agent: Agent,
}

/// What is asked of the app.
struct Asked {
    path: String,
    query: Vec<(&'static str, String)>,
    headers: Vec<(&'static str, String)>,
    /// What is posted, if this is a post.
    body: Option<Payload>,
    /// How long the app was asked to wait.
    wait: Duration,
}

/// What it answered.
struct Answered {
    status: u16,
    retry_after: Option<Duration>,
    body: String,
}

impl Remote {
    pub(crate) fn new(url: &str) -> Result<Self> {
        let illegal = || {
            let message =
                format!("{url:?} is not an address of the web, as http://127.0.0.1:8080 is");
            Error::new(ErrorKind::Invalid, message)
        };
        let uri: Uri = url.parse().map_err(|error| illegal().with_source(error))?;
        let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
        let Some(host) = uri.host().filter(|_| is_web && uri.query().is_none()) else {
            return Err(illegal());
        };
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(CONNECT_MAX));
        // No proxy leads back to this machine.
        let config = if is_here(host) { config.proxy(None) } else { config };
        let url = url.trim_end_matches('/').into();
        Ok(Self { url, agent: config.build().into() })
    }

    pub(crate) async fn send(
        &self,
        category: &str,
        path: &str,
        request: CommandRequest,
    ) -> Result<Outcome> {
        let (_, fields) = variant(&request.command)?;
        let quoted = request.id.as_str().replace('\\', "\\\\").replace('"', "\\\"");
        let mut headers = vec![("idempotency-key", format!("\"{quoted}\""))];
        if let Some(expected) = request.expected {
            headers.push(("if-match", format!("\"{expected}\"")));
        }
        headers.extend(request.metadata.correlation.map(|it| ("x-correlation-id", it)));
        headers.extend(request.metadata.traceparent.map(|it| ("traceparent", it)));
        let asked = Asked {
            headers,
            body: Some(fields.unwrap_or_default()),
            ..Asked::of([category, request.stream.as_str(), path])
        };
        let answered = self.ask(asked).await?;
        if answered.is_ok() {
            return answered.decode().map(Outcome::Accepted);
        }
        match answered.problem() {
            Problem::Refused(reason) => Ok(Outcome::Refused(reason)),
            Problem::Met(error) => Err(error),
        }
    }

    pub(crate) async fn query(
        &self,
        name: &str,
        params: Payload,
        after: Option<After>,
    ) -> Result<Payload> {
        let asked = Asked { body: Some(params), ..Asked::of([name]) };
        self.answer(asked, after).await
    }

    pub(crate) async fn view(
        &self,
        name: &str,
        key: &str,
        after: Option<After>,
    ) -> Result<Payload> {
        self.answer(Asked::of([name, key]), after).await
    }

    pub(crate) async fn list(&self, name: &str, request: ListRequest) -> Result<Payload> {
        let ListRequest { list, under, order, limit, cursor, after } = request;
        let mut query = vec![
            ("list", list),
            ("under", under),
            ("order", word(order)),
            ("limit", limit.to_string()),
        ];
        query.extend(cursor.map(|cursor| ("cursor", cursor)));
        self.answer(Asked { query, ..Asked::of([name]) }, after).await
    }

    pub(crate) async fn state(&self, name: &str, id: &StreamId, at: AsOf) -> Result<StateAsOf> {
        let at = match at {
            AsOf::Now => None,
            AsOf::Version(version) => Some(version.to_string()),
            AsOf::Time(time) => Some(text_of(time)?),
        };
        let query = at.into_iter().map(|at| ("at", at)).collect();
        self.answer(Asked { query, ..Asked::of([name, id.as_str()]) }, None).await
    }

    pub(crate) async fn forget(&self, request: &ForgetRequest) -> Result<Forgotten> {
        let body = Some(Payload::encode(request)?);
        self.answer(Asked { body, ..Asked::of(["operations", "forgotten"]) }, None).await
    }

    pub(crate) async fn forgotten(
        &self,
        limit: usize,
        cursor: Option<String>,
    ) -> Result<ForgottenPage> {
        let mut query = vec![("limit", limit.to_string())];
        query.extend(cursor.map(|cursor| ("cursor", cursor)));
        self.answer(Asked { query, ..Asked::of(["operations", "forgotten"]) }, None).await
    }

    pub(crate) async fn health(&self) -> Result<Health> {
        let answered = self.ask(Asked::of(["health"])).await?;
        // That the app is not healthy is told by a status as well, but it is an answer.
        match answered.decode::<Health>() {
            Ok(health) => Ok(health),
            Err(error) if answered.is_ok() => Err(error),
            Err(_) => Err(answered.problem().into()),
        }
    }

    /// Asks for an answer that shows the event of `after`.
    async fn answer<T: DeserializeOwned>(
        &self,
        mut asked: Asked,
        after: Option<After>,
    ) -> Result<T> {
        if let Some(After { event, wait }) = &after {
            asked.query.push(("after", event.to_string()));
            asked.query.push(("wait", wait.as_secs_f64().to_string()));
            asked.wait = *wait;
        }
        let answered = self.ask(asked).await?;
        if answered.status == http::StatusCode::ACCEPTED {
            return Err(pending(after.as_ref()));
        }
        if answered.is_ok() {
            return answered.decode();
        }
        Err(answered.problem().into())
    }

    /// Asks on a thread of its own, since it blocks.
    async fn ask(&self, asked: Asked) -> Result<Answered> {
        let (remote, path) = (self.clone(), asked.path.clone());
        let asking = tokio::task::spawn_blocking(move || remote.exchange(asked));
        let answered = asking.await.map_err(|panic| {
            let message = "the thread that asked the app was interrupted";
            Error::new(ErrorKind::Unexpected, message).with_source(panic)
        })?;
        answered.map_err(|error| {
            let kind = match error {
                ureq::Error::BodyExceedsLimit(_) => ErrorKind::Oversized,
                _ => ErrorKind::Unavailable,
            };
            let message = format!("no answer from {}{path}: is the app running there?", self.url);
            Error::new(kind, message).with_source(error)
        })
    }

    fn exchange(&self, asked: Asked) -> Result<Answered, ureq::Error> {
        let Asked { path, query, headers, body, wait } = asked;
        let encoded = |text: &str| utf8_percent_encode(text, &PLAIN).to_string();
        let pairs = query.iter().map(|(name, value)| format!("{name}={}", encoded(value)));
        let pairs = pairs.collect::<Vec<_>>().join("&");
        let mark = if pairs.is_empty() { "" } else { "?" };
        let mut request = http::Request::builder().uri(format!("{}{path}{mark}{pairs}", self.url));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let timeout = Some(ANSWER_MAX + wait);
        let response = match body {
            None => {
                let request = request.method(http::Method::GET).body(())?;
                let request = self.agent.configure_request(request);
                self.agent.run(request.timeout_global(timeout).build())?
            }
            Some(body) => {
                let request = request.method(http::Method::POST);
                let request = request.header(header::CONTENT_TYPE, "application/json");
                let request = self.agent.configure_request(request.body(body.get().to_owned())?);
                self.agent.run(request.timeout_global(timeout).build())?
            }
        };
        Answered::read(response)
    }
}

/// Which way a list goes, as the app is told.
fn word(order: Order) -> String {
    match order {
        Order::Ascending => "asc".to_owned(),
        Order::Descending => "desc".to_owned(),
    }
}

/// A time, as the app is told.
fn text_of(time: OffsetDateTime) -> Result<String> {
    time.format(&Rfc3339).map_err(|error| {
        Error::new(ErrorKind::Invalid, format!("{time} has no common form")).with_source(error)
    })
}

/// Whether `host` is this machine.
fn is_here(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

impl Asked {
    /// For what is at the path of these `segments`.
    fn of<const N: usize>(segments: [&str; N]) -> Self {
        let encoded = segments.map(|segment| format!("/{}", utf8_percent_encode(segment, &PLAIN)));
        let wait = Duration::ZERO;
        Self { path: encoded.concat(), query: vec![], headers: vec![], body: None, wait }
    }
}

impl Answered {
    fn read(response: http::Response<Body>) -> Result<Self, ureq::Error> {
        let (parts, body) = response.into_parts();
        let retry_after = parts.headers.get(header::RETRY_AFTER);
        let retry_after = retry_after.and_then(|value| value.to_str().ok()?.parse().ok());
        Ok(Self {
            status: parts.status.as_u16(),
            retry_after: retry_after.map(Duration::from_secs),
            body: body.into_with_config().limit(ANSWER_BYTES_MAX).read_to_string()?,
        })
    }

    fn is_ok(&self) -> bool {
        self.status == http::StatusCode::OK
    }

    fn decode<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_str(&self.body).map_err(|error| {
            let message = "the app gave an answer of another form: is it another version?";
            Error::new(ErrorKind::Unexpected, message).with_source(error)
        })
    }

    /// What is wrong, as an answer tells it that is not the one that was asked for.
    fn problem(&self) -> Problem {
        problem::read(self.status, self.retry_after, &self.body)
    }
}
