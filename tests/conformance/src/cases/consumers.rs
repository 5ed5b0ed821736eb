//! What is said of a projection, a saga or a query where something goes wrong, and that what is
//! wrong for good is not taken for what may pass.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use skyfold::{Announced, AsOf, ErrorKind, Payload, QueryRequest, Trigger, Verify};

use super::bank::{account, deposit, open, tag, trouble};
use super::costs::{always, failing};
use super::replay::{fill as fill_accounts, replay};
use super::snapshots::{BESIDE, fill, keep, priced};
use super::world::{event, id, stream};
use super::{Bank, Case, World, cases};
use crate::domain::{Archive, Command, app};
use crate::faults::{Fault, Faulty, Request, Tap, tapped};

pub(super) const CASES: &[Case] = cases![
    a_letter_names_the_saga_and_what_it_keeps_its_progress_under,
    a_saga_that_is_told_of_a_stream_it_does_not_hear_refuses,
    a_saga_that_may_never_record_is_set_aside_with_the_reason,
    a_view_of_many_streams_that_may_never_be_written_is_set_aside_with_the_reason,
    a_record_of_a_later_release_is_not_taken_for_one_of_this,
    a_saga_tells_when_it_heard_something_last,
    a_question_that_fails_is_not_answered_with_wait,
    a_snapshot_that_cannot_be_read_for_now_is_not_done_without,
    what_a_comparison_writes_does_not_stay,
];

/// Account 1 sends a cent to account 2 by the transfer t.
async fn sent(bank: &Bank, world: &World) -> Vec<Announced> {
    bank.accept("1", "open", &open("ada")).await;
    bank.accept("1", "fill", &deposit(5)).await;
    let send = Command::Send { transfer: id("t"), to: id("2"), cents: 1 };
    bank.accept("1", "send", &send).await;
    world.news(&account("1")).await
}

