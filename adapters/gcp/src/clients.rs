use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response};
use skyfold::{Error, ErrorKind, Result};
use tonic::body::Body;
use tonic::transport::Endpoint;
use tower::util::BoxCloneSyncService;
use tower::{BoxError, Service};

/// How long a connection may take to come about.
const CONNECT_MAX: Duration = Duration::from_secs(1);

/// How often a connection that carries requests is asked whether it still stands: one that was cut
/// without a word would otherwise lose every request on it.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

type Boxed = BoxCloneSyncService<Request<Body>, Response<Body>, BoxError>;

/// The way to one service: whatever carries requests of gRPC to it and brings the answers. Cheap to
/// clone.
///
/// Core makes requests again, and knows when that is safe: a wire must not.
#[derive(Clone, Debug)]
pub struct Wire(Boxed);

impl Wire {
    /// The way that `service` is: a channel of tonic with a layer that adds a token, or one of a
    /// test's own.
    pub fn new<S>(service: S) -> Self
    where
        S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + Sync + 'static,
        S::Error: Into<BoxError> + 'static,
        S::Future: Send + 'static,
    {
        use tower::ServiceExt as _;
        Self(BoxCloneSyncService::new(service.map_err(Into::into)))
    }

    /// The way to `url`, such as `http://127.0.0.1:8080` for an emulator, without a token. It
    /// connects with its first request, which must be made where it was made: in one runtime of
    /// tokio.
    ///
    /// # Errors
    ///
    /// [`Invalid`](ErrorKind::Invalid) if it is no URL.
    pub fn to(url: &str) -> Result<Self> {
        Ok(Self::new(endpoint(url)?.connect_lazy()))
    }
}

/// The endpoint `url`, of which a connection ends that no longer stands.
pub(crate) fn endpoint(url: &str) -> Result<Endpoint> {
    let endpoint = Endpoint::from_shared(url.to_owned()).map_err(|error| {
        Error::new(ErrorKind::Invalid, format!("{url:?} is no URL")).with_source(error)
    })?;
    Ok(endpoint
        .connect_timeout(CONNECT_MAX)
        .http2_keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(CONNECT_MAX))
}

impl Service<Request<Body>> for Wire {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = <Boxed as Service<Request<Body>>>::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        self.0.call(request)
    }
}

/// The ways to the services.
#[derive(Clone, Debug)]
pub struct Clients {
    /// To Firestore, which keeps streams, documents and keys.
    pub firestore: Wire,
    /// To Pub/Sub, which announces events.
    pub pubsub: Wire,
    /// To Cloud Tasks, which holds commands.
    pub tasks: Wire,
}
