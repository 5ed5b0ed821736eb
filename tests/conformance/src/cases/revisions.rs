//! A new revision of a read model is built beside the old one, and takes its place in one step.

use futures::future::join;
use skyfold::{App, Built, Decider, ErrorKind, QueryRequest, Replay, Trigger};

use super::bank::{account, answer, deposit};
use super::document_scans::scanned;
use super::replay::{remove_all, replay, replay_as};
use super::{Bank, Case, World, cases};
use crate::domain::{Account, Balances, BalancesAnew};
use crate::faults::{Counted, Crash, tapped};

pub(super) const CASES: &[Case] = cases![
    a_revision_beside_another_is_a_function_of_its_own,
    a_new_revision_is_built_beside_the_old_one_and_switched_to,
    a_crash_at_any_write_of_a_switch_leaves_one_that_answers,
    a_switch_under_traffic_loses_and_doubles_nothing,
    a_revision_that_is_not_complete_is_not_switched_to,
    of_two_switches_at_once_one_is_told,
    an_app_that_lists_one_revision_never_looks_for_others,
    a_query_knows_which_revision_is_active,
    an_old_revision_is_removed_in_pages,
    a_revision_that_is_removed_has_to_be_built_again,
    health_tells_which_revision_was_never_built,
];

/// How many accounts there are.
const ACCOUNTS: u64 = 9;

fn both() -> App {
    let app = App::new("bank").decider::<Account>();
    app.projection::<BalancesAnew>().projection::<Balances>()
}

fn only_new() -> App {
    App::new("bank").decider::<Account>().projection::<BalancesAnew>()
}

/// Accounts of two deposits each, which the old revision alone has heard of.
async fn fill(world: &World) -> Bank {
    let old = world.bank();
    for n in 0..ACCOUNTS {
        let name = n.to_string();
        old.accept(&name, "a", &deposit(n)).await;
        old.accept(&name, "b", &deposit(n)).await;
        old.handle("balances", &world.news(&account(&name)).await).await;
    }
    let commits = 2 * ACCOUNTS as usize;
    let shown = async || {
        let found = world.feed(&Default::default()).await.len();
        (found == commits).then_some(())
    };
    world.eventually("every commit", shown).await;
    Bank::of(both(), world.ports.clone())
}

/// What `account` is said to hold, by whichever revision answers.
async fn told(bank: &Bank, account: &str) -> (u32, u64) {
    let request = skyfold::ViewRequest { key: account.into(), after: None };
    let reply = bank.runtime.invoke("balances", Trigger::View(request)).await.unwrap();
    let body: serde_json::Value = answer(reply).body.decode().unwrap();
    match body["cents"].as_u64() {
        Some(cents) => (1, cents),
        None => (2, body.as_u64().unwrap()),
    }
}

async fn switch(bank: &Bank, revision: u32) -> Result<u32, ErrorKind> {
    let model = bank.runtime.read_model("balances").unwrap();
    model.switch(Some(revision)).await.map_err(|error| error.kind())
}

async fn a_revision_beside_another_is_a_function_of_its_own(world: World) {
    let in_order = App::new("bank").decider::<Account>();
    let in_order = in_order.projection::<Balances>().projection::<BalancesAnew>();
    assert_eq!(in_order.manifest(), both().manifest(), "whatever order they are listed in");
    let manifest = both().manifest();
    for (name, collection) in [("balances", "balances.1"), ("balances.2", "balances.2")] {
        let function = manifest.function(name).unwrap();
        assert_eq!(function.collection.as_deref(), Some(collection));
        assert_eq!(function.hears, [Account::CATEGORY]);
    }
    let twice = App::new("bank").projection::<Balances>().projection::<Balances>();
    let error = twice.bind(world.ports.clone()).unwrap_err();
    assert!(error.to_string().contains("two functions are named balances"), "{error}");
}

async fn a_new_revision_is_built_beside_the_old_one_and_switched_to(world: World) {
    let bank = fill(&world).await;
    assert_eq!(told(&bank, "3").await, (1, 6), "the one that was there answers");
    // A live event reaches both before the replay does.
    bank.accept("3", "c", &deposit(1)).await;
    for function in ["balances", "balances.2"] {
        bank.handle(function, &world.news(&account("3")).await[2..]).await;
    }
    replay(&bank, "balances").await;
    assert_eq!(told(&bank, "3").await, (1, 7));
    let model = bank.runtime.read_model("balances").unwrap();
    let built: Vec<_> = model.revisions().await.unwrap().into_iter().map(|r| r.built).collect();
    assert_eq!(built, [Built::Live, Built::Replayed]);
    assert_eq!(switch(&bank, 2).await, Ok(2));
    for n in 0..ACCOUNTS {
        let cents = 2 * n + u64::from(n == 3);
        assert_eq!(told(&bank, &n.to_string()).await, (2, cents));
    }
    // Both go on hearing, so that the way back is open.
    bank.accept("3", "d", &deposit(1)).await;
    for function in ["balances", "balances.2"] {
        bank.handle(function, &world.news(&account("3")).await[3..]).await;
    }
    assert_eq!(told(&bank, "3").await, (2, 8));
    assert_eq!(switch(&bank, 1).await, Ok(1));
    assert_eq!(told(&bank, "3").await, (1, 8));
    assert_eq!(switch(&bank, 2).await, Ok(2), "it was complete before");
    // The old one leaves the code.
    assert_eq!(told(&Bank::of(only_new(), world.ports.clone()), "3").await, (2, 8));
}

