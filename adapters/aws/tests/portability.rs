//! The same invoices over a DynamoDB in this process, and in memory: what was answered, recorded
//! and shown is equal. The documents are read from the table itself, past the adapter.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

mod common;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use conformance::Host as _;
use portability::{Document, InMemory, Performance, Stage, Stored, invoices, perform, streams};
use skyfold::ports::Listing;
use skyfold::{Payload, Ports, Result, Runtime};
use skyfold_aws::Feed;
use skyfold_memory::{Memory, VirtualClock};

use crate::common::{Place, Storm, names};

/// How many orders are placed: each is a commit, and what follows from it some ten more.
const ORDERS: usize = 25;

/// How many storms they are placed in.
const SEEDS: u64 = 2;

/// How many lists a document may be in.
const LISTS: usize = 3;

struct OnAws {
    place: Place,
    storm: Arc<Storm>,
}

#[async_trait]
impl Stage for OnAws {
    fn ports(&self) -> Ports {
        self.place.ports()
    }

    async fn settle(&self, runtime: &Runtime) -> Result<()> {
        self.place.settle(runtime).await
    }

    async fn stored(&self) -> Result<Stored> {
        self.storm.calm();
        // The feed is behind by as much as two clocks may differ.
        self.place.pass(Duration::from_secs(60)).await?;
        let streams = streams(&*self.place.ports().feed).await?;
        Ok(Stored { streams, documents: self.documents().await })
    }
}

impl OnAws {
    /// Every item of the table of documents.
    async fn documents(&self) -> Vec<Document> {
        let client = &self.place.clients().dynamodb;
        let (mut documents, mut from) = (vec![], None);
        loop {
            let scan = client.scan().table_name(names().documents).set_exclusive_start_key(from);
            let page = scan.send().await.unwrap();
            let items = page.items.unwrap_or_default();
            documents.extend(items.iter().map(document));
            from = page.last_evaluated_key;
            if from.is_none() {
                return documents;
            }
        }
    }
}

/// The document that `item` is, as the front page of the adapter lays it out.
fn document(item: &HashMap<String, AttributeValue>) -> Document {
    let text = |name: &str| item.get(name).map(|value| value.as_s().unwrap().clone());
    let (collection, _) = item["PK"].as_s().unwrap().rsplit_once('#').unwrap();
    let listing = |list: usize| {
        let (under, by) = (text(&format!("U{list}"))?, text(&format!("O{list}"))?);
        let under = under.strip_prefix(&format!("{collection}#")).unwrap().to_owned();
        let (by, _) = by.split_once('\n').unwrap();
        Some(Listing { list, under, by: by.to_owned() })
    };
    Document {
        collection: collection.to_owned(),
        id: text("SK").unwrap(),
        body: Payload::parse(&text("B").unwrap()).unwrap(),
        listings: (0..LISTS).filter_map(listing).collect(),
    }
}

/// What is performed in memory.
async fn expected() -> Performance {
    let memory = InMemory(Memory::with_clock(VirtualClock::new()));
    let expected = perform(&memory, &invoices(), ORDERS).await.unwrap();
    assert!(expected.transcript.len() > ORDERS, "{}", expected.transcript.len());
    expected
}

async fn is_equal(place: Place, storm: Arc<Storm>, expected: &Performance, told: &str) {
    let performed = perform(&OnAws { place, storm }, &invoices(), ORDERS).await.unwrap();
    assert_eq!(performed.transcript, expected.transcript, "{told}");
    assert_eq!(performed.streams, expected.streams, "{told}");
    assert_eq!(performed.views, expected.views, "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn invoices_come_to_what_they_come_to_in_memory_however_the_feed_is_read() {
    let expected = expected().await;
    for feed in [Feed::Index, Feed::Scan] {
        let (place, calm) = (Place::open(feed).await.unwrap(), Storm::new(0));
        is_equal(place, calm, &expected, &format!("{feed:?}")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn invoices_come_to_what_they_come_to_in_memory_in_any_weather() {
    let expected = expected().await;
    for seed in 0..SEEDS {
        let storm = Storm::new(seed);
        let place = Place::open_in(Feed::Index, &storm).await.unwrap();
        is_equal(place, storm.clone(), &expected, &format!("seed {seed}")).await;
        let met: usize = storm.met().values().sum();
        assert!(met > ORDERS, "there were only {met} faults");
    }
}
