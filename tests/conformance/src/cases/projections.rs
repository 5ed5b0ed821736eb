//! Views survive crashes, races and removals, each event applied once.

use futures::future::join_all;
use skyfold::ports::Order;
use skyfold::{ErrorKind, ListRequest};

use super::bank::{account, deposit, open, withdraw};
use super::world::event;
use super::{Bank, Case, World, cases};
use crate::domain::{Balances, Command, Fragile};
use crate::faults::{Crash, Fault, Faulty, Gate, Request, tapped};

pub(super) const CASES: &[Case] = cases![
    a_crash_at_any_write_loses_and_doubles_nothing,
    a_lost_answer_at_any_write_doubles_nothing,
    two_processes_at_once_apply_each_event_once,
    a_process_that_was_held_up_applies_nothing_twice,
    a_view_that_was_removed_does_not_come_back_by_a_late_delivery,
    an_old_event_is_upcast_before_it_is_projected,
    a_view_moves_between_its_lists,
    a_list_is_read_in_pages,
    a_list_that_makes_no_sense_is_refused,
];

/// An account of 6 events.
async fn six_events(world: &World) -> Vec<skyfold::Announced> {
    let bank = world.bank();
    bank.accept("1", "a", &open("ada")).await;
    for n in 0..5 {
        bank.accept("1", &n.to_string(), &deposit(1)).await;
    }
    world.news(&account("1")).await
}

async fn shows_six(bank: &Bank, what: &str) {
    let view = bank.view::<Balances>("1").await.expect(what);
    assert_eq!((view.cents, view.applied), (5, (1..=6).collect()), "{what}");
}

async fn a_crash_at_any_write_loses_and_doubles_nothing(world: World) {
    // Three deliveries make one write each.
    for at in 0..3 {
        for crash in Crash::around(at) {
            let world = world.another().await;
            let news = six_events(&world).await;
            let doomed = Bank::new(tapped(world.ports.clone(), crash.clone()));
            for batch in news.chunks(2) {
                doomed.deliver("balances", batch).await;
            }
            assert!(crash.has_happened(), "there is no write {at}");
            // What was not acknowledged comes again, and more than that.
            let bank = world.bank();
            for batch in news[2 * at..].chunks(2) {
                bank.handle("balances", batch).await;
            }
            bank.handle("balances", &news).await;
            shows_six(&bank, &format!("{crash:?}")).await;
        }
    }
}

fn is_write(request: &Request<'_>) -> bool {
    matches!(request, Request::Write(_))
}

async fn a_lost_answer_at_any_write_doubles_nothing(world: World) {
    for fault in [Fault::Before(ErrorKind::Unavailable), Fault::After(ErrorKind::Unavailable)] {
        for lost in [1, 3] {
            let world = world.another().await;
            let news = six_events(&world).await;
            let faulty = Faulty::new(is_write, []);
            let bank = Bank::new(tapped(world.ports.clone(), faulty.clone()));
            for batch in news.chunks(2) {
                faulty.extend(vec![Some(fault); lost]);
                bank.handle("balances", batch).await;
            }
            shows_six(&bank, &format!("{fault:?} {lost} times")).await;
        }
    }
}

async fn two_processes_at_once_apply_each_event_once(world: World) {
    for _ in 0..20 {
        let world = world.another().await;
        let news = six_events(&world).await;
        let racers = (0..4).map(|racer| {
            let (bank, news) = (world.bank(), news.clone());
            tokio::spawn(async move {
                // Each begins elsewhere, so that they overtake each other.
                for nth in 0..news.len() {
                    let nth = (nth + racer) % news.len();
                    bank.handle("balances", &news[nth..=nth]).await;
                }
            })
        });
        for racer in join_all(racers).await {
            racer.unwrap();
        }
        shows_six(&world.bank(), "after a race").await;
    }
}

async fn a_process_that_was_held_up_applies_nothing_twice(world: World) {
    let news = six_events(&world).await;
    let gate = Gate::first(is_write);
    let slow = Bank::new(tapped(world.ports.clone(), gate.clone()));
    let batch = news[..3].to_vec();
    let held = tokio::spawn(async move { slow.handle("balances", &batch).await });
    gate.arrived().await;
    let quick = world.bank();
    quick.handle("balances", &news).await;
    gate.release();
    held.await.unwrap();
    shows_six(&quick, "after the slow one").await;
}

async fn a_view_that_was_removed_does_not_come_back_by_a_late_delivery(world: World) {
    let bank = world.bank();
    bank.accept("1", "a", &open("ada")).await;
    bank.accept("1", "b", &deposit(2000)).await;
    bank.accept("1", "c", &withdraw(2000)).await;
    bank.accept("1", "d", &Command::Close).await;
    let news = world.news(&account("1")).await;
    bank.handle("balances", &news[..3]).await;
    assert!(bank.view::<Balances>("1").await.is_some());
    bank.handle("balances", &news[3..]).await;
    for late in [&news[..], &news[..1], &news[2..3]] {
        assert_eq!(bank.view::<Balances>("1").await, None);
        bank.handle("balances", late).await;
    }
    assert_eq!(bank.view::<Balances>("1").await, None);
    eventually_lists(&world, &bank, "by-owner", "ada", &[]).await;
    // It begins anew with what comes next.
    bank.accept("1", "e", &open("bob")).await;
    bank.handle("balances", &world.news(&account("1")).await).await;
    let view = bank.view::<Balances>("1").await.unwrap();
    assert_eq!((view.owner.as_str(), view.applied), ("bob", vec![5]));
}

