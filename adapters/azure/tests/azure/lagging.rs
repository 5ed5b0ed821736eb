use std::time::{Duration, Instant};

use azure_core::credentials::Secret;
use azure_data_cosmos::CosmosClient;
use conformance::Host as _;
use conformance::domain::{Account, Command};
use skyfold::ports::{Consistency, Range};
use skyfold::{App, CommandId, CommandRequest, Payload, StreamId, Trigger, Version};
use skyfold_azure::{Access, Azure, Clients};

use crate::common::{LAGGING, Place, client, client_near, names};

/// How long a region may lag, on a busy machine.
const LAG_MAX: Duration = Duration::from_secs(30);

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

/// A client that prefers no region, as `Clients::from_environment` makes it, reads where it is
/// written, however far another region is behind.
pub(crate) async fn what_was_written_is_read_at_once_though_another_region_lags() {
    let place = Place::open().await.unwrap();
    let other = beside(&place, client().await).await;
    let far = beside(&place, client_near(LAGGING).await).await;
    let bank = App::new("bank").decider::<Account>().bind(place.ports()).unwrap();
    let stream = "account-1".parse().unwrap();
    for nth in 1..=3 {
        let request = CommandRequest {
            stream: StreamId::new("1").unwrap(),
            id: CommandId::fresh(bank.now()),
            command: Payload::encode(&Command::Deposit { cents: nth }).unwrap(),
            expected: None,
            metadata: Default::default(),
        };
        bank.invoke("account", Trigger::Command(request)).await.unwrap();
        let newest = async |azure: &Azure, consistency| {
            let events = azure.ports().events;
            let page = events.read(&stream, Range::NEWEST, 1, consistency).await.unwrap();
            page.commits.last().map(|commit| commit.first)
        };
        let lagging = newest(&far, Consistency::Eventual).await;
        assert!(lagging < Some(Version(nth)), "the other region lags: {lagging:?}");
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
