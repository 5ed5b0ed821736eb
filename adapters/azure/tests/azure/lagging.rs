use std::time::{Duration, Instant};

use azure_core::credentials::Secret;
use azure_data_cosmos::CosmosClient;
use conformance::Host as _;
use conformance::domain::{Account, Command};
use skyfold::ports::{Consistency, DocumentKey, Guard, Range, Write};
use skyfold::{App, Payload, Version};
use skyfold_azure::{Access, Azure, Clients};

use crate::common::{LAGGING, Place, client, client_near, cosmos, names};

/// How far the emulator has another region lag (`tests/emulators/cosmos`).
const LAG: Duration = Duration::from_millis(500);

/// How long a region may lag, on a busy machine.
const LAG_MAX: Duration = Duration::from_secs(30);

/// How many writes are looked at, and how many at most until the other region was seen to lag: a
/// busy machine may look too late.
const WRITES: u64 = 3;
const WRITES_MAX: u64 = 100;

/// How many reads are under way at once, how many of those batches fail before it is looked whether
/// another region is read, and how often that is done. The SDK reads elsewhere once 10 requests to
/// a partition have failed within 5 minutes, and comes back when those fail as well.
const READS: u64 = 64;
const FAILURES: usize = 7;
const ROUNDS: u64 = 12;

/// The adapter on the containers of `place`, by a client of its own.
async fn beside(place: &Place, cosmos: CosmosClient) -> Azure {
    let clients = Clients {
        keys: cosmos.clone(),
        cosmos,
        http: Clients::http().unwrap(),
        topic: Access::Key(Secret::from("none")),
        queue: Access::Signed,
    };
    Azure::open(clients, names(place.database(), "http://127.0.0.1:1")).await.unwrap()
}

/// The version of the newest commit of the account, where `azure` reads.
async fn newest(azure: &Azure, consistency: Consistency) -> Option<Version> {
    let stream = "account-1".parse().unwrap();
    let page = azure.ports().events.read(&stream, Range::NEWEST, 1, consistency).await.unwrap();
    page.commits.last().map(|commit| commit.first)
}

/// A client that prefers no region, as `Clients::account` makes it, reads where it is
/// written, however far another region is behind.
pub(crate) async fn what_was_written_is_read_at_once_though_another_region_lags() {
    let place = Place::open().await.unwrap();
    let other = beside(&place, client().await).await;
    let far = beside(&place, client_near(LAGGING).await).await;
    let bank = App::new("bank").decider::<Account>().bind(place.ports()).unwrap();
    let (mut nth, mut has_lagged) = (0, false);
    while nth < WRITES || !has_lagged {
        assert!(nth < WRITES_MAX, "the machine is too slow to see the other region lag");
        nth += 1;
        let start = Instant::now();
        place.give(&bank, &Command::Deposit { cents: nth }).await;
        let lagging = newest(&far, Consistency::Eventual).await;
        if start.elapsed() < LAG {
            assert!(lagging < Some(Version(nth)), "the other region lags: {lagging:?}");
            has_lagged = true;
        }
        for consistency in [Consistency::Eventual, Consistency::Strong] {
            let read = newest(&other, consistency).await;
            assert_eq!(read, Some(Version(nth)), "{consistency:?}");
        }
        let start = Instant::now();
        while newest(&far, Consistency::Eventual).await != Some(Version(nth)) {
            assert!(start.elapsed() < LAG_MAX, "it never comes");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Nor does it read elsewhere when much has failed where it is written.
pub(crate) async fn what_was_written_is_read_at_once_after_many_failures() {
    let place = Place::open().await.unwrap();
    let documents = beside(&place, client().await).await.ports().documents;
    let key = |nth| DocumentKey { collection: "notes".into(), id: format!("{nth}") };
    let keys: Vec<_> = (0..READS).map(key).collect();
    for round in 1..=ROUNDS {
        cosmos().storm(place.database(), round).unwrap();
        let mut failures = 0;
        while failures < FAILURES {
            failures += usize::from(documents.get(&keys).await.is_err());
        }
        cosmos().storm(place.database(), 0).unwrap();
        let body = Payload::encode(&round).unwrap();
        let write = |key: &DocumentKey| Write {
            key: key.clone(),
            body: Some(body.clone()),
            listings: vec![],
            guard: Guard::None,
            expires: None,
        };
        let written = documents.write(&keys.iter().map(write).collect::<Vec<_>>()).await;
        assert!(written.iter().all(|written| written.is_ok()), "{written:?}");
        let read = documents.get(&keys).await.unwrap();
        let old = read.iter().filter(|read| read.as_ref().is_none_or(|read| read.body != body));
        assert_eq!(old.count(), 0, "round {round}: so many are read where they are not yet");
    }
}
