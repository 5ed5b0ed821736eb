//! The same invoices over Microsoft's emulator of Cosmos DB, and in memory: what was answered,
//! recorded and shown is equal. The documents are read from the container itself, past the adapter.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

mod common;

use std::process::ExitCode;

use async_trait::async_trait;
use azure_data_cosmos::FeedScope;
use conformance::{AsyncCase, Host as _};
use futures::TryStreamExt as _;
use portability::{Document, InMemory, Stage, Stored, invoices, perform, streams};
use serde_json::Value;
use skyfold::ports::Listing;
use skyfold::{Payload, Ports, Result, Runtime};
use skyfold_memory::{Memory, VirtualClock};

use crate::common::{Place, client, names, trials};

/// How many orders are placed: each is a commit, and what follows from it some ten more.
const ORDERS: usize = 25;

/// How many lists a document may be in.
const LISTS: usize = 3;

struct OnAzure(Place);

#[async_trait]
impl Stage for OnAzure {
    fn ports(&self) -> Ports {
        self.0.ports()
    }

    async fn settle(&self, runtime: &Runtime) -> Result<()> {
        self.0.settle(runtime).await
    }

    async fn stored(&self) -> Result<Stored> {
        let streams = streams(&*self.0.ports().feed).await?;
        Ok(Stored { streams, documents: self.documents().await })
    }
}

impl OnAzure {
    /// Every document of the container that is one of the port.
    async fn documents(&self) -> Vec<Document> {
        let database = client().await.database_client(self.0.database().to_owned());
        let name = names("", "").documents;
        let container = database.container_client(name, None).await.unwrap();
        let all = FeedScope::full_container();
        let items = container.query_items::<Value>("SELECT * FROM c", all, None).await.unwrap();
        let items: Vec<Value> = items.try_collect().await.unwrap();
        items
            .iter()
            .filter(|item| !item["p"].as_str().unwrap().starts_with('@'))
            .map(document)
            .collect()
    }
}

/// The document that `item` is, as the front page of the adapter lays it out.
fn document(item: &Value) -> Document {
    let (collection, _) = item["p"].as_str().unwrap().split_once('#').unwrap();
    let listing = |list: usize| {
        let entry = item[format!("l{list}")].as_str()?;
        let parts: Vec<_> = entry.split('\n').collect();
        assert_eq!((parts.len(), parts[0]), (4, collection));
        Some(Listing { list, under: parts[1].to_owned(), by: parts[2].to_owned() })
    };
    Document {
        collection: collection.to_owned(),
        id: item["i"].as_str().unwrap().to_owned(),
        body: Payload::parse(item["b"].as_str().unwrap()).unwrap(),
        listings: (0..LISTS).filter_map(listing).collect(),
    }
}

async fn invoices_come_to_what_they_come_to_in_memory() {
    let memory = InMemory(Memory::with_clock(VirtualClock::new()));
    let expected = perform(&memory, &invoices(), ORDERS).await.unwrap();
    assert!(expected.transcript.len() > ORDERS, "{}", expected.transcript.len());
    let place = OnAzure(Place::open().await.unwrap());
    let performed = perform(&place, &invoices(), ORDERS).await.unwrap();
    assert_eq!(performed.transcript, expected.transcript);
    assert_eq!(performed.streams, expected.streams);
    assert_eq!(performed.views, expected.views);
}

fn main() -> ExitCode {
    let case: AsyncCase = ("invoices_come_to_what_they_come_to_in_memory", || {
        Box::pin(invoices_come_to_what_they_come_to_in_memory())
    });
    trials::run(&[case])
}