async fn an_old_event_is_upcast_before_it_is_projected(world: World) {
    let events =
        vec![event("Deposited", 1, r#"{"euros":5}"#), event("Deposited", 2, r#"{"cents":5}"#)];
    world.fill(&account("1"), &[world.commit_of("a", events)]).await;
    let bank = world.bank();
    bank.handle("balances", &world.news(&account("1")).await).await;
    assert_eq!(bank.view::<Balances>("1").await.unwrap().cents, 505);
}

fn page(list: &str, under: &str) -> ListRequest {
    ListRequest {
        list: list.into(),
        under: under.into(),
        order: Order::Ascending,
        limit: 100,
        cursor: None,
        after: None,
    }
}

/// Waits until the list shows accounts of `cents` each, since a list may lag behind.
async fn eventually_lists(world: &World, bank: &Bank, list: &str, under: &str, cents: &[u64]) {
    world
        .eventually(&format!("{cents:?} in {list} {under}"), async || {
            let found = bank.list::<Balances>(page(list, under)).await.unwrap();
            assert_eq!(found.next, None);
            let found: Vec<_> = found.items.iter().map(|view| view.cents).collect();
            (found == cents).then_some(())
        })
        .await;
}

async fn a_view_moves_between_its_lists(world: World) {
    let bank = world.bank();
    let update = async |command: &Command, id: &str| {
        bank.accept("1", id, command).await;
        bank.handle("balances", &world.news(&account("1")).await).await;
    };
    bank.accept("2", "a", &open("ada")).await;
    bank.accept("2", "b", &deposit(1500)).await;
    bank.handle("balances", &world.news(&account("2")).await).await;
    update(&open("ada"), "a").await;
    eventually_lists(&world, &bank, "by-owner", "ada", &[0, 1500]).await;
    eventually_lists(&world, &bank, "rich", "all", &[1500]).await;
    update(&deposit(2000), "b").await;
    eventually_lists(&world, &bank, "by-owner", "ada", &[1500, 2000]).await;
    eventually_lists(&world, &bank, "rich", "all", &[1500, 2000]).await;
    update(&Command::Rename { owner: "größe / 日本".into() }, "c").await;
    eventually_lists(&world, &bank, "by-owner", "ada", &[1500]).await;
    eventually_lists(&world, &bank, "by-owner", "größe / 日本", &[2000]).await;
    update(&withdraw(1999), "d").await;
    eventually_lists(&world, &bank, "by-owner", "größe / 日本", &[1]).await;
    eventually_lists(&world, &bank, "rich", "all", &[1500]).await;
}

async fn a_list_is_read_in_pages(world: World) {
    let bank = world.bank();
    for n in 0..23 {
        let name = n.to_string();
        bank.accept(&name, "a", &open("ada")).await;
        bank.accept(&name, "b", &deposit(n)).await;
        bank.handle("balances", &world.news(&account(&name)).await).await;
    }
    let ascending: Vec<_> = (0..23).collect();
    eventually_lists(&world, &bank, "by-owner", "ada", &ascending).await;
    for order in [Order::Ascending, Order::Descending] {
        let mut request = ListRequest { order, limit: 5, ..page("by-owner", "ada") };
        let mut found = vec![];
        loop {
            let page = bank.list::<Balances>(request.clone()).await.unwrap();
            assert!(page.items.len() <= 5);
            found.extend(page.items.into_iter().map(|view| view.cents));
            request.cursor = page.next;
            if request.cursor.is_none() {
                break;
            }
        }
        if order == Order::Descending {
            found.reverse();
        }
        assert_eq!(found, ascending);
    }
}

async fn a_list_that_makes_no_sense_is_refused(world: World) {
    let bank = world.bank();
    for (request, kind) in [
        (page("unknown", "ada"), ErrorKind::NotFound),
        (ListRequest { limit: 0, ..page("rich", "all") }, ErrorKind::Invalid),
        (ListRequest { limit: 101, ..page("rich", "all") }, ErrorKind::Invalid),
        (ListRequest { cursor: Some("stale".into()), ..page("rich", "all") }, ErrorKind::Invalid),
        (page("rich", ""), ErrorKind::Invalid),
        (page("rich", "a\nb"), ErrorKind::Invalid),
    ] {
        let error = bank.list::<Balances>(request.clone()).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{request:?}: {error}");
    }
    let error = bank.list::<Fragile>(page("rich", "all")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "it has no lists: {error}");
    assert!(bank.list::<Balances>(page("rich", "nobody")).await.unwrap().items.is_empty());
}
