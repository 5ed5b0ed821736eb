use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

/// Has every thread listen to spans, before the first is met. A span that is met first on a thread
/// where nobody listens is off for the whole process, also where a [`Meter`] waits for it.
pub(crate) fn prepare() {
    tracing::subscriber::set_global_default(tracing_subscriber::registry()).unwrap();
}

/// What one request was charged.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Charge {
    pub(crate) operation: String,
    pub(crate) status: u64,
    pub(crate) units: f64,
}

/// Takes down what the spans of requests tell.
#[derive(Clone, Debug, Default)]
pub(crate) struct Meter {
    charges: Arc<Mutex<Vec<Charge>>>,
}

impl Meter {
    /// What was charged since the last time.
    pub(crate) fn take(&self) -> Vec<Charge> {
        std::mem::take(&mut self.charges.lock().unwrap())
    }
}

impl Visit for Charge {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "db.operation.name" {
            value.clone_into(&mut self.operation);
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "db.response.status_code" {
            self.status = value;
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        if field.name() == "azure.cosmosdb.operation.request_charge" {
            self.units = value;
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

impl<S: tracing::Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Meter {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if attributes.metadata().name() == "cosmosdb" {
            let mut charge = Charge::default();
            attributes.record(&mut charge);
            context.span(id).unwrap().extensions_mut().insert(charge);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(charge) = context.span(id).unwrap().extensions_mut().get_mut::<Charge>() {
            values.record(charge);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        if let Some(charge) = context.span(&id).unwrap().extensions_mut().remove::<Charge>() {
            self.charges.lock().unwrap().push(charge);
        }
    }
}
