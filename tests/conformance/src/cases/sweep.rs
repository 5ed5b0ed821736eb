//! A sweep makes good what was announced to nobody, and nothing else.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use skyfold::ports::Publisher;
use skyfold::{CloudEvent, Error, ErrorKind, Ports, Result, Swept, Version};

use super::bank::{account, deposit, open};
use super::{Bank, Case, Mailbox, World, cases};
use crate::faults::{Fault, Faulty, Request, tapped};

pub(super) const CASES: &[Case] = cases![
    a_sweep_announces_again_what_somebody_has_missed,
    a_sweep_leaves_alone_what_is_on_its_way,
    a_sweep_whose_announcement_fails_begins_there_again,
    a_slice_that_cannot_be_swept_keeps_back_no_other,
    a_sweep_rings_for_a_commit_that_cannot_be_read,
];

/// Everybody who hears of accounts.
const CONSUMERS: [&str; 4] = ["balances", "fragile", "tags", "transfer"];

/// Three accounts: of the first everybody has heard all, of the second not everybody, of the third
/// nobody. The feed shows them, and a minute has passed.
async fn accounts(world: &World, bank: &Bank) {
    for name in ["0", "1", "2"] {
        bank.accept(name, "a", &open("ada")).await;
        bank.accept(name, "b", &deposit(5)).await;
    }
    for consumer in CONSUMERS {
        bank.handle(consumer, &world.news(&account("0")).await).await;
    }
    bank.handle("balances", &world.news(&account("1")).await).await;
    bank.handle("tags", &world.news(&account("1")).await[..1]).await;
    world
        .eventually("every commit", async || {
            (world.feed(&Default::default()).await.len() == 6).then_some(())
        })
        .await;
}

/// What was announced to `mailbox` since the last time, in order.
fn announced(mailbox: &Mailbox) -> Vec<String> {
    let mut all: Vec<_> = mailbox.events().iter().map(|event| event.id.to_string()).collect();
    all.sort();
    all
}

async fn a_sweep_announces_again_what_somebody_has_missed(world: World) {
    let mailbox = Mailbox::default();
    let bank = Bank::new(mailbox.on(&world.ports));
    accounts(&world, &bank).await;
    bank.clock.shift(time::Duration::minutes(2));
    let swept = bank.runtime.sweep().await.unwrap();
    assert_eq!(swept, Swept { commits: 6, announced: 2, is_more: false });
    assert_eq!(announced(&mailbox), ["account-1@2", "account-2@2"]);
    for event in mailbox.events() {
        bank.handle("balances", &[event.into_announced().unwrap()]).await;
    }
    assert_eq!(world.bank().runtime.sweep().await.unwrap(), Swept::default());
}

async fn a_sweep_leaves_alone_what_is_on_its_way(world: World) {
    let mailbox = Mailbox::default();
    let bank = Bank::new(mailbox.on(&world.ports));
    accounts(&world, &bank).await;
    bank.clock.shift(-time::Duration::hours(1));
    assert_eq!(bank.runtime.sweep().await.unwrap(), Swept::default());
    assert!(mailbox.events().is_empty());
    bank.clock.shift(time::Duration::hours(1) + time::Duration::minutes(2));
    assert_eq!(bank.runtime.sweep().await.unwrap().announced, 2, "nothing was passed over");
}

/// A bus that is out of order.
#[derive(Debug)]
struct Broken;

#[async_trait]
impl Publisher for Broken {
    async fn publish(&self, batch: &[CloudEvent]) -> Vec<Result<()>> {
        batch.iter().map(|_| Err(Error::new(ErrorKind::Unexpected, "injected"))).collect()
    }
}

async fn a_sweep_whose_announcement_fails_begins_there_again(world: World) {
    let bank = Bank::new(Ports { publisher: Arc::new(Broken), ..world.ports.clone() });
    accounts(&world, &bank).await;
    bank.clock.shift(time::Duration::minutes(2));
    bank.runtime.sweep().await.unwrap_err();
    let mailbox = Mailbox::default();
    let bank = Bank::new(mailbox.on(&world.ports));
    bank.clock.shift(time::Duration::minutes(2));
    bank.runtime.sweep().await.unwrap();
    assert_eq!(announced(&mailbox), ["account-1@2", "account-2@2"]);
}

async fn a_slice_that_cannot_be_swept_keeps_back_no_other(world: World) {
    let bank = world.bank();
    for n in 0..8 {
        bank.accept(&n.to_string(), "a", &open("ada")).await;
    }
    world
        .eventually("every commit", async || {
            (world.feed(&Default::default()).await.len() == 8).then_some(())
        })
        .await;
    let page = world.ports.feed.read(0, &Default::default(), None).await.unwrap();
    let held: BTreeSet<_> = page.commits.iter().map(|c| format!("{}@1", c.stream)).collect();
    let is_first = |request: &Request<'_>| matches!(request, Request::Feed(0, _));
    let faults = Faulty::new(is_first, [Some(Fault::Before(ErrorKind::Corrupt))]);
    let mailbox = Mailbox::default();
    let bank = Bank::new(tapped(mailbox.on(&world.ports), faults));
    bank.clock.shift(time::Duration::minutes(2));
    let error = bank.runtime.sweep().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "it is said: {error}");
    let others: Vec<_> =
        (0..8).map(|n| format!("account-{n}@1")).filter(|id| !held.contains(id)).collect();
    assert!(!others.is_empty());
    assert_eq!(announced(&mailbox), others);
    let swept = bank.runtime.sweep().await.unwrap();
    assert_eq!(swept.announced as usize, held.len(), "nothing was passed over");
}

async fn a_sweep_rings_for_a_commit_that_cannot_be_read(world: World) {
    let mailbox = Mailbox::default();
    let bank = Bank::new(mailbox.on(&world.ports));
    accounts(&world, &bank).await;
    for name in ["0", "2"] {
        world.spoil(&account(name), Version(2)).await;
    }
    bank.clock.shift(time::Duration::minutes(2));
    let swept = bank.runtime.sweep().await.unwrap();
    assert_eq!(swept.announced, 2);
    assert_eq!(announced(&mailbox), ["account-1@2", "account-2@2"], "of one all have heard");
}
