use std::mem;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use google_cloud_auth::credentials::{Builder, CacheableResource, Credentials};
use http::{Extensions, HeaderMap, Request, Response};
use skyfold::{Error, ErrorKind, Result};
use tonic::Status;
use tonic::body::Body;
use tonic::transport::ClientTlsConfig;
use tower::{BoxError, Service};

use crate::clients::{Clients, Wire, endpoint};

/// How long credentials may take to be found. Off Google Cloud, the last place that is asked does
/// not answer.
const CREDENTIALS_MAX: Duration = Duration::from_secs(4);

/// What the services ask for ("OAuth 2.0 Scopes for Google APIs"); what is permitted, roles say.
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// Where the services are.
const FIRESTORE: &str = "https://firestore.googleapis.com";
const PUBSUB: &str = "https://pubsub.googleapis.com";
const TASKS: &str = "https://cloudtasks.googleapis.com";

impl Clients {
    /// Clients with the credentials of where this runs: the file that
    /// `GOOGLE_APPLICATION_CREDENTIALS` names, those of `gcloud auth application-default login`, or
    /// the account of the service ("How Application Default Credentials works").
    ///
    /// # Errors
    ///
    /// [`Denied`](ErrorKind::Denied) if there are none, within seconds and with what to do.
    pub async fn from_environment() -> Result<Self> {
        // Somebody else may have chosen one before, which does as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let found = Builder::default().with_scopes([SCOPE]).build();
        let credentials = found.map_err(|error| no_credentials().with_source(error))?;
        match tokio::time::timeout(CREDENTIALS_MAX, headers(&credentials)).await {
            Ok(Ok(_)) => {}
            Ok(Err(status)) => return Err(no_credentials().with_source(status)),
            Err(_) => return Err(no_credentials()),
        }
        let wire = |url: &str| {
            let tls = ClientTlsConfig::new().with_webpki_roots();
            let endpoint = endpoint(url)?.tls_config(tls).map_err(|error| {
                Error::new(ErrorKind::Unexpected, "there is no TLS").with_source(error)
            })?;
            let (inner, credentials) = (Wire::new(endpoint.connect_lazy()), credentials.clone());
            Ok(Wire::new(Authorized { inner, credentials }))
        };
        Ok(Self { firestore: wire(FIRESTORE)?, pubsub: wire(PUBSUB)?, tasks: wire(TASKS)? })
    }
}

fn no_credentials() -> Error {
    let message = "there are no credentials: give the service an account, run gcloud auth \
                   application-default login, or set GOOGLE_APPLICATION_CREDENTIALS";
    Error::new(ErrorKind::Denied, message)
}

/// A wire whose requests show who asks.
#[derive(Clone, Debug)]
struct Authorized {
    inner: Wire,
    credentials: Credentials,
}

impl Service<Request<Body>> for Authorized {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Response<Body>, BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let credentials = self.credentials.clone();
        // The one that has said that it is ready.
        let next = self.inner.clone();
        let mut ready = mem::replace(&mut self.inner, next);
        Box::pin(async move {
            match headers(&credentials).await {
                Ok(headers) => request.headers_mut().extend(headers),
                Err(status) => return Ok(status.into_http()),
            }
            ready.call(request).await
        })
    }
}

/// The headers that show whose `credentials` they are. They are kept until they expire.
async fn headers(credentials: &Credentials) -> Result<HeaderMap, Status> {
    match credentials.headers(Extensions::new()).await {
        Ok(CacheableResource::New { data, .. }) => Ok(data),
        Ok(CacheableResource::NotModified) => Err(Status::unavailable("no headers are known")),
        Err(error) if error.is_transient() => Err(Status::unavailable(error.to_string())),
        Err(error) => Err(Status::unauthenticated(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use axum::routing::get;
    use google_cloud_auth::credentials::mds;
    use tokio::net::TcpListener;
    use tower::{ServiceExt as _, service_fn};

    use super::*;

    /// The credentials that a metadata server hands out which answers with `status` and `body`.
    async fn credentials(status: StatusCode, body: &'static str) -> Credentials {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let path = "/computeMetadata/v1/instance/service-accounts/default/token";
        let router = axum::Router::new().route(path, get(async move || (status, body)));
        tokio::spawn(async move { axum::serve(listener, router).await });
        mds::Builder::default().with_endpoint(url).build().unwrap()
    }

    /// What comes of a request that shows `credentials`, to a service which says what was shown.
    async fn shown(credentials: Credentials) -> Response<Body> {
        let inner = Wire::new(service_fn(async |request: Request<Body>| {
            let mut response = Response::new(Body::empty());
            let shown = request.headers()["authorization"].clone();
            response.headers_mut().insert("shown", shown);
            Ok::<_, BoxError>(response)
        }));
        let authorized = Wire::new(Authorized { inner, credentials });
        authorized.oneshot(Request::new(Body::empty())).await.unwrap()
    }

    #[tokio::test]
    async fn a_request_shows_the_token_of_the_account_of_the_service() {
        let token = r#"{"access_token":"t","expires_in":3599,"token_type":"Bearer"}"#;
        let response = shown(credentials(StatusCode::OK, token).await).await;
        assert_eq!(response.headers()["shown"], "Bearer t");
    }

    #[tokio::test]
    async fn without_an_account_a_request_is_unauthenticated_and_does_not_go_out() {
        let response = shown(credentials(StatusCode::NOT_FOUND, "none").await).await;
        assert!(!response.headers().contains_key("shown"));
        let status = Status::from_header_map(response.headers()).unwrap();
        assert_eq!(status.code(), tonic::Code::Unauthenticated, "{status}");
    }
}
