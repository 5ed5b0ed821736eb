use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use http::{HeaderValue, Request, Response};
use prost::bytes::Bytes;
use skyfold_gcp::Wire;
use tonic::body::Body;
use tower::{BoxError, Service, ServiceExt as _};

use super::frames::whole;
use super::indexed;
use super::services::Services;

/// What may happen to a request on its way.
pub trait Weather: fmt::Debug + Send + Sync + 'static {
    /// What comes instead of carrying out `request`, for `method`, such as `Commit`.
    fn before(&self, method: &str, request: &[u8]) -> Option<Answer>;

    /// What comes instead of an answer, once it was carried out; what it holds is `answer`.
    fn after(&self, method: &str, request: &[u8], answer: &[u8]) -> Option<Answer>;
}

/// What a wire comes back with.
pub type Answer = Result<Response<Body>, BoxError>;

/// The way to the services, with whatever weather there is on it. It refuses what the declared
/// indexes do not answer, as the emulator does not.
#[derive(Clone, Debug)]
pub struct Line {
    network: Wire,
    services: Services,
    weather: Option<Arc<dyn Weather>>,
}

impl Line {
    pub fn new(network: Wire, services: Services) -> Self {
        Self { network, services, weather: None }
    }

    pub fn in_weather(self, weather: Arc<dyn Weather>) -> Self {
        Self { weather: Some(weather), ..self }
    }

    async fn carry(self, request: Request<Body>) -> Answer {
        let (mut head, body) = request.into_parts();
        // To the emulator, whoever owns the project: not everything is permitted to others.
        head.headers.insert("authorization", HeaderValue::from_static("Bearer owner"));
        let method = head.uri.path().rsplit('/').next().unwrap_or_default().to_owned();
        let (bytes, body) = whole(body).await?;
        if let Some(answer) = self.weather.as_ref().and_then(|w| w.before(&method, &bytes)) {
            return answer;
        }
        let response = match self.answer(&method, &bytes) {
            Some(answer) => answer,
            None => self.network.oneshot(Request::from_parts(head, body)).await?,
        };
        let Some(weather) = self.weather else { return Ok(response) };
        let (head, body) = response.into_parts();
        let (said, body) = whole(body).await?;
        let instead = weather.after(&method, &bytes, &said);
        instead.unwrap_or_else(|| Ok(Response::from_parts(head, body)))
    }

    /// The answer that does not come over the network.
    fn answer(&self, method: &str, request: &Bytes) -> Option<Response<Body>> {
        indexed::refuse(method, request).or_else(|| self.services.answer(method, request))
    }
}

impl Service<Request<Body>> for Line {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Answer>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(self.clone().carry(request))
    }
}