async fn a_crash_at_any_write_of_a_switch_leaves_one_that_answers(world: World) {
    for crash in Crash::around(0) {
        let world = world.another().await;
        let bank = fill(&world).await;
        replay(&bank, "balances").await;
        let doomed = Bank::of(both(), tapped(world.ports.clone(), crash.clone()));
        switch(&doomed, 2).await.unwrap_err();
        assert!(crash.has_happened());
        let (revision, cents) = told(&bank, "3").await;
        assert!(revision == 1 || revision == 2);
        assert_eq!(cents, 6);
        assert_eq!(switch(&bank, 2).await, Ok(2));
        assert_eq!(told(&bank, "3").await, (2, 6));
    }
}

async fn a_switch_under_traffic_loses_and_doubles_nothing(world: World) {
    let bank = fill(&world).await;
    let traffic = async {
        for nth in 0..20_u64 {
            let name = (nth % ACCOUNTS).to_string();
            bank.accept(&name, &format!("live-{nth}"), &deposit(100)).await;
            let news = world.news(&account(&name)).await;
            // Late, twice and in part.
            for function in ["balances.2", "balances", "balances.2"] {
                bank.handle(function, &news[news.len() - 1..]).await;
            }
            let (_, cents) = told(&bank, &name).await;
            let expected = 2 * (nth % ACCOUNTS) + 100 * (nth / ACCOUNTS + 1);
            assert_eq!(cents, expected, "the answer after {nth}, of whichever revision");
        }
    };
    let rebuild = async {
        replay(&bank, "balances").await;
        // Whatever the feed did not show yet is delivered live.
        for revision in [2, 1, 2] {
            assert_eq!(switch(&bank, revision).await, Ok(revision));
        }
    };
    // The old revision answers for what is there before its turn; the new one is complete by then.
    join(traffic, rebuild).await;
    for n in 0..ACCOUNTS {
        let live = (0..20_u64).filter(|nth| nth % ACCOUNTS == n).count() as u64;
        assert_eq!(told(&bank, &n.to_string()).await, (2, 2 * n + 100 * live), "account {n}");
    }
    assert_eq!(switch(&bank, 1).await, Ok(1));
    for n in 0..ACCOUNTS {
        let live = (0..20_u64).filter(|nth| nth % ACCOUNTS == n).count() as u64;
        assert_eq!(told(&bank, &n.to_string()).await, (1, 2 * n + 100 * live), "account {n}");
    }
}

async fn a_revision_that_is_not_complete_is_not_switched_to(world: World) {
    let bank = fill(&world).await;
    assert_eq!(switch(&bank, 2).await, Err(ErrorKind::Conflict), "nothing was built");
    let doomed = Bank::of(both(), tapped(world.ports.clone(), Crash::before(5)));
    replay_as(&doomed, "balances", &Replay::default()).await.unwrap_err();
    assert_eq!(switch(&bank, 2).await, Err(ErrorKind::Conflict), "it was interrupted");
    let part = Replay { version: Some(skyfold::Version(2)), ..Replay::default() };
    let error = replay_as(&bank, "balances", &part).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "another one was interrupted");
    let part = Replay { start: skyfold::Start::Anew, ..part };
    replay_as(&bank, "balances", &part).await.unwrap();
    assert_eq!(switch(&bank, 2).await, Err(ErrorKind::Conflict), "it was of a part");
    assert_eq!(switch(&bank, 3).await, Err(ErrorKind::NotFound));
    assert_eq!(told(&bank, "3").await, (1, 6));
    replay(&bank, "balances").await;
    assert_eq!(switch(&bank, 2).await, Ok(2));
}

async fn of_two_switches_at_once_one_is_told(world: World) {
    let bank = fill(&world).await;
    replay(&bank, "balances").await;
    switch(&bank, 2).await.unwrap();
    for _ in 0..8 {
        let outcomes = join(switch(&bank, 1), switch(&bank, 2)).await;
        let is_told = |outcome| matches!(outcome, Ok(_) | Err(ErrorKind::Conflict));
        assert!(is_told(outcomes.0) && is_told(outcomes.1), "{outcomes:?}");
        let (revision, cents) = told(&bank, "3").await;
        assert_eq!(cents, 6, "of revision {revision}");
    }
}

async fn an_app_that_lists_one_revision_never_looks_for_others(world: World) {
    let bank = fill(&world).await;
    replay(&bank, "balances").await;
    switch(&bank, 2).await.unwrap();
    let counted = Counted::new();
    let ports = tapped(world.ports.clone(), counted.clone());
    assert_eq!(told(&Bank::of(only_new(), ports.clone()), "3").await, (2, 6));
    assert_eq!(counted.requests(), [("get", 1)]);
    assert_eq!(told(&Bank::of(both(), ports), "3").await, (2, 6));
    assert_eq!(counted.requests(), [("get", 2)], "one for the revision, one for the view");
}

