use std::fmt;
use std::sync::Arc;

use aws_sdk_dynamodb::config::http::{HttpRequest, HttpResponse};
use aws_sdk_dynamodb::config::{HttpClient as _, SharedHttpClient};
use aws_sdk_dynamodb::error::ConnectorError;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use futures::future::BoxFuture;
use serde_json::Value;

use super::batches::Left;
use super::services::Services;

/// What may happen to a request on its way.
pub trait Weather: fmt::Debug + Send + Sync + 'static {
    /// What comes instead of carrying out `request`.
    fn before(&self, sent: &mut Sent, request: &mut HttpRequest) -> Option<Answer>;

    /// What comes instead of `answer`, once it was carried out.
    fn after(&self, sent: Sent, answer: Answer) -> BoxFuture<'static, Answer>;
}

/// What is known of a request until its answer comes.
#[derive(Debug)]
pub struct Sent {
    /// The service and the operation.
    pub target: String,
    /// What it went without.
    pub left: Option<Left>,
}

impl Sent {
    /// What is asked of the service.
    pub fn operation(&self) -> &str {
        self.target.rsplit('.').next().unwrap_or_default()
    }
}

/// What an HTTP client comes back with.
pub type Answer = Result<HttpResponse, ConnectorError>;

/// The way to the services, with whatever weather there is on it.
#[derive(Clone, Debug)]
pub struct Wire {
    services: Services,
    weather: Option<Arc<dyn Weather>>,
}

impl Wire {
    pub fn new(services: Services) -> Self {
        Self { services, weather: None }
    }

    pub fn in_weather(self, weather: Arc<dyn Weather>) -> Self {
        Self { weather: Some(weather), ..self }
    }

    /// An HTTP client that goes over it.
    pub fn into_client(self) -> SharedHttpClient {
        let network = aws_smithy_http_client::Builder::new().build_http();
        http_client_fn(move |settings, components| {
            let network = network.http_connector(settings, components);
            SharedHttpConnector::new(Line { wire: self.clone(), network })
        })
    }
}

#[derive(Debug)]
struct Line {
    wire: Wire,
    network: SharedHttpConnector,
}

impl HttpConnector for Line {
    fn call(&self, mut request: HttpRequest) -> HttpConnectorFuture {
        let Wire { services, weather } = self.wire.clone();
        let target = request.headers().get("x-amz-target").unwrap_or_default().to_owned();
        let mut sent = Sent { target, left: None };
        if let Some(answer) = weather.as_ref().and_then(|w| w.before(&mut sent, &mut request)) {
            return HttpConnectorFuture::ready(answer);
        }
        let network = self.network.clone();
        HttpConnectorFuture::new(async move {
            let answer = match services.answer(&sent.target, &request) {
                Some(answer) => Ok(answer),
                None => network.call(request).await,
            };
            match weather {
                Some(weather) => weather.after(sent, answer).await,
                None => answer,
            }
        })
    }
}

/// An answer of `status` that says `body`.
pub fn response(status: u16, body: String) -> HttpResponse {
    let status = status.try_into().expect("it is a status");
    HttpResponse::new(status, SdkBody::from(body))
}

/// Has `request` say `body` instead.
pub fn rewrite(request: &mut HttpRequest, body: &Value) {
    let body = body.to_string();
    request.headers_mut().insert("content-length", body.len().to_string());
    *request.body_mut() = SdkBody::from(body);
}

/// The status of `answer`, and what it says.
pub async fn read(answer: HttpResponse) -> (u16, Value) {
    let status = answer.status().as_u16();
    let body = ByteStream::new(answer.into_body()).collect().await.expect("it has arrived");
    (status, serde_json::from_slice(&body.to_vec()).expect("it is JSON"))
}
