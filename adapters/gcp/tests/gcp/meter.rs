use std::sync::{Arc, Mutex};

use googleapis_tonic_google_firestore_v1::google::firestore::v1;
use v1::{
    BatchGetDocumentsResponse, BatchWriteRequest, CommitRequest, RunQueryResponse, Write, write,
};

use crate::common::frames::{message, messages};
use crate::common::{Answer, Weather};

/// What one request is billed as ("Understand Cloud Firestore billing").
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bill {
    pub(crate) method: String,
    pub(crate) reads: usize,
    pub(crate) writes: usize,
    pub(crate) deletes: usize,
}

/// Writes down what every request is billed as.
#[derive(Clone, Debug, Default)]
pub(crate) struct Meter(Arc<Mutex<Vec<Bill>>>);

impl Meter {
    /// What was billed since the last time.
    pub(crate) fn take(&self) -> Vec<Bill> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// How many documents were read: a query that finds none is billed as one.
fn reads(method: &str, answer: &[u8]) -> usize {
    match method {
        "RunQuery" => {
            let answers: Vec<RunQueryResponse> = messages(answer);
            answers.iter().filter(|answer| answer.document.is_some()).count().max(1)
        }
        "BatchGetDocuments" => {
            let answers: Vec<BatchGetDocumentsResponse> = messages(answer);
            answers.iter().filter(|answer| answer.result.is_some()).count()
        }
        _ => 0,
    }
}

fn writes(method: &str, request: &[u8]) -> Vec<Write> {
    match method {
        "Commit" => message::<CommitRequest>(request).writes,
        "BatchWrite" => message::<BatchWriteRequest>(request).writes,
        _ => vec![],
    }
}

impl Weather for Meter {
    fn before(&self, _: &str, _: &[u8]) -> Option<Answer> {
        None
    }

    fn after(&self, method: &str, request: &[u8], answer: &[u8]) -> Option<Answer> {
        let writes = writes(method, request);
        let is_delete = |w: &&Write| matches!(w.operation, Some(write::Operation::Delete(_)));
        let deletes = writes.iter().filter(is_delete).count();
        self.0.lock().unwrap().push(Bill {
            method: method.to_owned(),
            reads: reads(method, answer),
            writes: writes.len() - deletes,
            deletes,
        });
        None
    }
}