async fn a_query_knows_which_revision_is_active(world: World) {
    let bank = fill(&world).await;
    replay(&bank, "balances").await;
    let asking = both().query("cents", async |(): (), read| {
        match read.is_active::<BalancesAnew>().await? {
            true => Ok((2, read.get::<BalancesAnew>("3").await?.unwrap_or_default())),
            false => {
                let error = read.get::<BalancesAnew>("3").await.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Conflict, "it is not its turn");
                Ok((1, read.get::<Balances>("3").await?.unwrap_or_default().cents))
            }
        }
    });
    let asking = Bank::of(asking, world.ports.clone());
    for revision in [1, 2, 1] {
        switch(&bank, revision).await.unwrap();
        let trigger = Trigger::Query(QueryRequest::default());
        let reply = asking.runtime.invoke("cents", trigger).await.unwrap();
        assert_eq!(answer(reply).body.decode::<(u32, u64)>().unwrap(), (revision, 6));
    }
}

async fn an_old_revision_is_removed_in_pages(world: World) {
    let bank = fill(&world).await;
    for n in 0..130 {
        let key = super::documents::put(&format!("old {n}"), "x").key;
        let key = skyfold::ports::DocumentKey { collection: "balances.1".into(), ..key };
        world.write(skyfold::ports::Write { key, ..super::documents::put("", "x") }).await.unwrap();
    }
    replay(&bank, "balances").await;
    switch(&bank, 2).await.unwrap();
    let model = bank.runtime.read_model("balances").unwrap();
    let error = model.remove(1, |_| {}).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "it is listed, and hears events");
    let alone = Bank::of(only_new(), world.ports.clone());
    let model = alone.runtime.read_model("balances").unwrap();
    assert_eq!(model.remove(2, |_| {}).await.unwrap_err().kind(), ErrorKind::Conflict);
    // A crash on the way leaves the rest to the next attempt.
    let doomed = Bank::of(only_new(), tapped(world.ports.clone(), Crash::after(60)));
    doomed.runtime.read_model("balances").unwrap().remove(1, |_| {}).await.unwrap_err();
    let left = scanned(&world, "balances.1", 100).await.len() as u64;
    assert!((1..139).contains(&left), "{left}");
    let mut counts = vec![];
    assert!(model.remove(1, |removed| counts.push(removed)).await.unwrap() >= left);
    assert!(!counts.is_empty() && counts.is_sorted());
    assert!(scanned(&world, "balances.1", 100).await.is_empty());
    assert_eq!(scanned(&world, "balances.2", 100).await.len() as u64, ACCOUNTS);
    assert_eq!(told(&alone, "3").await, (2, 6));
}

/// What health says of revisions: which, how far it was built, and whether it answers.
async fn unbuilt(bank: &Bank) -> Vec<(u32, Built, bool)> {
    let found = bank.runtime.health().await.unwrap().unbuilt;
    found.into_iter().map(|unbuilt| (unbuilt.revision, unbuilt.built, unbuilt.is_active)).collect()
}

async fn health_tells_which_revision_was_never_built(world: World) {
    let bank = fill(&world).await;
    let alone = Bank::of(only_new(), world.ports.clone());
    assert_eq!(unbuilt(&bank).await, [(2, Built::Live, false)]);
    assert_eq!(unbuilt(&alone).await, [(2, Built::Live, true)], "it answers, and lacks the past");
    assert_eq!(unbuilt(&world.bank()).await, [], "the first revision heard everything");
    let part = Replay { version: Some(skyfold::Version(2)), ..Replay::default() };
    replay_as(&bank, "balances", &part).await.unwrap();
    assert_eq!(unbuilt(&bank).await, [(2, Built::InPart, false)]);
    replay(&bank, "balances").await;
    assert_eq!(unbuilt(&bank).await, []);
    replay_as(&bank, "balances", &part).await.unwrap();
    assert_eq!(unbuilt(&bank).await, [], "it was complete before");
    assert_eq!(switch(&bank, 2).await, Ok(2));
    assert_eq!(unbuilt(&alone).await, []);
    remove_all(&world, "replays").await;
    assert_eq!(unbuilt(&alone).await, [], "what answered once was complete");
}

async fn a_revision_that_is_removed_has_to_be_built_again(world: World) {
    let bank = fill(&world).await;
    replay(&bank, "balances").await;
    switch(&bank, 2).await.unwrap();
    let alone = Bank::of(only_new(), world.ports.clone());
    alone.runtime.read_model("balances").unwrap().remove(1, |_| {}).await.unwrap();
    // The code comes back, and the old one with it.
    assert_eq!(switch(&bank, 1).await, Err(ErrorKind::Conflict));
    replay_as(&bank, "balances", &Replay { revision: Some(1), ..Replay::default() }).await.unwrap();
    assert_eq!(switch(&bank, 1).await, Ok(1));
    assert_eq!(told(&bank, "3").await, (1, 6));
    remove_all(&world, "balances.2").await;
    assert_eq!(told(&bank, "3").await, (1, 6));
}
