use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::{Method, Uri};
use axum::middleware::from_fn_with_state;
use skyfold::{Descriptor, Kind, Reply, Runtime, Trigger};

use crate::frame::frame;
use crate::operations::metrics::Requests;
use crate::options::{Operations, Options};
use crate::parameters::Parameters;
use crate::problem::Problem;
use crate::problem_types::{NOT_FOUND, OUT_OF_TIME};
use crate::{command, health, list, operations, page, query, state, view};

/// The first segments of paths that are the host's own.
const RESERVED: [&str; 5] = ["health", "metrics", "openapi.json", "operations", "problems"];

/// What every handler of one app shares.
#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) runtime: Runtime,
    pub(crate) options: Options,
    /// What is counted of requests, where operators are served.
    pub(crate) requests: Option<Requests>,
}

/// One function of the app, and all that is needed to answer for it.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    pub(crate) host: Arc<Host>,
    pub(crate) function: Arc<Descriptor>,
    /// What a query takes; of other functions, nothing.
    pub(crate) parameters: Arc<Parameters>,
}

/// The app over HTTP: its commands, views, lists and queries, the document that describes them, a
/// page to try them, and its health. Every error is a problem document (RFC 9457).
///
/// | request | what it does |
/// |---|---|
/// | `POST /{category}/{id}/{command}` | gives a command and answers with the receipt |
/// | `GET /{category}/{id}?at=` | shows the state of a stream now, at a version or at a time |
/// | `GET /{read-model}/{key}` | shows a view |
/// | `GET /{read-model}?list=&under=` | shows a page of a list of views |
/// | `GET /{query}?…`, `POST /{query}` | answers a question |
/// | `GET /health` | compares the views with the head of the store |
/// | `GET /openapi.json`, `GET /` | describes all this, for machines and for people |
/// | `GET /problems/{code}` | explains an error |
/// | `GET /metrics` and all under `/operations` | for operators, see [`Options::operations`] |
///
/// It is to be served at the root of its host: the types of problems are paths from there.
///
/// Every reader takes `after=order-42@3`, an event of a receipt, and answers once what it shows
/// reflects that event, or with status 202 when the time is up. A query with a parameter of its
/// own that is named `after` or `wait` takes it in the body alone.
///
/// # Panics
///
/// If a function is named `health`, `metrics`, `openapi.json`, `operations` or `problems`.
pub fn router(runtime: Runtime, options: Options) -> Router {
    let manifest = runtime.manifest();
    let requests = (options.operations == Operations::Served).then(Requests::default);
    let host = Arc::new(Host { runtime, options, requests });
    let mut router = Router::new()
        .merge(health::routes(host.clone()))
        .merge(operations::routes(&host))
        .merge(page::routes(&manifest, &host.options));
    for function in manifest.functions {
        let name = &function.name;
        assert!(!RESERVED.contains(&name.as_str()), "the path /{name} is the host's own");
        let parameters = Parameters::of(function.params.as_ref().unwrap_or(&NOTHING));
        let kind = function.kind;
        let (function, parameters) = (Arc::new(function), Arc::new(parameters));
        let endpoint = Endpoint { host: host.clone(), function, parameters };
        router = match kind {
            Kind::Command => {
                router.merge(command::routes(endpoint.clone())).merge(state::routes(endpoint))
            }
            Kind::Projection => {
                router.merge(view::routes(endpoint.clone())).merge(list::routes(endpoint))
            }
            Kind::Query => router.merge(query::routes(endpoint)),
            Kind::Saga | Kind::Relay => router,
        };
    }
    router.fallback(nothing).layer(from_fn_with_state(host, frame))
}

/// The schema of what takes no parameters.
const NOTHING: serde_json::Value = serde_json::Value::Null;

impl Endpoint {
    /// Runs the function, for as long as the app has for a request beside the reader's own `wait`.
    pub(crate) async fn invoke(&self, trigger: Trigger, wait: Duration) -> Result<Reply, Problem> {
        let invoking = self.host.runtime.invoke(&self.function.name, trigger);
        within(self.host.options.timeout.saturating_add(wait), invoking)
            .await?
            .map_err(Problem::from)
    }
}

/// Runs `future` for at most `time`.
pub(crate) async fn within<T>(
    time: Duration,
    future: impl Future<Output = T>,
) -> Result<T, Problem> {
    tokio::time::timeout(time, future).await.map_err(|_| {
        let seconds = time.as_secs_f64();
        Problem::new(&OUT_OF_TIME, format!("there was no answer within {seconds} seconds"))
    })
}

/// A reply that a function of this kind never gives.
pub(crate) fn unfit(function: &str, reply: &Reply) -> Problem {
    tracing::error!(?reply, "a reply of the wrong kind");
    let message = format!("{function} has given a reply that is no answer to this");
    skyfold::Error::new(skyfold::ErrorKind::Unexpected, message).into()
}

async fn nothing(method: Method, uri: Uri) -> Problem {
    let path = uri.path();
    let detail =
        format!("there is nothing at {method} {path}; see /openapi.json for what there is");
    Problem::new(&NOT_FOUND, detail)
}
