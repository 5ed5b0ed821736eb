//! The same invoices over Google's emulator of Firestore, and in memory: what was answered,
//! recorded and shown is equal. The documents are read from the database itself, past the adapter.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

mod common;

use std::process::ExitCode;
use std::time::Duration;

use async_trait::async_trait;
use conformance::{AsyncCase, Host as _};
use emulators::GoogleEmulator;
use googleapis_tonic_google_firestore_v1::google::firestore::v1;
use portability::{Document, InMemory, Stage, Stored, invoices, perform, streams};
use skyfold::ports::Listing;
use skyfold::{Payload, Ports, Result, Runtime};
use skyfold_gcp::Wire;
use skyfold_memory::{Memory, VirtualClock};
use tonic::Request;
use v1::firestore_client::FirestoreClient;
use v1::run_query_request::QueryType;
use v1::structured_query::CollectionSelector;
use v1::value::ValueType;
use v1::{RunQueryRequest, StructuredQuery};

use crate::common::{Place, firestore, names, trials};

/// How many orders are placed: each is a commit, and what follows from it some ten more.
const ORDERS: usize = 25;

/// How many lists a document may be in.
const LISTS: usize = 3;

struct OnGcp(Place);

#[async_trait]
impl Stage for OnGcp {
    fn ports(&self) -> Ports {
        self.0.ports()
    }

    async fn settle(&self, runtime: &Runtime) -> Result<()> {
        self.0.settle(runtime).await
    }

    async fn stored(&self) -> Result<Stored> {
        // The feed is behind by as much as two clocks may differ.
        self.0.pass(Duration::from_secs(60)).await?;
        let streams = streams(&*self.0.ports().feed).await?;
        Ok(Stored { streams, documents: self.documents().await })
    }
}

impl OnGcp {
    /// Every document of the database that is one of the port.
    async fn documents(&self) -> Vec<Document> {
        let all = CollectionSelector { collection_id: "items".into(), all_descendants: true };
        let query = StructuredQuery { from: vec![all], ..Default::default() };
        let mut request = Request::new(RunQueryRequest {
            parent: format!("{}/documents", names(self.0.project()).database),
            query_type: Some(QueryType::StructuredQuery(query)),
            ..Default::default()
        });
        request.metadata_mut().insert("authorization", "Bearer owner".parse().unwrap());
        let mut client = FirestoreClient::new(Wire::to(&firestore().await).unwrap());
        let mut answers = client.run_query(request).await.unwrap().into_inner();
        let mut documents = vec![];
        while let Some(answer) = answers.message().await.unwrap() {
            documents.extend(answer.document.as_ref().map(document));
        }
        documents
    }
}

/// The document that `found` is, as the front page of the adapter lays it out.
fn document(found: &v1::Document) -> Document {
    let text = |name: &str| match found.fields.get(name)?.value_type.as_ref()? {
        ValueType::StringValue(text) => Some(text.clone()),
        other => panic!("{name} is {other:?}"),
    };
    let mut parts = found.name.rsplit('/');
    let (id, _, collection) = (parts.next().unwrap(), parts.next(), parts.next().unwrap());
    assert!(!collection.contains('%') && !id.contains('%'), "no id here is encoded");
    let listing = |list: usize| {
        let entry = text(&format!("l{list}"))?;
        let [under, by, _] = entry.split('\n').collect::<Vec<_>>().try_into().unwrap();
        Some(Listing { list, under: under.to_owned(), by: by.to_owned() })
    };
    Document {
        collection: collection.to_owned(),
        id: id.to_owned(),
        body: Payload::parse(&text("b").unwrap()).unwrap(),
        listings: (0..LISTS).filter_map(listing).collect(),
    }
}

async fn invoices_come_to_what_they_come_to_in_memory() {
    let memory = InMemory(Memory::with_clock(VirtualClock::new()));
    let expected = perform(&memory, &invoices(), ORDERS).await.unwrap();
    assert!(expected.transcript.len() > ORDERS, "{}", expected.transcript.len());
    let place = OnGcp(Place::open().await.unwrap());
    let performed = perform(&place, &invoices(), ORDERS).await.unwrap();
    assert_eq!(performed.transcript, expected.transcript);
    assert_eq!(performed.streams, expected.streams);
    assert_eq!(performed.views, expected.views);
}

fn main() -> ExitCode {
    let case: AsyncCase = ("invoices_come_to_what_they_come_to_in_memory", || {
        Box::pin(invoices_come_to_what_they_come_to_in_memory())
    });
    trials::run(&[GoogleEmulator::Firestore], &[case])
}