/// A bank that may not do what `applies` picks.
fn denied(world: &World, applies: fn(&Request<'_>) -> bool) -> Bank {
    failing(world, applies, always(ErrorKind::Denied)).0
}

async fn a_letter_names_the_saga_and_what_it_keeps_its_progress_under(world: World) {
    let bank = world.bank();
    bank.accept("1", "a", &deposit(5)).await;
    let commit = world.commit_of("b", vec![event("Frozen", 1, "null")]);
    world.append(&world.head(&account("1")).await, &commit).await.unwrap();
    let news = world.news(&account("1")).await;
    let letter = bank.set_aside("transfer", &news).await.remove(0);
    assert_eq!((&*letter.function, &*letter.consumer), ("transfer", "saga.transfer"));
}

async fn a_saga_that_is_told_of_a_stream_it_does_not_hear_refuses(world: World) {
    let bank = world.bank();
    let commit = world.commit_of("a", vec![event("Frozen", 1, "null")]);
    world.fill(&stream("unheard-1"), &[commit]).await;
    let news = world.news(&stream("unheard-1")).await;
    for consumer in ["transfer", "balances"] {
        let failed = bank.deliver(consumer, &news).await;
        assert_eq!(failed.len(), 1, "{consumer}");
        assert_eq!(failed[0].error.kind(), ErrorKind::Invalid);
        assert!(failed[0].error.to_string().contains("does not hear unheard-1"));
    }
    let letters = bank.runtime.dead_letters().list(&Default::default()).await.unwrap();
    assert!(letters.items.is_empty(), "whoever routes deliveries is wrong, and not the stream");
}

async fn a_saga_that_may_never_record_is_set_aside_with_the_reason(world: World) {
    let news = sent(&world.bank(), &world).await;
    let appends = |request: &Request<'_>| matches!(request, Request::Append(..));
    let letter = denied(&world, appends).set_aside("transfer", &news).await;
    assert_eq!(trouble(&letter[0]), ("account-1@3".into(), "denied"));
}

fn writes_tags(request: &Request<'_>) -> bool {
    matches!(request, Request::Write(write) if write.key.collection == "tags.1")
}

async fn a_view_of_many_streams_that_may_never_be_written_is_set_aside_with_the_reason(
    world: World,
) {
    world.bank().accept("1", "a", &tag(&["x"])).await;
    let news = world.news(&account("1")).await;
    let letter = denied(&world, writes_tags).set_aside("tags", &news).await;
    assert_eq!(trouble(&letter[0]), ("account-1@1".into(), "denied"));
}

async fn a_record_of_a_later_release_is_not_taken_for_one_of_this(world: World) {
    let bank = world.bank();
    let news = sent(&bank, &world).await;
    bank.handle("transfer", &news).await;
    let saga = stream("saga.transfer-t");
    let record = world.events(&saga).await.remove(0);
    for (event_type, schema) in [("Reacted", 2), ("Acted", 1)] {
        let world = world.another().await;
        let bank = world.bank();
        let news = sent(&bank, &world).await;
        let later = world.commit_of("z", vec![event(event_type, schema, record.data.get())]);
        world.fill(&saga, &[later]).await;
        let failed = bank.deliver("transfer", &news).await;
        assert_eq!(failed.len(), 3, "it comes again, when that release is everywhere");
        assert_eq!(failed[0].error.kind(), ErrorKind::Newer, "{event_type} {schema}");
        assert_eq!(world.events(&saga).await.len(), 1, "nothing is recorded on top of it");
    }
}

async fn a_saga_tells_when_it_heard_something_last(world: World) {
    let bank = world.bank();
    let news = sent(&bank, &world).await;
    bank.handle("transfer", &news).await;
    let recorded = world.events(&stream("saga.transfer-t")).await.remove(0);
    for bank in [bank, world.bank()] {
        let state = bank.state("transfer", "t", AsOf::Now).await.unwrap();
        assert_eq!((state.version.0, state.time), (1, Some(recorded.time)));
    }
}

async fn a_question_that_fails_is_not_answered_with_wait(world: World) {
    let app = app().query("closed", |(): (), _| async {
        Err::<u32, _>(skyfold::Error::new(ErrorKind::Denied, "closed on Sundays"))
    });
    let bank = Bank::of(app, world.ports.clone());
    let params = Payload::encode(&()).unwrap();
    let question = Trigger::Query(QueryRequest { params, after: None });
    let error = bank.runtime.invoke("closed", question).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied, "{error}");
}

async fn a_snapshot_that_cannot_be_read_for_now_is_not_done_without(world: World) {
    let ports = priced(&world, BESIDE);
    fill(&Bank::new(ports.clone()), 40, 50).await;
    let snapshots = |request: &Request<'_>| matches!(request, Request::Snapshot(_));
    let script = always(ErrorKind::Unavailable);
    let cold = Bank::new(tapped(ports, Faulty::new(snapshots, script)));
    let kept = cold.give::<Archive>("1", "later", &keep("x")).await;
    assert_eq!(kept.unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!(cold.runtime.damaged_states(), 0);
}

/// Sees to it that whatever is written for a comparison says when it goes.
#[derive(Debug, Default)]
struct Passing(AtomicUsize);

#[async_trait]
impl Tap for Passing {
    async fn meet(&self, request: Request<'_>, _: usize) -> Option<Fault> {
        if let Request::Write(write) = request
            && write.key.collection.contains("verify.")
        {
            self.0.fetch_add(1, Ordering::Relaxed);
            assert!(write.expires.is_some() || write.body.is_none(), "{write:?}");
        }
        None
    }
}

async fn what_a_comparison_writes_does_not_stay(world: World) {
    let bank = fill_accounts(&world).await;
    for name in ["balances", "tags"] {
        replay(&bank, name).await;
        let passing = Arc::new(Passing::default());
        let watched = Bank::new(tapped(world.ports.clone(), passing.clone()));
        let views = watched.runtime.read_model(name).unwrap();
        let verified = views.verify(&Verify::default(), |_| {}).await.unwrap();
        assert_eq!(verified.events, 120);
        assert!(passing.0.load(Ordering::Relaxed) > 0, "{name}");
    }
}
