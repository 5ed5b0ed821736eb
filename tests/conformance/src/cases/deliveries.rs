//! A view is the fold of its events, whatever the bus does to their deliveries.

use skyfold::{Announced, ErrorKind, Trigger};

use super::bank::{account, deposit, note, open, tag};
use super::world::by_reference;
use super::{Bank, Case, World, cases};
use crate::domain::{Balances, Tags};
use crate::faults::{Counted, tapped};

pub(super) const CASES: &[Case] = cases![
    deliveries_in_any_order_lead_to_the_same_views,
    a_batch_in_any_order_leads_to_the_same_views,
    shuffled_histories_delivered_twice_lead_to_the_same_views,
    a_hundred_duplicates_change_nothing,
    missing_events_are_read_from_the_store,
    events_announced_by_reference_are_read_from_the_store,
    a_delivery_may_begin_and_end_within_a_commit,
    news_from_beyond_the_store_comes_again,
    one_delivery_holds_events_of_many_streams,
    a_delivery_in_order_reads_no_events,
    deliveries_of_a_stream_are_one_write,
    an_event_of_another_category_is_not_handled,
];

/// An account of 5 events in 4 commits, each of them with the tag `x`, and as it would be
/// announced.
async fn tagged(world: &World) -> (Bank, Vec<Announced>) {
    let bank = world.bank();
    for n in 0..5 {
        bank.accept("1", &n.to_string(), &tag(&["x"])).await;
    }
    let news = world.news(&account("1")).await;
    assert_eq!(news.len(), 5);
    (bank, news)
}

/// Checks that both kinds of view show the events of account 1 up to `version`, each once.
async fn shows(bank: &Bank, version: u64, what: &str) {
    let applied = bank.view::<Balances>("1").await.map(|view| view.applied).unwrap_or_default();
    assert_eq!(applied, (1..=version).collect::<Vec<_>>(), "its own view, {what}");
    let tagged = bank.view::<Tags>("x").await.map(|view| view.events).unwrap_or_default();
    let events: Vec<_> = (1..=version).map(|version| format!("account-1@{version}")).collect();
    assert_eq!(tagged, events, "the view of its tag, {what}");
}

async fn handle(bank: &Bank, news: &[Announced]) {
    bank.handle("balances", news).await;
    bank.handle("tags", news).await;
}

/// Every order of `0..count`.
fn permutations(count: usize) -> Vec<Vec<usize>> {
    let mut orders = vec![vec![]];
    for next in 0..count {
        let longer = |order: &Vec<usize>| {
            let order = order.clone();
            (0..=order.len()).map(move |at| {
                let mut order = order.clone();
                order.insert(at, next);
                order
            })
        };
        orders = orders.iter().flat_map(longer).collect();
    }
    orders
}

async fn deliveries_in_any_order_lead_to_the_same_views(world: World) {
    assert_eq!(permutations(5).len(), 120);
    for order in permutations(5) {
        let (bank, news) = tagged(&world.another().await).await;
        for nth in &order {
            handle(&bank, &news[*nth..=*nth]).await;
            // It shows at least that much: what is missing is read as far as the stream goes.
            let reached = bank.view::<Balances>("1").await.unwrap().applied.len();
            assert!(reached > *nth, "{order:?} up to {nth}");
            shows(&bank, reached as u64, &format!("{order:?} up to {nth}")).await;
        }
        shows(&bank, 5, &format!("{order:?}")).await;
    }
}

async fn a_batch_in_any_order_leads_to_the_same_views(world: World) {
    for order in permutations(5) {
        let (bank, news) = tagged(&world.another().await).await;
        // The last one alone, in front and at the end, so that batches overlap.
        for batch in [&order[..2], &order[1..], &order] {
            let batch: Vec<_> = batch.iter().map(|nth| news[*nth].clone()).collect();
            handle(&bank, &batch).await;
        }
        shows(&bank, 5, &format!("{order:?}")).await;
    }
}

