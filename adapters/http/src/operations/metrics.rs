use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use skyfold::{Error, ErrorKind, Health};

use crate::problem::Problem;
use crate::router::{Host, within};

/// The media type of the text ("OpenMetrics 1.0").
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What a number is of, by name and value.
type Labels = Vec<(&'static str, String)>;

/// The path that a Prometheus server scrapes.
pub(crate) fn routes(host: Arc<Host>) -> Router {
    Router::new().route("/metrics", get(show)).with_state(host)
}

async fn show(State(host): State<Arc<Host>>) -> Result<impl IntoResponse, Problem> {
    let health = within(host.options.timeout, host.runtime.health()).await??;
    let text = text(&health).map_err(|error| {
        let message = "the metrics could not be written";
        Error::new(ErrorKind::Unexpected, message).with_source(error)
    })?;
    Ok(([(header::CONTENT_TYPE, OPEN_METRICS)], text))
}

/// The numbers as a Prometheus server reads them.
fn text(health: &Health) -> Result<String, fmt::Error> {
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
    let mut text = String::new();
    encode(&mut text, &registry)?;
    Ok(text)
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
