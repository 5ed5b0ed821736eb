//! What requests are charged, as attributes of their spans ("Semantic conventions for Azure Cosmos
//! DB client operations", OpenTelemetry).

use azure_data_cosmos::CosmosError;
use azure_data_cosmos::models::{ItemResponse, ResponseHeaders};
use tracing::{Instrument as _, Span, field};

/// The outcome of `call`, in a span that tells what it was charged.
pub(super) async fn item(
    operation: &'static str,
    container: &str,
    call: impl Future<Output = Result<ItemResponse, CosmosError>>,
) -> Result<ItemResponse, CosmosError> {
    let span = span(operation, container);
    let answer = call.instrument(span.clone()).await;
    match &answer {
        Ok(response) => {
            charge(&span, u16::from(response.status().status_code()), response.headers())
        }
        Err(error) => charge_failed(&span, error),
    }
    answer
}

/// The span of one request.
pub(super) fn span(operation: &'static str, container: &str) -> Span {
    tracing::info_span!(
        "cosmosdb",
        azure.cosmosdb.operation.request_charge = field::Empty,
        db.collection.name = container,
        db.operation.name = operation,
        db.response.status_code = field::Empty,
        db.system.name = "azure.cosmosdb",
    )
}

/// Notes what an answer with `headers` was charged.
pub(super) fn charge(span: &Span, status: u16, headers: &ResponseHeaders) {
    note(span, status, headers.request_charge().map(|charge| charge.value()));
}

/// Notes what a request that failed was charged.
pub(super) fn charge_failed(span: &Span, error: &CosmosError) {
    let charge = error.response().and_then(|response| response.headers().request_charge);
    let status = u16::from(error.status().status_code());
    note(span, status, charge.map(|charge| charge.value()));
}

fn note(span: &Span, status: u16, charge: Option<f64>) {
    span.record("db.response.status_code", status);
    if let Some(units) = charge {
        span.record("azure.cosmosdb.operation.request_charge", units);
    }
}