async fn shuffled_histories_delivered_twice_lead_to_the_same_views(world: World) {
    let bank = world.bank();
    let mut history = vec![];
    for name in 0..10 {
        let name = name.to_string();
        for n in 0..12 {
            let tags = ["all", if n % 2 == 0 { "even" } else { "odd" }];
            bank.accept(&name, &n.to_string(), &tag(&tags)).await;
        }
        history.extend(world.news(&account(&name)).await);
    }
    let mut random = fastrand::Rng::with_seed(3);
    for _ in 0..2 {
        random.shuffle(&mut history);
        let mut rest = &history[..];
        while !rest.is_empty() {
            let (batch, left) = rest.split_at(random.usize(1..=10).min(rest.len()));
            let mut batch = batch.to_vec();
            for announced in &mut batch {
                if random.u8(..3) == 0 {
                    *announced = by_reference(announced);
                }
            }
            handle(&bank, &batch).await;
            rest = left;
        }
    }
    shows_12_of_each(&bank).await;
}

/// Checks that ten accounts show their 12 events each, and so do the tags that they carry.
async fn shows_12_of_each(bank: &Bank) {
    for name in 0..10 {
        let view = bank.view::<Balances>(&name.to_string()).await.unwrap();
        assert_eq!(view.applied, (1..=12).collect::<Vec<_>>());
    }
    for (tag, count, step) in [("all", 120, 1), ("even", 60, 2), ("odd", 60, 2)] {
        let events = bank.view::<Tags>(tag).await.unwrap().events;
        assert_eq!(events.len(), count, "{tag}");
        for name in 0..10 {
            let prefix = format!("account-{name}@");
            let versions = events.iter().filter_map(|event| event.strip_prefix(&prefix));
            let versions: Vec<usize> = versions.map(|version| version.parse().unwrap()).collect();
            let first = versions[0];
            assert_eq!(versions, (first..=12).step_by(step).collect::<Vec<_>>(), "{tag} {name}");
        }
    }
}

async fn a_hundred_duplicates_change_nothing(world: World) {
    let (bank, news) = tagged(&world).await;
    for (nth, announced) in news.iter().enumerate() {
        let duplicates = vec![announced.clone(); 100];
        handle(&bank, &duplicates).await;
        shows(&bank, nth as u64 + 1, "after 100 in one batch").await;
        for _ in 0..100 {
            handle(&bank, &duplicates[..1]).await;
        }
        shows(&bank, nth as u64 + 1, "after 100 one by one").await;
    }
    handle(&world.bank(), &vec![news.clone(); 20].concat()).await;
    shows(&bank, 5, "after 20 of each").await;
}

async fn missing_events_are_read_from_the_store(world: World) {
    for delivered in [&[4][..], &[0, 4], &[2, 4], &[1, 3], &[3], &[4, 0]] {
        let (bank, news) = tagged(&world.another().await).await;
        let batch: Vec<_> = delivered.iter().map(|nth| news[*nth].clone()).collect();
        handle(&bank, &batch).await;
        let reached = *delivered.iter().max().unwrap() as u64 + 1;
        let applied = bank.view::<Balances>("1").await.unwrap().applied.len() as u64;
        assert!((reached..=5).contains(&applied), "{delivered:?}: {applied}");
        handle(&bank, &news).await;
        shows(&bank, 5, &format!("{delivered:?}")).await;
    }
}

async fn events_announced_by_reference_are_read_from_the_store(world: World) {
    for references in 0..32_usize {
        let (bank, mut news) = tagged(&world.another().await).await;
        for (nth, announced) in news.iter_mut().enumerate() {
            if references & (1 << nth) != 0 {
                *announced = by_reference(announced);
            }
        }
        match references % 3 {
            0 => handle(&bank, &news).await,
            1 => handle(&bank, &news[4..]).await,
            _ => {
                for announced in &news {
                    handle(&bank, std::slice::from_ref(announced)).await;
                }
            }
        }
        shows(&bank, 5, &format!("references {references:b}")).await;
    }
}

