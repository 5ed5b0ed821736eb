use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::config::http::HttpRequest;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use crate::common::{Answer, Sent, Weather, read, response, rewrite};

/// What one request took.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reading {
    pub(crate) operation: String,
    /// Capacity units of the table.
    pub(crate) table: f64,
    /// Capacity units of the table and its indexes.
    pub(crate) total: f64,
}

/// Has every request say what capacity it took.
#[derive(Clone, Debug, Default)]
pub(crate) struct Meter(Arc<Mutex<Vec<Reading>>>);

impl Meter {
    /// What was read since the last time.
    pub(crate) fn take(&self) -> Vec<Reading> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Weather for Meter {
    fn before(&self, _: &mut Sent, request: &mut HttpRequest) -> Option<Answer> {
        let mut body: Value = serde_json::from_slice(request.body().bytes()?).ok()?;
        body["ReturnConsumedCapacity"] = json!("INDEXES");
        rewrite(request, &body);
        None
    }

    fn after(&self, sent: Sent, answer: Answer) -> BoxFuture<'static, Answer> {
        let readings = self.0.clone();
        Box::pin(async move {
            let (status, said) = read(answer?).await;
            let units = |value: &Value| value["CapacityUnits"].as_f64().unwrap_or_default();
            let consumed = &said["ConsumedCapacity"];
            let operation = sent.operation().to_owned();
            let (table, total) = (units(&consumed["Table"]), units(consumed));
            readings.lock().unwrap().push(Reading { operation, table, total });
            Ok(response(status, said.to_string()))
        })
    }
}
