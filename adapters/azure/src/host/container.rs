use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{options, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use skyfold::host::Attempts;
use skyfold::{Error, ErrorKind, Kind, Result, Runtime};
use skyfold_http::Options;
use skyfold_http::deliveries::Untaken;
use tokio::sync::Notify;

use super::callers::Callers;
use super::invocation::parts;
use super::triggers;

/// How many bytes a delivery may have: Event Grid brings up to 1 MB of events at once ("Output
/// batching", "Preferred batch size in kilobytes"), each escaped as it likes.
const DELIVERY_BYTES_MAX: usize = 4 * 1024 * 1024;

/// How long a delivery may take to arrive: Event Grid waits 30 seconds for an answer ("Event Grid
/// message delivery and retry").
const ARRIVAL_MAX: Duration = Duration::from_secs(10);

/// Tells what a request of Event Grid is ("Event Grid message headers").
const EVENT_TYPE: &str = "aeg-event-type";

/// How often Event Grid delivers until it is enough, if what fails does so for no reason that is
/// known to pass: after almost two hours. In a day, for which it goes on, there are three more, and
/// it may leave some out ("Event Grid message delivery and retry", "Retry schedule").
const DELIVERIES_MAX: u32 = 8;

/// Tells how often Event Grid has tried before ("Event Grid message headers").
const DELIVERY_COUNT: &str = "aeg-delivery-count";

/// Who asks whether it may deliver, and who may ("Endpoint validation with CloudEvents schema").
const REQUEST_ORIGIN: &str = "webhook-request-origin";
const ALLOWED_ORIGIN: &str = "webhook-allowed-origin";
const ALLOWED_RATE: &str = "webhook-allowed-rate";

/// What Event Grid calls itself begins so, in every cloud.
const EVENT_GRID_ORIGIN: &str = "eventgrid.azure.";

/// The app of `runtime` as a program of Container Apps that is asked over HTTP: all that
/// [`skyfold_http::router`] answers with `options`, and `POST /deliveries/{function}` for each
/// projection and saga, where Event Grid delivers to it by webhook, one event at once or several.
///
/// Deliveries are taken from `callers` alone. Who may ask for anything else is decided before, by
/// the ingress.
///
/// One that is handled is answered with status 200. Any other answer has it come again, never one
/// of those after which Event Grid drops an event, 400, 401, 403 and 413 ("Event Grid message
/// delivery and retry"): a caller who may not deliver finds nothing there, so that no event is lost
/// to a setting that is wrong for an hour.
///
/// A subscription is confirmed whichever way it asks: by `OPTIONS`, as those of CloudEvents do, or
/// by an event.
pub fn container(runtime: Runtime, options: Options, callers: Callers) -> Router {
    served(runtime, options, callers, Arc::default())
}

/// The same, which tells `news` of whatever may have recorded events or sent commands.
pub(super) fn served(
    runtime: Runtime,
    options: Options,
    callers: Callers,
    news: Arc<Notify>,
) -> Router {
    let http = skyfold_http::router(runtime.clone(), options);
    let mut router = Router::new();
    for name in listeners(&runtime) {
        let target = Arc::new(Target { name: name.clone(), runtime: runtime.clone() });
        let permitted = middleware::from_fn_with_state(callers.clone(), permitted);
        let route = post(hear)
            .with_state(target)
            .route_layer(permitted)
            .merge(self::options(consent))
            .fallback_service(http.clone());
        router = router.route(&format!("/deliveries/{name}"), route);
    }
    router.fallback_service(http).layer(middleware::from_fn_with_state(news, tell))
}

/// The functions of the app that events are delivered to.
fn listeners(runtime: &Runtime) -> Vec<String> {
    let functions = runtime.manifest().functions.into_iter();
    let listeners = functions.filter(|f| matches!(f.kind, Kind::Projection | Kind::Saga));
    listeners.map(|function| function.name).collect()
}

/// One function, and what it takes to answer for it.
#[derive(Debug)]
struct Target {
    name: String,
    runtime: Runtime,
}

/// Tells `news` once something else than a question was answered.
async fn tell(State(news): State<Arc<Notify>>, request: Request, next: Next) -> Response {
    let changes = request.method() == Method::POST;
    let response = next.run(request).await;
    if changes {
        news.notify_waiters();
    }
    response
}

async fn permitted(
    State(callers): State<Callers>,
    request: Request,
    next: Next,
) -> Result<Response, Untaken> {
    callers.check(request.headers()).await.map_err(|untaken| match untaken.status() {
        // After these Event Grid does not try again; "not found" may stand for them ("HTTP
        // Semantics", RFC 9110, section 15.5.4).
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            untaken.with_status(StatusCode::NOT_FOUND)
        }
        _ => untaken,
    })?;
    Ok(next.run(request).await)
}