async fn a_delivery_may_begin_and_end_within_a_commit(world: World) {
    // Commits of 3, 1, 4 and 2 events, delivered in every pair of cuts.
    let lengths = [3, 1, 4, 2];
    for first in 0..=10 {
        for second in first..=10 {
            let world = world.another().await;
            let bank = world.bank();
            for (n, times) in lengths.into_iter().enumerate() {
                bank.accept("1", &n.to_string(), &note("x", times)).await;
            }
            let news = world.news(&account("1")).await;
            let gap: Vec<_> = news[second..].last().into_iter().cloned().collect();
            for batch in [&news[..first], &news[first..second], &gap] {
                bank.handle("balances", batch).await;
                bank.handle("fragile", batch).await;
            }
            bank.handle("balances", &news).await;
            let applied = bank.view::<Balances>("1").await.unwrap().applied;
            assert_eq!(applied, (1..=10).collect::<Vec<_>>(), "cut at {first} and {second}");
        }
    }
}

async fn news_from_beyond_the_store_comes_again(world: World) {
    let (bank, mut news) = tagged(&world).await;
    // As if announced by a store that this reader's has not caught up with.
    let stream = account("1");
    let id = skyfold::EventId { stream: stream.clone(), version: skyfold::Version(6) };
    news.push(Announced::Reference(id));
    for consumer in ["balances", "tags"] {
        let failed = bank.deliver(consumer, &news[4..]).await;
        assert!(!failed.is_empty(), "{consumer} has handled what is not there");
        assert!(failed.iter().all(|failed| failed.error.kind() == ErrorKind::Unavailable));
    }
    bank.accept("1", "late", &tag(&["x"])).await;
    handle(&bank, &news[5..]).await;
    shows(&bank, 6, "once it is there").await;
}

async fn one_delivery_holds_events_of_many_streams(world: World) {
    let bank = world.bank();
    let mut news = vec![];
    for n in 0..60 {
        let name = n.to_string();
        bank.accept(&name, "a", &open("ada")).await;
        bank.accept(&name, "b", &note("x", n % 4)).await;
        bank.accept(&name, "c", &deposit(1)).await;
        news.extend(world.news(&account(&name)).await);
    }
    fastrand::Rng::with_seed(5).shuffle(&mut news);
    bank.handle("balances", &news).await;
    for n in 0..60 {
        let view = bank.view::<Balances>(&n.to_string()).await.unwrap();
        assert_eq!(view.applied.len(), 2 + n % 4, "account {n}");
        assert!(view.applied.is_sorted());
    }
    bank.handle("balances", &[]).await;
}

async fn a_delivery_in_order_reads_no_events(world: World) {
    let (_, news) = tagged(&world).await;
    let counted = Counted::new();
    let bank = Bank::new(tapped(world.ports.clone(), counted.clone()));
    for announced in &news {
        handle(&bank, std::slice::from_ref(announced)).await;
        assert!(!counted.take().contains_key("read"));
    }
    handle(&bank, &news).await;
    assert!(!counted.take().contains_key("read"), "duplicates read none either");
}

async fn deliveries_of_a_stream_are_one_write(world: World) {
    let (_, news) = tagged(&world).await;
    let counted = Counted::new();
    let bank = Bank::new(tapped(world.ports.clone(), counted.clone()));
    bank.handle("balances", &news).await;
    assert_eq!(counted.requests(), [("get", 1), ("write", 1)], "for five events");
    bank.handle("balances", &news).await;
    assert_eq!(counted.requests(), [("get", 1)], "for five duplicates");
}

async fn an_event_of_another_category_is_not_handled(world: World) {
    let bank = world.bank();
    let stream = super::world::stream("archive-1");
    world.fill(&stream, &[world.commit("a", &["x"])]).await;
    let failed = bank.deliver("balances", &world.news(&stream).await).await;
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0].error.kind(), ErrorKind::Invalid, "{}", failed[0].error);
    assert_eq!(bank.view::<Balances>("1").await, None);
    let commits = Trigger::Commits(world.commits(&stream).await);
    let error = bank.runtime.invoke("balances", commits).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid, "a projection hears events, not commits");
}
