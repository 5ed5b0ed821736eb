use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::config::http::HttpRequest;

use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use crate::common::{Answer, Weather, response};

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
    fn before(&self, _: &str, request: &mut HttpRequest) -> Option<Answer> {
        let mut body: Value = serde_json::from_slice(request.body().bytes()?).ok()?;
        body["ReturnConsumedCapacity"] = json!("INDEXES");
        let body = body.to_string();
        request.headers_mut().insert("content-length", body.len().to_string());
        *request.body_mut() = SdkBody::from(body);
        None
    }

    fn after(&self, target: String, answer: Answer) -> BoxFuture<'static, Answer> {
        let readings = self.0.clone();
        Box::pin(async move {
            let answer = answer?;
            let status = answer.status().as_u16();
            let body = ByteStream::new(answer.into_body()).collect().await.unwrap().to_vec();
            let said: Value = serde_json::from_slice(&body).unwrap();
            let units = |value: &Value| value["CapacityUnits"].as_f64().unwrap_or_default();
            let consumed = &said["ConsumedCapacity"];
            let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
            let (table, total) = (units(&consumed["Table"]), units(consumed));
            readings.lock().unwrap().push(Reading { operation, table, total });
            Ok(response(status, String::from_utf8(body).unwrap()))
        })
    }
}
