//! What a command comes to, and what it costs.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use skyfold::limits::PAGE_ITEMS_MAX;
use skyfold::ports::FeedQuery;
use skyfold::{
    App, AsOf, CommandId, CommandRequest, Decider, Error, ErrorKind, Metadata, Payload, Reply,
    Trigger, Version,
};
use time::Duration;

use super::bank::{account, deposit, note, open, receipt, request, withdraw};
use super::world::{event, versions};
use super::{Bank, Case, World, cases};
use crate::domain::{Account, Command, State};
use crate::faults::{Counted, tapped};

pub(super) const CASES: &[Case] = cases![
    a_command_records_its_events_and_says_so,
    a_command_without_an_event_records_nothing,
    a_refused_command_records_nothing,
    a_command_that_makes_no_sense_is_invalid,
    metadata_travels_with_every_event,
    an_old_event_is_upcast_before_it_is_folded,
    an_expected_version_is_kept_to,
    a_warm_command_takes_one_request,
    a_cold_command_takes_two_requests_however_long_the_stream,
    a_fold_of_a_long_stream_reads_it_page_by_page,
    the_edge_completes_a_command_once,
    an_edge_that_fails_records_nothing,
    a_state_is_told_as_of_any_version_and_time,
];

async fn a_command_records_its_events_and_says_so(world: World) {
    let bank = world.bank();
    bank.accept("1", "a", &open("ada")).await;
    let receipt = bank.accept("1", "b", &note("x", 3)).await;
    assert_eq!((receipt.stream.clone(), receipt.version.0), (account("1"), 4));
    let ids: Vec<_> = receipt.events.iter().map(ToString::to_string).collect();
    assert_eq!(ids, ["account-1@2", "account-1@3", "account-1@4"]);
    assert!(!receipt.replayed);
    let events = world.events(&account("1")).await;
    let types: Vec<_> = events.iter().map(|event| event.event_type.as_str()).collect();
    assert_eq!(types, ["Opened", "Noted", "Noted", "Noted"]);
    assert_eq!(world.commits(&account("1")).await.len(), 2, "one command is one commit");
    assert!(events[1..].iter().all(|event| event.command.as_str() == "b"));
}

async fn a_command_without_an_event_records_nothing(world: World) {
    let bank = world.bank();
    let nothing = bank.accept("1", "a", &note("x", 0)).await;
    assert_eq!((nothing.version, nothing.events.len()), (Version::EMPTY, 0));
    bank.accept("1", "b", &deposit(5)).await;
    let nothing = bank.accept("1", "c", &Command::TopUp { cents: 5 }).await;
    assert_eq!((nothing.version.0, nothing.events.len(), nothing.replayed), (1, 0, false));
    assert_eq!(versions(&world.events(&account("1")).await), [1]);
}

async fn a_refused_command_records_nothing(world: World) {
    let bank = world.bank();
    let reason = bank.refuse("1", "a", &withdraw(1)).await;
    assert_eq!(reason, "there is too little in the account");
    bank.accept("1", "b", &deposit(5)).await;
    bank.refuse("1", "c", &withdraw(6)).await;
    assert_eq!(versions(&world.events(&account("1")).await), [1]);
}

async fn a_command_that_makes_no_sense_is_invalid(world: World) {
    let bank = world.bank();
    for command in [
        "null",
        "3",
        "\"Unknown\"",
        r#"{"Deposit":{}}"#,
        r#"{"Deposit":{"cents":-1}}"#,
        r#"{"Deposit":{"cents":"5"}}"#,
        r#"{"Deposit":{"cents":1},"Withdraw":{"cents":1}}"#,
    ] {
        let command = Payload::parse(command).unwrap();
        let request = CommandRequest { command, ..request::<Account>("1", "a", &deposit(1)) };
        let error = bank.runtime.invoke("account", Trigger::Command(request)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    }
    let request = request::<Account>("1", "a", &deposit(1));
    for (function, kind) in [("balances", ErrorKind::Invalid), ("nobody", ErrorKind::NotFound)] {
        let trigger = Trigger::Command(request.clone());
        let error = bank.runtime.invoke(function, trigger).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
    }
    assert!(world.feed(&FeedQuery::default()).await.is_empty());
}

async fn metadata_travels_with_every_event(world: World) {
    let metadata = Metadata {
        correlation: Some("größe".into()),
        causation: Some("account-9@9".into()),
        traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into()),
    };
    let request = request::<Account>("1", "a", &note("x", 2));
    let trigger = Trigger::Command(CommandRequest { metadata: metadata.clone(), ..request });
    world.bank().runtime.invoke("account", trigger).await.unwrap();
    let events = world.events(&account("1")).await;
    assert!(events.len() == 2 && events.iter().all(|event| event.metadata == metadata));
}

