//! A replay delivers what was recorded once more, and changes what is missing alone.

use skyfold::ports::{DocumentKey, FeedQuery};
use skyfold::{App, ErrorKind, Progress};

use super::bank::{account, deposit, note, open, tag};
use super::documents::key;
use super::world::{event, stream};
use super::{Bank, Case, World, cases};
use crate::domain::{Account, Balances, BalancesAnew, TaggedBy, Tags};

pub(super) const CASES: &[Case] = cases![
    a_replay_builds_every_view,
    a_replay_over_live_views_changes_nothing,
    a_replay_heals_deleted_views,
    a_replay_goes_on_where_it_stopped,
    a_replay_stops_at_what_cannot_be_handled,
    a_new_revision_is_built_beside_the_old_one,
];

/// 30 accounts of 4 events each, nothing of which was delivered.
async fn fill(world: &World) -> Bank {
    let bank = world.bank();
    for n in 0..30 {
        let name = n.to_string();
        bank.accept(&name, "a", &open("ada")).await;
        bank.accept(&name, "b", &note("x", 2)).await;
        bank.accept(&name, "c", &tag(&["all"])).await;
    }
    world
        .eventually("every commit", async || {
            (world.feed(&FeedQuery::default()).await.len() == 90).then_some(())
        })
        .await;
    bank
}

async fn check_balances(bank: &Bank) {
    for n in 0..30 {
        let view = bank.view::<Balances>(&n.to_string()).await.expect("the view is there");
        assert_eq!(view.applied, [1, 2, 3, 4], "account {n}");
    }
}

async fn check(bank: &Bank) {
    check_balances(bank).await;
    let mut tagged = bank.view::<Tags>("all").await.unwrap();
    tagged.events.sort();
    let mut events: Vec<_> = (0..30).map(|n| format!("account-{n}@4")).collect();
    events.sort();
    assert_eq!(tagged, TaggedBy { events });
}

async fn replay(bank: &Bank, name: &str) -> u64 {
    bank.runtime.replay(name, &FeedQuery::default(), None, |_| {}).await.unwrap()
}

async fn a_replay_builds_every_view(world: World) {
    let bank = fill(&world).await;
    assert_eq!(replay(&bank, "balances").await, 120);
    assert_eq!(replay(&bank, "tags").await, 120);
    check(&bank).await;
}

async fn a_replay_over_live_views_changes_nothing(world: World) {
    let bank = fill(&world).await;
    for n in 0..30 {
        // Some are behind, by one event or two.
        let news = world.news(&account(&n.to_string())).await;
        bank.handle("balances", &news[..news.len() - n % 3]).await;
        bank.handle("tags", &news[..news.len() - n % 3]).await;
    }
    for _ in 0..2 {
        replay(&bank, "balances").await;
        replay(&bank, "tags").await;
        check(&bank).await;
    }
}

async fn a_replay_heals_deleted_views(world: World) {
    let bank = fill(&world).await;
    replay(&bank, "balances").await;
    replay(&bank, "tags").await;
    for n in (0..30).step_by(3) {
        let key = DocumentKey { collection: "balances.1".into(), ..key(&n.to_string()) };
        assert!(world.get(&key).await.is_some(), "the test knows where views are kept");
        world.delete(key).await;
    }
    assert_eq!(bank.view::<Balances>("3").await, None);
    replay(&bank, "balances").await;
    check(&bank).await;
}

async fn a_replay_goes_on_where_it_stopped(world: World) {
    let bank = fill(&world).await;
    let mut pages: Vec<Progress> = vec![];
    let query = FeedQuery::default();
    bank.runtime.replay("balances", &query, None, |page| pages.push(page.clone())).await.unwrap();
    assert!(pages.is_sorted_by_key(|page| page.events), "{pages:?}");
    assert_eq!(pages.last().unwrap().events, 120);
    assert!(pages.len() > 1, "there is no page to stop at");
    for page in pages {
        let total = bank.runtime.replay("balances", &query, Some(page.clone()), |_| {}).await;
        assert_eq!(total.unwrap(), 120, "what came before {page:?} is not delivered again");
    }
    check_balances(&bank).await;
}

async fn a_replay_stops_at_what_cannot_be_handled(world: World) {
    let bank = fill(&world).await;
    let unreadable = world.commit_of("z", vec![event("Frozen", 1, "null")]);
    world.fill(&stream("account-unreadable"), &[unreadable]).await;
    world
        .eventually("the commit", async || {
            let query = FeedQuery::default();
            let error = bank.runtime.replay("balances", &query, None, |_| {}).await.err()?;
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
            assert!(error.to_string().contains("account-unreadable@1"), "{error}");
            Some(())
        })
        .await;
    let error = bank.runtime.replay("account", &FeedQuery::default(), None, |_| {}).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::NotFound, "a decider hears nothing");
}

async fn a_new_revision_is_built_beside_the_old_one(world: World) {
    let old = world.bank();
    for n in 0..9 {
        let name = n.to_string();
        old.accept(&name, "a", &deposit(n)).await;
        old.accept(&name, "b", &deposit(n)).await;
        old.handle("balances", &world.news(&account(&name)).await).await;
    }
    let app = App::new("bank").decider::<Account>().projection::<BalancesAnew>();
    let new = Bank::of(app, world.ports.clone());
    assert_eq!(new.view::<BalancesAnew>("3").await, None, "it shows nothing of the old one's");
    // A live event reaches the new one before the replay does.
    old.accept("3", "c", &deposit(1)).await;
    new.handle("balances", &world.news(&account("3")).await[2..]).await;
    world
        .eventually("every view", async || {
            replay(&new, "balances").await;
            let shown = new.view::<BalancesAnew>("8").await;
            (shown == Some(16)).then_some(())
        })
        .await;
    for n in 0..9 {
        let cents = 2 * n + u64::from(n == 3);
        assert_eq!(new.view::<BalancesAnew>(&n.to_string()).await, Some(cents));
        let view = old.view::<Balances>(&n.to_string()).await.unwrap();
        assert_eq!(view.cents, 2 * n, "the old one stays as it is");
    }
}
