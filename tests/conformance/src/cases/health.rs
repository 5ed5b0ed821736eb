//! Health compares the views with the head of the store.

use super::bank::{account, open};
use super::{Case, World, cases};

pub(super) const CASES: &[Case] = cases![health_says_how_far_each_consumer_is_behind];

async fn health_says_how_far_each_consumer_is_behind(world: World) {
    let bank = world.bank();
    assert!(bank.runtime.health().await.unwrap().healthy, "there is nothing to be behind of");
    for n in 0..3 {
        bank.accept(&n.to_string(), "a", &open("ada")).await;
    }
    for consumer in ["balances", "tags", "transfer"] {
        bank.handle(consumer, &world.news(&account("0")).await).await;
    }
    bank.handle("balances", &world.news(&account("1")).await).await;
    let health = world
        .eventually("the newest commits", async || {
            let health = bank.runtime.health().await.unwrap();
            (health.commits == 3).then_some(health)
        })
        .await;
    let behind: Vec<_> =
        health.consumers.iter().map(|lag| (lag.consumer.as_str(), lag.behind)).collect();
    assert_eq!(behind, [("balances", 1), ("fragile", 3), ("tags", 2), ("transfer", 2)]);
    assert!(health.healthy, "that much is usual");
    assert_eq!(health.head.unwrap().version.0, 1);
    bank.clock.shift(time::Duration::minutes(2));
    let late = bank.runtime.health().await.unwrap();
    assert!(!late.healthy && late.consumers[0].seconds >= 120, "{late:?}");
}