async fn an_old_event_is_upcast_before_it_is_folded(world: World) {
    let old = event("Deposited", 1, r#"{"euros":5}"#);
    world.fill(&account("1"), &[world.commit_of("a", vec![old])]).await;
    let bank = world.bank();
    bank.refuse("1", "b", &withdraw(501)).await;
    bank.accept("1", "c", &withdraw(500)).await;
    bank.accept("1", "d", &deposit(3)).await;
    let events = world.events(&account("1")).await;
    let schemas: Vec<_> = events.iter().map(|event| event.schema).collect();
    assert_eq!(schemas, [1, 1, 2], "what is stored stays as it was");
    assert_eq!(events[0].data.get(), r#"{"euros":5}"#);
}

async fn an_expected_version_is_kept_to(world: World) {
    let bank = world.bank();
    let give = async |id: &str, expected: u64| {
        let request = request::<Account>("1", id, &deposit(1));
        let expected = Some(Version(expected));
        let trigger = Trigger::Command(CommandRequest { expected, ..request });
        bank.runtime.invoke("account", trigger).await
    };
    receipt(give("a", 0).await.unwrap());
    receipt(give("b", 1).await.unwrap());
    for wrong in [0, 1, 3, u64::MAX] {
        let error = give("c", wrong).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict, "at {wrong}: {error}");
        assert!(error.to_string().contains("account-1 is at version 2"), "{error}");
    }
    assert_eq!(versions(&world.events(&account("1")).await), [1, 2]);
    let again = receipt(give("a", 0).await.unwrap());
    assert!(again.replayed && again.version.0 == 1, "a repeated one is answered all the same");
    receipt(give("c", 2).await.unwrap());
}

async fn a_warm_command_takes_one_request(world: World) {
    let counted = Counted::new();
    let bank = Bank::new(tapped(world.ports.clone(), counted.clone()));
    bank.accept("1", "first", &deposit(100)).await;
    counted.take();
    for n in 0..20 {
        bank.accept("1", &n.to_string(), &withdraw(1)).await;
        assert_eq!(counted.requests(), [("append", 1)], "command {n}");
    }
    bank.refuse("1", "x", &withdraw(1000)).await;
    let requests = counted.requests();
    assert!(matches!(requests[..], [("read", 1..=3)]), "a refusal is looked up: {requests:?}");
}

/// How many commits make a stream long.
const LONG: usize = 10_000;

async fn a_cold_command_takes_two_requests_however_long_the_stream(world: World) {
    for commits in [1, 2, 50, LONG] {
        let (world, start) = (world.another().await, world.now());
        let id = |n: i32| CommandId::derived(start + Duration::SECOND * n, &["a"]).to_string();
        let old: Vec<_> = (1..commits).map(|n| world.commit(&n.to_string(), &["x"])).collect();
        world.fill(&account("1"), &old).await;
        // What is read once is kept with the commit that follows.
        world.bank().accept("1", &id(1), &deposit(7)).await;

        let counted = Counted::new();
        let cold = tapped(world.ports.clone(), counted.clone());
        let receipt = Bank::new(cold.clone()).accept("1", &id(2), &withdraw(6)).await;
        assert_eq!(receipt.version.0 as usize, commits + 1);
        assert_eq!(counted.requests(), [("append", 1), ("read", 1)], "after {commits} commits");
        // A refusal is decided on once more, on what is certainly the newest.
        Bank::new(cold).refuse("1", &id(3), &withdraw(2)).await;
        assert_eq!(counted.requests(), [("read", 2)], "after {commits} commits");
    }
}

async fn a_fold_of_a_long_stream_reads_it_page_by_page(world: World) {
    let old: Vec<_> = (0..LONG / 10).map(|n| world.commit(&n.to_string(), &["x"])).collect();
    world.fill(&account("1"), &old).await;
    let counted = Counted::new();
    let bank = Bank::new(tapped(world.ports.clone(), counted.clone()));
    let id = CommandId::fresh(world.now());
    bank.accept("1", id.as_str(), &deposit(7)).await;
    let requests = counted.requests();
    let pages = LONG / 10 / PAGE_ITEMS_MAX;
    assert!(matches!(requests[..], [("append", 1), ("read", n)] if n <= pages + 2), "{requests:?}");
}

/// The app with an edge that puts the number of its call into a deposit of nothing.
fn at_the_edge(calls: &Arc<AtomicUsize>) -> App {
    let calls = calls.clone();
    App::new("edge").decider_with_edge::<Account, _>(move |command, edge| {
        let nth = calls.fetch_add(1, Ordering::SeqCst) as u64 + 1;
        async move {
            assert_eq!((edge.stream.as_str(), edge.stream.category()), ("account-1", "account"));
            match command {
                Command::Deposit { cents: 0 } => Ok(deposit(nth)),
                Command::Withdraw { .. } => {
                    Err(Error::new(ErrorKind::Denied, format!("the edge denies {}", edge.id)))
                }
                other => Ok(other),
            }
        }
    })
}

async fn the_edge_completes_a_command_once(world: World) {
    let calls = Arc::new(AtomicUsize::new(0));
    let bank = Bank::of(at_the_edge(&calls), world.ports.clone());
    bank.accept("1", "a", &deposit(0)).await;
    bank.accept("1", "b", &deposit(0)).await;
    for _ in 0..3 {
        let again = bank.accept("1", "a", &deposit(0)).await;
        assert!(again.replayed && again.version.0 == 1);
    }
    assert_eq!(calls.load(Ordering::SeqCst), 2, "what took effect is not asked for again");
    let error = bank.fail("1", "a", &deposit(7)).await;
    assert_eq!(error.kind(), ErrorKind::Duplicate, "it is the command as given that counts");
    let events = world.events(&account("1")).await;
    let data: Vec<_> = events.iter().map(|event| event.data.get()).collect();
    assert_eq!(data, [r#"{"cents":1}"#, r#"{"cents":2}"#]);
}

async fn an_edge_that_fails_records_nothing(world: World) {
    let calls = Arc::new(AtomicUsize::new(0));
    let bank = Bank::of(at_the_edge(&calls), world.ports.clone());
    bank.accept("1", "a", &deposit(5)).await;
    let error = bank.fail("1", "b", &withdraw(1)).await;
    assert_eq!((error.kind(), error.message()), (ErrorKind::Denied, "the edge denies b"));
    assert_eq!(world.events(&account("1")).await.len(), 1);
}

async fn a_state_is_told_as_of_any_version_and_time(world: World) {
    let bank = world.bank();
    let mut times = vec![];
    for n in 1..=5 {
        bank.clock.shift(Duration::SECOND);
        bank.accept("1", &n.to_string(), &deposit(n)).await;
        times.push(world.events(&account("1")).await.last().unwrap().time);
    }
    let cents = async |at: AsOf| {
        let told = bank.state("account", "1", at).await.unwrap();
        (told.version.0, told.state.decode::<State>().unwrap().cents)
    };
    assert_eq!(cents(AsOf::Now).await, (5, 15));
    for (version, total) in [(0, 0), (1, 1), (2, 3), (3, 6), (4, 10), (5, 15)] {
        assert_eq!(cents(AsOf::Version(Version(version))).await, (version, total));
    }
    let error = bank.state("account", "1", AsOf::Version(Version(6))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    assert_eq!(cents(AsOf::Time(times[0] - Duration::MILLISECOND)).await, (0, 0));
    assert_eq!(cents(AsOf::Time(times[0])).await, (1, 1));
    assert_eq!(cents(AsOf::Time(times[3] - Duration::MILLISECOND)).await, (3, 6));
    assert_eq!(cents(AsOf::Time(times[4] + Duration::DAY)).await, (5, 15));
    let Reply::State(nobody) = bank
        .runtime
        .invoke(Account::CATEGORY, Trigger::State(super::world::id("9"), AsOf::Now))
        .await
        .unwrap()
    else {
        panic!("a state is told")
    };
    assert_eq!((nobody.version, nobody.time), (Version::EMPTY, None));
}