/// Agrees that Event Grid may deliver. That is no permission: each delivery brings its own.
async fn consent(headers: HeaderMap) -> Response {
    let origin = headers.get(REQUEST_ORIGIN);
    let is_known = |origin: &str| origin.to_ascii_lowercase().starts_with(EVENT_GRID_ORIGIN);
    match origin.filter(|origin| origin.to_str().is_ok_and(is_known)) {
        Some(origin) => {
            let allow = [(header::ALLOW, "OPTIONS, POST")];
            (allow, [(ALLOWED_ORIGIN, origin.clone())], [(ALLOWED_RATE, "*")]).into_response()
        }
        None => {
            Untaken::new(StatusCode::NOT_FOUND, "only Event Grid delivers here").into_response()
        }
    }
}

/// Gives what Event Grid brings to a projection or a saga.
async fn hear(
    State(target): State<Arc<Target>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Untaken> {
    let body = tokio::time::timeout(ARRIVAL_MAX, to_bytes(body, DELIVERY_BYTES_MAX)).await;
    let body = body.ok().and_then(Result::ok).ok_or_else(|| {
        let detail = format!("it does not arrive, or has more than {DELIVERY_BYTES_MAX} bytes");
        Untaken::new(StatusCode::SERVICE_UNAVAILABLE, detail)
    })?;
    // What is no text is no id either.
    let events = parts(&String::from_utf8_lossy(&body)).map_err(comes_again)?;
    match headers.get(EVENT_TYPE).map(HeaderValue::as_bytes) {
        Some(b"SubscriptionValidation") => {
            let code = validation_code(&events).map_err(comes_again)?;
            return Ok(Json(json!({ "validationResponse": code })).into_response());
        }
        // It tells that there will be no more.
        Some(b"SubscriptionDeletion") => return Ok(StatusCode::OK.into_response()),
        _ => {}
    }
    let Target { name, runtime } = &*target;
    let attempts = attempts(&headers);
    triggers::hear_parts(runtime, name, &events, attempts).await.map_err(comes_again)?;
    Ok(StatusCode::OK.into_response())
}

/// How often it came, this time included, if Event Grid tells.
fn attempts(headers: &HeaderMap) -> Attempts {
    let before = headers.get(DELIVERY_COUNT).and_then(|count| count.to_str().ok()?.parse().ok());
    let made = before.map_or(0, |before: u32| before.saturating_add(1));
    Attempts::made(made).of_at_most(DELIVERIES_MAX)
}

/// What a subscription of the schema of Event Grid wants to hear ("Endpoint validation with Event
/// Grid event schema").
fn validation_code(events: &[Box<RawValue>]) -> Result<String> {
    #[derive(Deserialize)]
    struct Validation {
        data: Data,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Data {
        validation_code: String,
    }
    let strange = || Error::new(ErrorKind::Invalid, "this validates no subscription");
    let [event] = events else { return Err(strange()) };
    let validation: Validation =
        serde_json::from_str(event.get()).map_err(|error| strange().with_source(error))?;
    Ok(validation.data.validation_code)
}

/// Whatever has failed comes again, even what cannot be read: a later release may.
fn comes_again(error: Error) -> Untaken {
    Untaken::new(StatusCode::SERVICE_UNAVAILABLE, error.message())
}
