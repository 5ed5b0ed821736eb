use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use skyfold::{Error, ErrorKind, Health};

use crate::problem::Problem;
use crate::router::{Host, within};

/// The media type of the text ("OpenMetrics 1.0").
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What a number is of, by name and value.
type Labels = Vec<(&'static str, String)>;

/// The upper bounds, in seconds, between which the times of answers are counted: an answer from
/// memory takes less than the first, and one that the reader waits for more than most.
const SECONDS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

/// What was asked of the app since it was started, by function.
#[derive(Clone, Debug)]
pub(crate) struct Requests {
    answered: Family<Labels, Counter>,
    took: Family<Labels, Histogram, fn() -> Histogram>,
}

impl Default for Requests {
    fn default() -> Self {
        let took = Family::new_with_constructor((|| Histogram::new(SECONDS)) as fn() -> Histogram);
        Self { answered: Family::default(), took }
    }
}

impl Requests {
    /// Counts a request to `function`, answered with `status` after `time`.
    pub(crate) fn count(&self, function: &str, status: StatusCode, time: Duration) {
        let function = ("function", function.to_owned());
        let outcome = ("status", status.as_str().to_owned());
        self.answered.get_or_create(&vec![function.clone(), outcome]).inc();
        self.took.get_or_create(&vec![function]).observe(time.as_secs_f64());
    }

    fn register(&self, registry: &mut Registry) {
        let help = "How many requests to a function were answered with a status";
        registry.register("requests", help, self.answered.clone());
        let help = "How long the answers of a function took";
        registry.register_with_unit("answer", help, Unit::Seconds, self.took.clone());
    }
}

/// The path that a Prometheus server scrapes.
pub(crate) fn routes(host: Arc<Host>) -> Router {
    Router::new().route("/metrics", get(show)).with_state(host)
}

async fn show(State(host): State<Arc<Host>>) -> Result<impl IntoResponse, Problem> {
    let health = within(host.options.timeout, host.runtime.health()).await??;
    let text = text(&health, host.requests.as_ref()).map_err(|error| {
        let message = "the metrics could not be written";
        Error::new(ErrorKind::Unexpected, message).with_source(error)
    })?;
    Ok(([(header::CONTENT_TYPE, OPEN_METRICS)], text))
}

/// The numbers as a Prometheus server reads them.
fn text(health: &Health, requests: Option<&Requests>) -> Result<String, fmt::Error> {
    let mut registry = Registry::with_prefix("skyfold");
    let behind = Family::<Labels, Gauge>::default();
    let seconds = Family::<Labels, Gauge>::default();
    for lag in &health.consumers {
        let labels = vec![("consumer", lag.consumer.clone())];
        behind.get_or_create(&labels).set(number(lag.behind as u64));
        seconds.get_or_create(&labels).set(number(lag.seconds));
    }
    registry.register(
        "behind_commits",
        "How many of the newest commits a consumer has not handled",
        behind,
    );
    registry.register(
        "behind_seconds",
        "For how many seconds the oldest of those has waited",
        seconds,
    );
    let letters = Family::<Labels, Gauge>::default();
    for lag in &health.consumers {
        // One that has none is told as well: a number that appears only with the first letter
        // cannot be watched.
        letters.get_or_create(&vec![("function", lag.consumer.clone())]).set(0);
    }
    for (function, count) in &health.dead_letters.functions {
        let labels = vec![("function", function.clone())];
        letters.get_or_create(&labels).set(number(*count as u64));
    }
    let help = "How many dead letters of a function wait, of which 100 are counted";
    registry.register("dead_letters", help, letters);
    let oldest = Gauge::<i64>::default();
    oldest.set(number(health.dead_letters.oldest_seconds));
    let help = "For how many seconds the oldest dead letter has waited; 0 without any";
    registry.register("dead_letters_oldest_seconds", help, oldest);
    if let Some(requests) = requests {
        requests.register(&mut registry);
    }
    let mut text = String::new();
    encode(&mut text, &registry)?;
    Ok(text)
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
