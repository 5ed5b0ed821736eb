//! Firestore as this adapter uses it: single commits with preconditions, reads by name and queries
//! over one field. There are no transactions: twenty writers of one stream blocked each other in
//! them for seconds, where a single commit takes milliseconds.

mod fields;
mod ids;
mod query;
mod sizes;
mod writes;

use std::collections::HashMap;
use std::time::Duration;

use googleapis_tonic_google_firestore_v1::google::firestore::v1;
use prost_types::Timestamp;
use skyfold::adapter::again;
use skyfold::{Error, ErrorKind, Result};
use tonic::{Request, Status};

use v1::firestore_client::FirestoreClient;
pub(crate) use v1::{
    ArrayValue, Document, Precondition, StructuredQuery, Value, Write, precondition,
    value::ValueType, write::Operation,
};
use v1::{
    BatchGetDocumentsRequest, BatchWriteRequest, BatchWriteResponse, CommitRequest,
    RunQueryRequest, batch_get_documents_response, run_query_request,
};

pub(crate) use self::fields::{Fields, integer, number, s, text, timestamp};
pub(crate) use self::ids::{decode_id, encode_id};
pub(crate) use self::query::{Direction, Scope, Select};
use self::sizes::{check_document, requests};
pub(crate) use self::writes::{Guarded, create, delete, replace};
use crate::calls::{Header, REQUEST_MAX, answered, request};
use crate::clients::Wire;
use crate::errors::entry_failed;

/// How long a page of documents may take to arrive.
const PAGE_MAX: Duration = Duration::from_secs(20);

/// A database of Firestore.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    client: FirestoreClient<Wire>,
    name: String,
    headers: Vec<Header>,
}

impl Database {
    /// The database `name`, such as `projects/order/databases/(default)`, reached over `wire`.
    pub(crate) fn new(wire: Wire, name: &str) -> Self {
        Self { client: FirestoreClient::new(wire), name: name.to_owned(), headers: headers(name) }
    }

    /// The full name of the document or collection at `path`, such as `streams/order-1`.
    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}/documents/{path}", self.name)
    }

    /// What an error is about.
    fn what(&self) -> String {
        format!("the database {}", self.name)
    }

    /// Makes one write, in one request. Returns when the document was last changed, unless it was
    /// deleted.
    pub(crate) async fn commit(&self, write: Write) -> Result<Option<Timestamp>> {
        check_document(&write)?;
        let database = self.name.clone();
        let request = CommitRequest { database, writes: vec![write], transaction: vec![] };
        let mut client = self.client.clone();
        let commit = client.commit(self.request(request, REQUEST_MAX));
        let answer = self.answered(REQUEST_MAX, commit).await?.into_inner();
        Ok(answer.write_results.into_iter().next().and_then(|result| result.update_time))
    }

    /// Makes each write, each on its own, in as few requests as they fit.
    pub(crate) async fn write(&self, writes: Vec<Write>) -> Vec<Result<Option<Timestamp>>> {
        let mut outcomes = vec![];
        for writes in requests(writes) {
            let sizes: Vec<_> = writes.iter().map(check_document).collect();
            match sizes.iter().all(Result::is_ok) {
                true => outcomes.extend(self.batch(writes).await),
                // One that is too large alone keeps no other back.
                false => {
                    for (write, size) in writes.into_iter().zip(sizes) {
                        outcomes.push(match size {
                            Ok(()) => self.commit(write).await,
                            Err(error) => Err(error),
                        });
                    }
                }
            }
        }
        outcomes
    }

    async fn batch(&self, writes: Vec<Write>) -> Vec<Result<Option<Timestamp>>> {
        let (database, count) = (self.name.clone(), writes.len());
        let request = BatchWriteRequest { database, writes, labels: HashMap::new() };
        let mut client = self.client.clone();
        let write = client.batch_write(self.request(request, REQUEST_MAX));
        let answer = match self.answered(REQUEST_MAX, write).await {
            Ok(answer) => answer.into_inner(),
            Err(error) => return (0..count).map(|_| Err(again(&error))).collect(),
        };
        (0..count).map(|nth| self.outcome(&answer, nth)).collect()
    }

    fn outcome(&self, answer: &BatchWriteResponse, nth: usize) -> Result<Option<Timestamp>> {
        match (answer.status.get(nth), answer.write_results.get(nth)) {
            (Some(status), Some(result)) if status.code == 0 => Ok(result.update_time),
            (Some(status), _) if status.code != 0 => Err(entry_failed(&self.what(), status)),
            _ => {
                let message = format!("{}: the answer does not mention this write", self.what());
                Err(Error::new(ErrorKind::Unavailable, message))
            }
        }
    }

    /// The documents of `names` as they are now, in no order, without those that do not exist.
    pub(crate) async fn get(&self, names: Vec<String>) -> Result<Vec<Document>> {
        if names.is_empty() {
            return Ok(vec![]);
        }
        let time = if names.len() == 1 { REQUEST_MAX } else { PAGE_MAX };
        let request = BatchGetDocumentsRequest {
            database: self.name.clone(),
            documents: names,
            mask: None,
            consistency_selector: None,
        };
        let mut client = self.client.clone();
        let get = async {
            let mut answers = client.batch_get_documents(self.request(request, time)).await?;
            let mut found = vec![];
            while let Some(answer) = answers.get_mut().message().await? {
                if let Some(batch_get_documents_response::Result::Found(document)) = answer.result {
                    found.push(document);
                }
            }
            Ok(found)
        };
        self.answered(time, get).await
    }

    /// What `query` finds below `parent`, as it is now.
    pub(crate) async fn query(
        &self,
        parent: Option<&str>,
        query: StructuredQuery,
    ) -> Result<Vec<Document>> {
        let time = if query.limit == Some(1) { REQUEST_MAX } else { PAGE_MAX };
        let request = RunQueryRequest {
            parent: match parent {
                Some(path) => self.at(path),
                None => format!("{}/documents", self.name),
            },
            explain_options: None,
            query_type: Some(run_query_request::QueryType::StructuredQuery(query)),
            consistency_selector: None,
        };
        let mut client = self.client.clone();
        let run = async {
            let mut answers = client.run_query(self.request(request, time)).await?;
            let mut found = vec![];
            while let Some(answer) = answers.get_mut().message().await? {
                found.extend(answer.document);
            }
            Ok(found)
        };
        self.answered(time, run).await
    }

    fn request<T>(&self, message: T, time: Duration) -> Request<T> {
        request(message, time, &self.headers)
    }

    async fn answered<T>(
        &self,
        time: Duration,
        call: impl Future<Output = Result<T, Status>>,
    ) -> Result<T> {
        answered(&self.what(), time, call).await
    }
}

/// What tells Google's front ends which database a request is for, as its own clients do.
fn headers(name: &str) -> Vec<Header> {
    let parts = name.strip_prefix("projects/").and_then(|rest| rest.split_once("/databases/"));
    let Some((project, database)) = parts else { return vec![] };
    let route = Header::route(&format!("project_id={project}&database_id={database}"));
    let prefix = name.parse().ok();
    let prefix = prefix.map(|value| Header { name: "google-cloud-resource-prefix", value });
    route.into_iter().chain(prefix).collect()
}
